# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import MailVolume
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.volume import (
    given_volume,
    measured_volume,
    volume_lines,
)

NOW = time.mktime((2026, 11, 30, 12, 0, 0, 0, 0, -1))


def log(first: str, last: str) -> list[str]:
    return [
        "",
        f"{first} mx postfix/qmgr[7]: AAAAA: from=<s@else.example>, size=1000, nrcpt=2 (queue active)",
        f"{first} mx postfix/relay/smtp[8]: AAAAA: to=<a@X.example>, relay=none, delay=1, status=deferred (no)",
        f"{first} mx postfix/relay/smtp[8]: AAAAA: to=<b@x.example>, relay=m, delay=1, status=sent (250 ok)",
        f"{first} mx postfix/relay/smtp[8]: AAAAA: to=<a@x.example>, relay=m, delay=9, status=sent (250 ok)",
        f"{first} mx postfix/qmgr[7]: BBBBB: from=<>, size=500, nrcpt=1 (queue active)",
        f"{last} mx postfix/smtp[8]: BBBBB: to=<c@y.example>, relay=m, delay=1, status=sent (250 ok)",
        f"{last} mx postfix/smtp[8]: CCCCC: to=<c@y.example>, relay=m, delay=1, status=sent (250 ok)",
    ]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Nov 29 12:00:00", "Nov 30 00:00:00"),
        ("2026-11-29T12:00:00.123456+01:00", "2026-11-29T23:00:00Z"),
        ("Dec 31 18:00:00", "Jan  1 06:00:00"),
    ],
)
def test_each_message_counts_once_for_each_domain_and_a_day_is_made_of_it(first: str, last: str) -> None:
    found = measured_volume(log(first, last), ["x.example", "y.example"], NOW)
    assert (found.seconds, found.sizes, found.messages) == (
        43200,
        {"x.example": 1000, "y.example": 500},
        {"x.example": 1, "y.example": 1},
    )
    assert found.of(["x.example"]) == MailVolume(2000, 2)
    assert found.of(["x.example", "y.example"]) == MailVolume(3000, 4)
    assert found.of(["z.example"]) == MailVolume(0, 0)


def test_short_log_tells_nothing_of_a_day() -> None:
    assert measured_volume(log("Nov 29 12:00:00", "Nov 29 12:59:59"), ["x.example"], NOW).of(["x.example"]) == (
        MailVolume()
    )
    assert measured_volume([], ["x.example"], NOW).of(["x.example"]) == MailVolume()


@pytest.mark.parametrize(("text", "size"), [("500", 500), ("1k", 1024), ("1.5M", 1572864), (" 2 GiB ", 2147483648)])
def test_size_is_read(text: str, size: int) -> None:
    assert given_volume(text) == size


@pytest.mark.parametrize("text", ["much", "1x", "-1", "1 500"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        given_volume(text)
    assert caught.value.message == f'volume: "{text}" is not a size; use a value such as 500M or 2G'


def test_what_is_expected_is_told() -> None:
    known = {"size": 1 << 20, "messages": 7, "days": 2.5}
    assert volume_lines(known) == ["expected in a day: 1.0 MiB in 7 messages, as the last 2.5 days of the log tell"]
    assert volume_lines({"size": 1024, "messages": None, "days": None}) == ["expected in a day: 1.0 KiB, as given"]
    (line,) = volume_lines({"size": None, "messages": None, "days": 0.0})
    assert line.startswith("expected in a day: not known")
