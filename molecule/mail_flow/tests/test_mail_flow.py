# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The primary MX goes down and comes back; no message is lost, none arrives twice, and nobody gets a false answer.

The tests are the steps of one outage, in order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lab import claims, hosts, playbooks

PRIMARY = "mx1"
SECONDARY = "mx2"
MAILBOXES = ("erin@flow.example", "frank@flow.example", "postmaster@flow.example")
UNKNOWN = "nobody@flow.example"
QUEUE = str(playbooks.MOLECULE / "mail_flow/queue.yml")


@pytest.fixture(scope="module")
def sent() -> Iterator[dict[str, str]]:
    """The mailbox of each message that a server took, by the message's id."""
    yield {}


def post(sent: dict[str, str], address: str) -> hosts.Conversation:
    """Send as a mail server on the Internet does, to the best MX that it reaches; remember what was taken."""
    unique, message = hosts.new_message()
    said = hosts.talk(address, message=message)
    assert said.data is not None and said.data[0] == 250, said
    sent[unique] = address
    return said


@pytest.mark.parametrize("address", MAILBOXES)
def test_primary_takes_and_delivers(sent: dict[str, str], address: str) -> None:
    assert post(sent, address).server == "mx1.lab.example"
    assert hosts.arrived(list(sent)[-1], address) == 1


@pytest.mark.parametrize("host", [PRIMARY, SECONDARY])
def test_both_refuse_unknown_recipients_and_strangers(host: str) -> None:
    claims.refuses_unknown(host, UNKNOWN)
    claims.refuses_relay(host)
    claims.relays_for_no_stranger(host, "flow.example")


def test_primary_goes_down() -> None:
    hosts.stop(PRIMARY)
    assert hosts.talk("erin@flow.example", server="mx1.lab.example").server is None


@pytest.mark.parametrize("address", MAILBOXES)
def test_secondary_takes_and_keeps(sent: dict[str, str], address: str) -> None:
    said = post(sent, address)
    assert said.server == "mx2.lab.example"
    assert [server for server, _error in said.tried] == ["mx1.lab.example", "mx2.lab.example"]
    unique = list(sent)[-1]
    claims.keeps_in_queue(SECONDARY, unique, address)
    assert hosts.copies(unique, address) == 0


def test_secondary_alone_refuses_unknown_recipients_and_strangers() -> None:
    claims.refuses_unknown(SECONDARY, UNKNOWN)
    claims.refuses_relay(SECONDARY)


def test_secondary_tells_what_waits_and_why() -> None:
    run = playbooks.play("mail_flow", QUEUE, tags=["look"])
    assert run.code == 0, run.said
    told = json.loads(run.messages[-1])
    assert (told["count"], told["recipients"], told["held"]) == (len(MAILBOXES), len(MAILBOXES), 0)
    assert told["size"] == sum(entry["message_size"] for entry in hosts.queued(SECONDARY))
    assert told["oldest"] == min(entry["arrival_time"] for entry in hosts.queued(SECONDARY))
    assert sum(reason["recipients"] for reason in told["reasons"]) == len(MAILBOXES)
    assert {reason["reason"].partition("mx1.lab.example[")[0] for reason in told["reasons"]} == {"connect to "}


def test_flush_delivers_at_once(sent: dict[str, str]) -> None:
    hosts.start(PRIMARY)
    run = playbooks.play("mail_flow", QUEUE, tags=["flush"])
    assert run.code == 0, run.said
    assert run.changed == {"mx2.lab.example": 1}
    assert {unique: hosts.arrived(unique, address) for unique, address in sent.items()} == dict.fromkeys(sent, 1)
    again = playbooks.play("mail_flow", QUEUE, tags=["flush"])
    assert again.changed == {"mx2.lab.example": 0}


def test_primary_comes_back_and_the_queue_empties(sent: dict[str, str]) -> None:
    late = [(unique, address) for unique, address in sent.items() if not hosts.flushed(SECONDARY, unique, address)]
    assert late == []
    assert hosts.wait_for(lambda: not hosts.queued(SECONDARY), claims.SECONDS_TO_QUEUE), hosts.queued(SECONDARY)
    assert hosts.wait_for(lambda: not hosts.queued(PRIMARY), claims.SECONDS_TO_QUEUE), hosts.queued(PRIMARY)


def test_every_message_arrived_once(sent: dict[str, str]) -> None:
    assert len(sent) == 2 * len(MAILBOXES)
    assert {unique: hosts.copies(unique, address) for unique, address in sent.items()} == dict.fromkeys(sent, 1)


def test_primary_takes_again_and_still_refuses_the_rest(sent: dict[str, str]) -> None:
    assert post(sent, "frank@flow.example").server == "mx1.lab.example"
    assert hosts.arrived(list(sent)[-1], "frank@flow.example") == 1
    claims.refuses_unknown(PRIMARY, UNKNOWN)
    claims.refuses_relay(PRIMARY)


@pytest.mark.parametrize("host", [PRIMARY, SECONDARY])
def test_postfix_runs_and_starts_with_the_host(host: str) -> None:
    service = hosts.testinfra_host(host).service("postfix")
    assert service.is_running
    assert service.is_enabled
