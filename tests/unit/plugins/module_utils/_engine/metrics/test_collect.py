# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics import collect
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics.collect import MetricsRequest, collected
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import (
    FakeMxHost,
    FakeNetwork,
    FakeProber,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import queue_entry
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.own_clock import set_clock

NOW = 1795360000.0


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMxHost:
    host = FakeMxHost(
        str(tmp_path),
        "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n"
        "relay_domains = x.example, ldap:/nowhere\n"
        f"relay_recipient_maps = hash:{tmp_path}/relay_recipients\n"
        f"transport_maps = hash:{tmp_path}/transport, proxy:ldap:/nowhere\n",
    )
    host.table("relay_recipients", "a@x.example x\npostmaster@x.example x\n")
    host.table("transport", "x.example relay:[mail.example]\n")
    host.queue = queue_entry("A1", "deferred", "a@x.example", "b@sub.x.example") + queue_entry(
        "A2", "deferred", "c@stranger.example"
    )
    set_clock(monkeypatch, collect, time=lambda: NOW)
    return host


def test_queue_and_host_are_looked_at_and_nobody_else(host: FakeMxHost) -> None:
    network = FakeNetwork()
    found = collected(MetricsRequest(str(host.config_directory)), host.postfix(), network, FakeProber(), 5.0)
    assert (found.problems, found.now, found.verified) == ({}, NOW, NOW)
    assert found.mx is not None and found.queue is not None
    assert list(found.mx["domains"]) == ["x.example"]
    assert {name: counts["recipients"] for name, counts in found.queue["domains"].items()} == {
        "stranger.example": 1,
        "x.example": 2,
    }
    assert network.asked == []
    assert not [command for command in host.commands if any("ldap" in word for word in command)]
    assert (found.mx["dns"], found.mx["notes"]) == (False, [])


def test_dns_and_servers_are_asked_if_wanted(host: FakeMxHost) -> None:
    network = FakeNetwork()
    found = collected(MetricsRequest(str(host.config_directory), dns=True), host.postfix(), network, FakeProber())
    assert found.mx is not None and found.mx["dns"] is True
    assert "x.example" in network.asked
    assert [command for command in host.commands if command[-1] == "ldap:/nowhere"]


def test_queue_that_cannot_be_read_is_a_problem_of_its_own(host: FakeMxHost) -> None:
    host.queue = "postqueue: fatal: bob@x.example"
    found = collected(MetricsRequest(str(host.config_directory)), host.postfix(), FakeNetwork(), FakeProber())
    assert list(found.problems) == ["queue"]
    assert found.problems["queue"].startswith("postqueue -j did not print valid JSON")
    assert (found.queue, found.verified) == (None, NOW)


def test_host_that_cannot_be_verified_keeps_the_time_when_it_was(host: FakeMxHost) -> None:
    host.installed = False
    found = collected(MetricsRequest(str(host.config_directory)), host.postfix(), FakeNetwork(), FakeProber(), 5.0)
    assert (list(found.problems), found.mx, found.queue, found.verified) == (["verify", "queue"], None, None, 5.0)
