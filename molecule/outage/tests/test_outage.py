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

from lab import faults, hosts, load, outages

LONG = bool(os.environ.get("MXRELAY_LAB_LONG"))
MX = ("mx1", "mx35")
BOTH = MX if LONG else MX[:1]
ADDRESSES = ("amy@outage.example", "ben@outage.example", "cleo@other.example")
DOMAINS = 2
MANY = 1000
FEW = 100 if LONG else 15
LARGE = 20 if LONG else 5
FILLING = 200
SECONDS_TO_NOTICE = 60
SECONDS_TO_FILL = 120
# Postfix waits minutes for an answer, and as long for the greeting of a host whose network went right after it had
# answered, which nobody who runs these tests wants to do.
STAGES = ("helo", "mail", "rcpt", "data_init", "data_xfer", "rset", "quit")
IMPATIENT = {
    "smtp_connect_timeout": "3s",
    "smtp_data_done_timeout": "10s",
    **{f"smtp_{stage}_timeout": "5s" for stage in STAGES},
}


@pytest.fixture(autouse=True)
def nothing_waits() -> Iterator[None]:
    """Each test begins and ends with empty queues."""
    yield
    for host in MX:
        hosts.on(host, "postsuper", "-d", "ALL")


def tell(host: str, told: load.Account) -> None:
    """Show the figures to whoever runs the tests with -rP."""
    print(host, told.figures, f"in doubt {len(told.in_doubt)}, given twice {len(told.given_twice)}")


def each_arrived_once(host: str, told: load.Account) -> None:
    tell(host, told)
    assert told.figures == {"sent": FEW, "accepted": FEW, "delivered": FEW}


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
    each_arrived_once(host, told)


@pytest.mark.parametrize("host", BOTH)
def test_mail_waits_while_the_disk_of_the_mail_host_is_full(host: str) -> None:
    with outages.small_queue():
        with outages.full_disk():
            sending = load.Load(host, FEW, ADDRESSES).finish()
            assert waits_because(host, "452 4.3.1 Insufficient system storage"), reasons(host)
            assert load.account(sending, host).lost == set()
        load.drained(sending, host)
    told = load.account(sending, host)
    each_arrived_once(host, told)


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
    each_arrived_once(host, told)


@pytest.mark.parametrize("host", BOTH)
@pytest.mark.long
def test_mail_arrives_although_the_mail_host_limits_connections(host: str) -> None:
    with outages.rate_limited(connections=3, seconds=1):
        sending = load.Load(host, FEW, ADDRESSES).finish()
        assert waits_because(host, "421 4.7.0 mail.lab.example Error: too many connections"), reasons(host)
        told = load.drained(sending, host)
    each_arrived_once(host, told)


@pytest.mark.parametrize("host", BOTH)
def test_mail_arrives_although_the_mail_host_comes_back_slowly(host: str) -> None:
    with outages.closed():
        sending = load.Load(host, FEW, ADDRESSES).finish()
        assert waits_because(host, "Connection refused"), reasons(host)
    with outages.slow(connections=2, seconds=1):
        told = load.drained(sending, host)
    each_arrived_once(host, told)


@pytest.mark.parametrize("host", BOTH)
@pytest.mark.long
def test_mail_whose_end_was_not_confirmed_arrives_twice_at_most(host: str) -> None:
    with outages.parameters(host, IMPATIENT):
        with outages.closed():
            sending = load.Load(host, FEW, ADDRESSES, size=50_000).finish()
            assert waits_because(host, "Connection refused"), reasons(host)
        with outages.slow_to_confirm(seconds=8):
            hosts.on(host, "postqueue", "-f")
            assert hosts.wait_for(outages.receiving, SECONDS_TO_NOTICE)
            with outages.unplugged():
                assert waits_because(host, load.NO_ANSWER), reasons(host)
        told = load.drained(sending, host)
    tell(host, told)
    assert (told.delivered, told.lost, told.given_twice) == (told.sent, set(), set())
    # The mail host had taken them, and could not say so: SMTP has no way to tell.
    assert told.relayed_twice
    assert told.relayed_twice <= load.unanswered(host)


@pytest.mark.parametrize("host", BOTH)
def test_mail_that_was_cut_off_arrives_once(host: str) -> None:
    with outages.parameters(host, IMPATIENT):
        with outages.closed():
            sending = load.Load(host, LARGE, ADDRESSES, size=1_000_000).finish()
            assert waits_because(host, "Connection refused"), reasons(host)
        with outages.throttled(host, "2mbit"):
            hosts.on(host, "postqueue", "-f")
            assert hosts.wait_for(outages.receiving, SECONDS_TO_NOTICE)
            with outages.unplugged():
                assert waits_because(host, "while sending message body"), reasons(host)
        told = load.drained(sending, host)
    tell(host, told)
    assert told.figures == {"sent": LARGE, "accepted": LARGE, "delivered": LARGE}


# The size of the MX host's disk, its parameters, and what senders hear at the end.
DISKS = {
    "refused in time": ("24m", {"queue_minfree": "0"}, "452 4.3.1 Insufficient system storage"),
    # Postfix refuses mail once less than one and a half times its limit is free, so it has none.
    "full to the last byte": (
        "6m",
        {"queue_minfree": "0", "message_size_limit": "0", "mailbox_size_limit": "0"},
        "4.3.0 Error: queue file write error",
    ),
}
FILLED = tuple(DISKS) if LONG else tuple(DISKS)[:1]


@pytest.mark.parametrize(("disk", "host"), [(disk, host) for disk in FILLED for host in BOTH])
def test_full_disk_of_the_mx_loses_nothing_that_it_accepted(host: str, disk: str) -> None:
    size, settings, answer = DISKS[disk]
    with outages.small_disk(host, size), outages.parameters(host, settings):
        with outages.closed():
            sending = load.Load(host, FILLING, ADDRESSES, senders=20, size=90_000)
            assert hosts.wait_for(lambda: sending.heard(answer), SECONDS_TO_FILL), sending.answers
            assert load.account(sending, host).lost == set()
        hosts.on(host, "postqueue", "-f")
        told = load.drained(sending.finish(), host)
    tell(host, told)
    assert told.figures == {"sent": FILLING, "accepted": FILLING, "delivered": FILLING}


@pytest.mark.parametrize("host", BOTH)
@pytest.mark.long
def test_mx_that_is_rebooted_while_it_delivers_loses_nothing(host: str) -> None:
    with outages.closed():
        sending = load.Load(host, MANY, ADDRESSES).finish()
    hosts.on(host, "postqueue", "-f")
    assert hosts.wait_for(lambda: len(load.account(sending, host).delivered) >= MANY // 10, load.SECONDS_TO_DRAIN)
    outages.rebooted(host)
    told = load.drained(sending, host)
    tell(host, told)
    assert (told.delivered, told.lost, told.given_twice) == (told.sent, set(), set())
    # What was under way when the MX went down may have arrived although it could not note that any more.
    assert len(told.relayed_twice) <= DOMAINS * int(faults.parameter(host, "default_destination_concurrency_limit"))
