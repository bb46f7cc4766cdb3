# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.estimate import Measured
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.rate import (
    Rates,
    Sent,
    moment_of,
    sent_mail,
)

NOW = time.mktime((2026, 1, 2, 0, 0, 0, 0, 0, -1))
LOG = """\
Jan  1 23:59:50 mx postfix/qmgr[7]: 4fQv1: from=<me@y.test>, size=2048, nrcpt=2 (queue active)
Jan  1 23:59:51 mx postfix/relay/smtp[9]: 4fQv1: to=<a@X.example>, relay=x[192.0.2.1]:25, delay=9, ONE, OK
Jan  1 23:59:51 mx postfix/relay/smtp[9]: 4fQv1: to=<b@X.example>, relay=x[192.0.2.1]:25, conn_use=2, delay=9, ONE, OK
Jan  1 23:59:52 mx postfix/relay/smtp[9]: 4fQv2: to=<a@x.example>, relay=none, delay=9, delays=7/0/2/0, LATER
Jan  1 23:59:53 mx postfix/smtp[8]: 4fQv3: to=<c@z.example>, orig_to=<d@y.test>, relay=z[192.0.2.2]:25, delay=1, TWO, OK
Jan  1 23:59:53 mx dovecot: status=sent , size=1
"""
WORDS = {
    "ONE": "delays=7/1.5/0.1/0.4",
    "TWO": "delays=0/0/0/1",
    "OK": "dsn=2.0.0, status=sent (250 2.0.0 Ok, status=sent )",
    "LATER": "dsn=4.4.1, status=deferred (connect to x[192.0.2.1]:25: Connection refused)",
}


def sent(moment: float = NOW, domain: str = "x.example", took: float = 0.5, size: int = 0, **fields: float) -> Sent:
    return Sent(moment, "relay", domain, fields.get("waited", 0), took, size)


def test_deliveries_are_read_with_their_delays_and_sizes() -> None:
    text = LOG
    for word, meaning in WORDS.items():
        text = text.replace(word, meaning)
    assert sent_mail(text.split("\n"), NOW) == [
        Sent(NOW - 9, "relay", "x.example", 1.5, 0.5, 2048),
        Sent(NOW - 7, "smtp", "z.example", 0, 1, 0),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("Jan  1 23:59:50 mx", NOW - 10, id="this year"),
        pytest.param("Dec 31 23:59:50 mx", NOW - 86410, id="last year"),
        pytest.param("1970-01-01T00:01:40.5+00:00 mx", 100.5, id="with a zone"),
        pytest.param("1970-01-01T00:01:40Z mx", 100, id="of UTC"),
        pytest.param("Foo  1 23:59:50 mx", 0, id="no month"),
        pytest.param("-- No entries --", 0, id="no date"),
    ],
)
def test_moment_of_line(line: str, expected: float) -> None:
    assert moment_of(line, NOW) == expected


def test_deliveries_for_the_domain_count_before_others_by_its_transport() -> None:
    other = [sent(domain="y.example", took=2)] * 7
    assert Rates([*other, *[sent()] * 5]).measured(["x.example"], "relay", NOW) == Measured(5, 0.5)
    assert Rates([*other, *[sent()] * 4]).measured(["x.example"], "relay", NOW) == Measured(11, 16 / 11)
    assert Rates([*[sent()] * 4]).measured(["x.example"], "slow", NOW) == Measured(4, 0.5)
    assert Rates(other).measured(["x.example"], "slow", NOW) is None


def draining(count: int = 21, apart: float = 1, ago: float = 0, waited: float = 3) -> list[Sent]:
    return [sent(NOW - ago - number * apart, waited=waited) for number in range(count)]


@pytest.mark.parametrize(
    ("deliveries", "since", "expected"),
    [
        pytest.param(draining(), 0, 1.0, id="draining"),
        pytest.param(draining(101, 0.5), 0, 2.0, id="faster"),
        pytest.param(draining(300), 0, 1.0, id="for long"),
        pytest.param(draining(9, 2) * 8, 0, 4.0, id="8 at a time"),
        pytest.param(draining(waited=0.4), 0, None, id="none waited for another"),
        pytest.param(draining(9, 2), 0, None, id="few"),
        pytest.param(draining(21, 0.5), 0, 2.0, id="just long enough"),
        pytest.param(draining(21, 0.4), 0, None, id="not for long"),
        pytest.param(draining(ago=11), 0, None, id="no longer"),
        pytest.param([*draining(), *draining(20, ago=31)], 0, 1.0, id="after a pause"),
        pytest.param(draining(), NOW - 9, None, id="by other settings"),
        pytest.param([*draining(), *draining(20, 0.1, ago=28)], NOW - 28, 1.0, id="by other settings before"),
        pytest.param(draining(), NOW - 15, 1.0, id="by these settings"),
    ],
)
def test_rate_is_that_of_mail_that_waits_for_others(
    deliveries: list[Sent], since: float, expected: float | None
) -> None:
    found = Rates(deliveries, since).measured(["x.example"], "relay", NOW)
    assert found is not None
    assert found.per_second == expected


def test_larger_messages_take_longer_if_those_in_the_log_did() -> None:
    deliveries = [sent(size=1000 * number, took=0.1 + 0.01 * number) for number in range(1, 20)]
    found = Rates(deliveries).measured(["x.example"], "relay", NOW)
    assert found is not None
    assert (found.takes(10000), found.takes(1000000)) == (pytest.approx(0.2), pytest.approx(10.1))


def test_sizes_that_explain_little_change_nothing() -> None:
    deliveries = [sent(size=1000 + number % 2, took=0.1 + number % 5) for number in range(20)]
    found = Rates(deliveries).measured(["x.example"], "relay", NOW)
    assert found is not None
    assert found.takes(10**9) == found.per_delivery


@given(
    st.lists(st.tuples(st.integers(1, 10**8), st.floats(0.001, 600)), min_size=1, max_size=40), st.integers(0, 10**9)
)
def test_no_delivery_takes_less_than_nothing_and_a_larger_one_no_less(
    pairs: list[tuple[int, float]], size: int
) -> None:
    found = Rates([sent(size=size, took=took) for size, took in pairs]).measured(["x.example"], "relay", NOW)
    assert found is not None
    assert found.takes(0) >= -0.000001
    assert found.takes(size) <= found.takes(size + 1000)
