# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_estimate import (
    Estimate,
    Estimates,
    estimate,
    routes_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.estimate import Drain, Measured, Route
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import Message
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

MAIN_CF = """\
relay_domains = x.example, y.example, z.example
transport_maps = inline:{x.example=relay:[mail.example],y.example=relay:[mail.example],slow.example=slow:}
maximal_queue_lifetime = 1h
minimal_backoff_time = 60s
queue_run_delay = 60s
slow_destination_rate_delay = 2s
"""
NOW = 10000.0


def mail(queue_id: str, *domains: str, arrival: int = 9990, queue: str = "deferred") -> Message:
    return Message(queue_id, queue, arrival, 100, tuple((f"a@{domain}", "") for domain in domains), "me@y.test")


@pytest.fixture(name="host")
def _host(tmp_path: pathlib.Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path), MAIN_CF + f"queue_directory = {tmp_path}/queue\n")


def test_nothing_is_asked_if_nothing_waits(host: FakeMxHost) -> None:
    assert estimate(host.postfix(), [mail("A1", "x.example", queue="hold")], [], NOW) == Estimates()
    assert host.commands == []


def test_first_bounce_is_told_of_each_domain_and_of_all(host: FakeMxHost) -> None:
    found = estimate(host.postfix(), [mail("A1", "x.example", arrival=7000), mail("A2", "z.example")], [], NOW)
    # Tried when as old again, by a queue run: 7090, 7210, 7450, 7930, 8890, 10810; 10080 ... 11880, 13800.
    assert {name: one.first_bounce for name, one in found.domains.items()} == {"x.example": 10810, "z.example": 13800}
    assert found.total.first_bounce == 10810


@pytest.mark.parametrize("folder", ["deferred", "deferred/A", "deferred/A/1"])
def test_next_try_is_read_of_the_queue_file(host: FakeMxHost, tmp_path: pathlib.Path, folder: str) -> None:
    file = tmp_path / "queue" / folder / "A1"
    file.parent.mkdir(parents=True)
    file.touch()
    os.utime(file, (10650, 10650))
    found = estimate(host.postfix(), [mail("A1", "x.example", arrival=7000)], [], NOW)
    assert (found.total.first_bounce, found.total.drain.unaided) == (10685, 686)


def test_domains_of_one_destination_share_its_concurrency(host: FakeMxHost) -> None:
    messages = [mail(f"A{number}", "x.example", queue="active") for number in range(35)]
    messages += [mail(f"B{number}", "y.example", queue="active") for number in range(20)]
    messages += [mail("C", "z.example", queue="active")]
    found = estimate(host.postfix(), messages, [], NOW)
    assert {name: one.drain.seconds for name, one in found.domains.items()} == {
        "x.example": 3,
        "y.example": 3,
        "z.example": 1,
    }
    assert (found.total.drain.deliveries, found.total.drain.seconds) == (56, 4)
    assert found.of("x.example").drain.route == Route("relay", "[mail.example]")


def test_only_the_named_domains_count(host: FakeMxHost) -> None:
    found = estimate(host.postfix(), [mail("A1", "x.example", "y.example")], ["y.example", "idle.example"], NOW)
    assert (list(found.domains), found.total.drain.deliveries) == (["y.example"], 1)
    assert found.of("idle.example") == Estimate()


@pytest.mark.parametrize(
    ("settings", "transport", "destination"),
    [
        pytest.param("relay_domains = d.example\n", "relay", "d.example", id="relayed"),
        pytest.param("relay_domains = d.example\nrelay_transport = o:[a]:26\n", "o", "[a]:26", id="transport of class"),
        pytest.param("relay_domains = d.example\nrelayhost = [B.example]\n", "relay", "[b.example]", id="relayhost"),
        pytest.param("transport_maps = static:{smtp:}\nrelayhost = b\n", "smtp", "d.example", id="transport"),
        pytest.param("relay_domains = d.example\ntransport_maps = static:{:[c]}\n", "relay", "[c]", id="nexthop"),
        pytest.param("mydestination = d.example\nlocal_transport = local:[h]\n", "local", "[h]", id="own"),
        pytest.param(
            "virtual_mailbox_domains = d.example\nvirtual_transport = lmtp:[v]\n", "lmtp", "[v]", id="virtual"
        ),
        pytest.param("default_transport = smtp\n", "smtp", "d.example", id="any other"),
        pytest.param("", "smtp", "d.example", id="nobody says"),
    ],
)
def test_route_of_domain(tmp_path: pathlib.Path, settings: str, transport: str, destination: str) -> None:
    host = FakeMxHost(str(tmp_path), settings).postfix()
    found = routes_of(host, ["d.example"], host.parameters(options=("-x",)))["d.example"]
    assert (found.transport, found.destination) == (transport, destination)


@pytest.mark.parametrize(
    ("limit", "general", "concurrency"), [("3", "100", 3), ("-", "7", 7), ("0", "7", 20), ("-", "", 20)]
)
def test_processes_bound_the_concurrency(tmp_path: pathlib.Path, limit: str, general: str, concurrency: int) -> None:
    host = FakeMxHost(str(tmp_path), f"relay_domains = d.example\ndefault_process_limit = {general}\n")
    host.write("master.cf", f"relay unix - - y - {limit} smtp\n")
    values = host.postfix().parameters(options=("-x",))
    assert routes_of(host.postfix(), ["d.example"], values)["d.example"].concurrency == concurrency


def test_log_tells_what_deliveries_take(host: FakeMxHost, tmp_path: pathlib.Path) -> None:
    log = tmp_path / "maillog"
    log.write_text(
        "".join(
            f"Jan  1 00:00:0{number} mx postfix/relay/smtp[9]: 4fQv{number}: to=<a@x.example>, relay=x, delay=3, "
            "delays=0/0/1/2, dsn=2.0.0, status=sent (250 ok)\n"
            for number in range(9)
        )
    )
    host.write("main.cf", MAIN_CF + f"maillog_file = {log}\n")
    waiting = [mail("A1", "x.example"), mail("A2", "z.example")]
    found = estimate(host.postfix(), waiting, [], NOW, 1 << 20)
    assert found.of("x.example").rate == Measured(9, 3)
    assert (found.total.drain.per_delivery, found.total.drain.based_on) == (3, "measured")
    assert estimate(host.postfix(), waiting, [], NOW).total.rate is None


def test_result_is_in_whole_seconds_and_never_negative() -> None:
    drain = Drain(1, 1, 1, "settings", 1)
    assert Estimate(100.9, drain).as_result(40.5) == {
        "first_bounce": 100,
        "to_first_bounce": 60,
        "drain": drain.as_result(),
        "rate": None,
    }
    assert Estimate(100.9).as_result(200)["to_first_bounce"] == 0
    assert Estimate().as_result(200)["to_first_bounce"] is None
