# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail host goes away and comes back under load: each message that an MX accepted is accounted for.

The MX hosts take part in turn in the short form, and each in all with MXRELAY_LAB_LONG.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from lab import hosts, load, outages

LONG = bool(os.environ.get("MXRELAY_LAB_LONG"))
MX = ("mx1", "mx35")
BOTH = MX if LONG else MX[:1]
ADDRESSES = ("amy@outage.example", "ben@outage.example", "cleo@other.example")
MANY = 1000
FEW = 100 if LONG else 15
SECONDS_TO_NOTICE = 60


@pytest.fixture(autouse=True)
def nothing_waits() -> Iterator[None]:
    """Each test begins and ends with empty queues."""
    yield
    for host in MX:
        hosts.on(host, "postsuper", "-d", "ALL")


def tell(host: str, told: load.Account) -> None:
    """Show the figures to whoever runs the tests with -rP."""
    print(host, told.figures, f"in doubt {len(told.in_doubt)}, given twice {len(told.given_twice)}")


def reasons(host: str) -> str:
    """Return why what waits on the host does so, a line for each recipient."""
    return "\n".join(
        recipient.get("delay_reason", "") for entry in hosts.queued(host) for recipient in entry["recipients"]
    )


def waits_because(host: str, words: str) -> bool:
    return hosts.wait_for(lambda: words in reasons(host), SECONDS_TO_NOTICE)


@pytest.mark.parametrize("host", BOTH)
def test_no_message_is_lost_if_the_mail_host_is_down_and_the_mx_is_rebooted(host: str) -> None:
    with outages.down():
        sending = load.Load(host, MANY, ADDRESSES)
        sending.await_accepted(MANY // 4)
        outages.rebooted(host)
        sending.finish()
        assert load.in_queues(sending.recipients, [host]) == (sending.having("accepted"), set())
    told = load.drained(sending, host)
    tell(host, told)
    assert (told.delivered, told.lost) == (told.sent, set())
    # A sender who got no answer when the MX went down sends again.
    assert told.relayed_twice == set()
    assert told.given_twice <= told.in_doubt


KINDS: dict[str, tuple[Callable[[], AbstractContextManager[None]], str]] = {
    "closed": (outages.closed, "Connection refused"),
    "puts off": (lambda: outages.answering("outage.example", "451 4.3.0 later"), "451 4.3.0"),
}


@pytest.mark.parametrize(("kind", "host"), [(kind, host) for kind in KINDS for host in BOTH])
def test_mail_waits_until_the_mail_host_takes_it(kind: str, host: str) -> None:
    outage, reason = KINDS[kind]
    with outage():
        sending = load.Load(host, FEW, ADDRESSES).finish()
        assert waits_because(host, reason), reasons(host)
        assert load.account(sending, host).lost == set()
    told = load.drained(sending, host)
    tell(host, told)
    assert told.figures == {"sent": FEW, "accepted": FEW, "delivered": FEW}


@pytest.mark.parametrize("host", BOTH)
def test_mail_waits_while_the_disk_of_the_mail_host_is_full(host: str) -> None:
    with outages.small_queue():
        with outages.full_disk():
            sending = load.Load(host, FEW, ADDRESSES).finish()
            assert waits_because(host, "452 4.3.1 Insufficient system storage"), reasons(host)
            assert load.account(sending, host).lost == set()
        load.drained(sending, host)
    told = load.account(sending, host)
    tell(host, told)
    assert told.figures == {"sent": FEW, "accepted": FEW, "delivered": FEW}


def test_refused_mail_returns_to_its_sender_and_the_rest_arrives() -> None:
    with outages.answering("outage.example", "554 5.7.1 we have closed"):
        sending = load.Load("mx1", FEW, ADDRESSES).finish()
        told = load.drained(sending, "mx1")
    tell("mx1", told)
    refused = {name for name, address in sending.recipients.items() if address.endswith("@outage.example")}
    assert (told.bounced, told.delivered, told.lost) == (refused, told.sent - refused, set())
    assert told.duplicated == set()


@pytest.mark.parametrize("host", BOTH)
def test_greylisted_mail_arrives_at_a_later_try(host: str) -> None:
    with outages.greylisting(seconds=3):
        sending = load.Load(host, FEW, ADDRESSES).finish()
        assert waits_because(host, "Greylisted"), reasons(host)
        told = load.drained(sending, host)
    tell(host, told)
    assert told.figures == {"sent": FEW, "accepted": FEW, "delivered": FEW}


@pytest.mark.parametrize("host", BOTH)
def test_mail_arrives_although_the_mail_host_limits_connections(host: str) -> None:
    with outages.rate_limited(connections=2, seconds=2):
        sending = load.Load(host, FEW, ADDRESSES).finish()
        assert waits_because(host, "421 4.7.0 mail.lab.example Error: too many connections"), reasons(host)
        told = load.drained(sending, host)
    tell(host, told)
    assert told.figures == {"sent": FEW, "accepted": FEW, "delivered": FEW}


@pytest.mark.parametrize("host", BOTH)
def test_mail_arrives_although_the_mail_host_comes_back_slowly(host: str) -> None:
    with outages.closed():
        sending = load.Load(host, FEW, ADDRESSES).finish()
        assert waits_because(host, "Connection refused"), reasons(host)
    with outages.slow(connections=2, seconds=1):
        told = load.drained(sending, host)
    tell(host, told)
    assert told.figures == {"sent": FEW, "accepted": FEW, "delivered": FEW}
