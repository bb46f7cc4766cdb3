# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail of one domain is put on hold during an outage, and released afterwards."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest

from lab import hosts, outages, playbooks
from lab.load import Load, drained, in_queues


def play(host: str, playbook: str, **given: Any) -> playbooks.Run:
    variables = {f"{playbook}_{name}": value for name, value in {"domains": "outage.example", **given}.items()}
    return playbooks.play("outage", f"mxrelay.postfix.{playbook}", variables=variables, limit=f"{host}.lab.example")


def queues(host: str) -> Counter[str]:
    """Return how many messages each queue of the host has, by the domain of the first recipient.

    A message that is just being delivered may have none left.
    """
    entries = [entry for entry in hosts.queued(host) if entry["recipients"]]
    return Counter(f"{entry['queue_name']} {entry['recipients'][0]['address'].rpartition('@')[2]}" for entry in entries)


def only_held_left(host: str) -> Counter[str]:
    """Make Postfix retry the queue; return what it has."""
    hosts.on(host, "postqueue", "-f")
    return queues(host)


@pytest.mark.parametrize("host", ("mx1", "mx35") if os.environ.get("MXRELAY_LAB_LONG") else ("mx35",))
def test_mail_of_a_domain_waits_on_hold_until_it_is_released(host: str) -> None:
    with outages.closed():
        load = Load(host, 20, ["amy@outage.example", "cleo@other.example"]).finish()
        assert (play(host, "queue_hold").code, queues(host)["hold outage.example"]) == (0, 10)
    assert hosts.wait_for(lambda: only_held_left(host) == Counter({"hold outage.example": 10}), 120)
    # What arrives later is not put on hold.
    later = Load(host, 1, ["ben@outage.example"]).finish()
    assert hosts.wait_for(lambda: not in_queues(later.recipients, [host])[0], 120)
    run = play(host, "queue_release", kind="held")
    assert "outage.example: 10 messages on hold" in run.said
    assert (run.code, queues(host)["hold outage.example"]) == (0, 10)
    run = play(host, "queue_release", kind="held", action="deliver")
    assert "outage.example: 10 messages released" in run.said
    assert "amy@" not in run.output
    found = run.artifacts["mx_queue_release"][f"{host}.lab.example"]
    assert (found["by_queue_hold"], found["by_others"], found["left"]) == (10, 0, 0)
    # Without a flush of the whole queue, long before the next queue run.
    assert hosts.wait_for(lambda: not in_queues(load.recipients, [host])[0], 120)
    found = drained(load, host)
    assert (len(found.delivered), found.duplicated, found.lost) == (20, set(), set())
    assert "mxrelay-held" not in hosts.on(host, "ls", "-A", "/etc/postfix")


@pytest.mark.long
@pytest.mark.parametrize("host", ["mx1", "mx35"])
def test_delivery_under_way_ends_before_its_message_is_on_hold(host: str) -> None:
    with outages.down():
        load = Load(host, 20, ["amy@outage.example"]).finish()
        run = play(host, "queue_hold")
        assert "outage.example: 20 messages put on hold" in run.said
        assert "during a delivery" not in run.output
    assert hosts.wait_for(lambda: only_held_left(host) == Counter({"hold outage.example": 20}), 120)
    assert play(host, "queue_release", kind="held", action="deliver").code == 0
    found = drained(load, host)
    assert (len(found.delivered), found.duplicated, found.lost) == (20, set(), set())


@pytest.mark.long
@pytest.mark.parametrize("host", ["mx1", "mx35"])
def test_message_for_several_domains_is_left_unless_asked_for(host: str) -> None:
    unique, text = hosts.new_message()
    addresses = ["amy@outage.example", "cleo@other.example"]
    with outages.closed():
        assert (hosts.talk(addresses, server=f"{host}.lab.example", message=text).data or (0, ""))[0] == 250
        run = play(host, "queue_hold")
        assert "1 message left, since they also go to other domains; set mixed for these" in run.said
        assert [entry["queue_name"] for entry in hosts.queued(host)] == ["deferred"]
        assert "outage.example: 1 message put on hold" in play(host, "queue_hold", mixed=True).said
    hosts.on(host, "postqueue", "-f")
    assert [entry["queue_name"] for entry in hosts.queued(host)] == ["hold"]
    assert [hosts.copies(unique, address) for address in addresses] == [0, 0]
    assert play(host, "queue_release", kind="held", action="deliver").code == 0
    assert [hosts.copies(unique, address) for address in addresses] == [0, 0]
    assert play(host, "queue_release", kind="held", action="deliver", mixed=True).code == 0
    assert [hosts.flushed(host, unique, address) for address in addresses] == [1, 1]
