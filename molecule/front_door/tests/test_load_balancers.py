# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that come through a load balancer: who they are is known, and nobody gets in by saying that he is another.

The mail host is the balancer of each MX host, at a port for each version of the PROXY protocol; the tester is a client.
"""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from lab import hosts, playbooks, remote

RELEASES = ("mx35", "mx310", "mx311")
NET = os.environ["MXRELAY_LAB_NET"]
TESTER, BALANCER = f"{NET}.99", f"{NET}.10"
PORT = 2525
OURS = f"{PORT}/inet"
SCRIPT = pathlib.Path(hosts.__file__).with_name("balancer.py")
VERSIONS = ("1", "2")
# Where the balancer listens.
PLACES = {
    (host, version): 2600 + 10 * number + int(version) for number, host in enumerate(RELEASES) for version in VERSIONS
}
FORGED = "PROXY TCP4 127.0.0.1 127.0.0.1 40000 25"
LISTENER = "import socket, time; s = socket.create_server(('', {})); time.sleep(600)"

on_each = pytest.mark.parametrize("host", RELEASES)


def converge(balancers: Mapping[str, Any], **options: Any) -> playbooks.Run:
    variables = {"primary_mx_load_balancers": balancers, **options.pop("variables", {})}
    return playbooks.play("front_door", playbooks.PRIMARY, variables=variables, **options)


def started(host: str, name: str, command: str) -> None:
    """A program that runs on the host until `stopped`."""
    hosts.on(host, "sh", "-ec", f"{command} >/srv/{name}.log 2>&1 </dev/null & echo $! >/srv/{name}.pid")


def stopped(host: str, name: str) -> None:
    hosts.on(host, "sh", "-c", f"kill $(cat /srv/{name}.pid); rm -f /srv/{name}.*")


def files(host: str) -> str:
    return hosts.on(host, "sh", "-c", "cat /etc/postfix/main.cf /etc/postfix/master.cf")


@pytest.fixture(scope="module", autouse=True)
def before() -> Iterator[dict[str, str]]:
    """The balancer and its services; what main.cf and master.cf were before."""
    found = {host: files(host) for host in RELEASES}
    hosts.on("mail", "sh", "-c", "cat > /srv/balancer.py", given=SCRIPT.read_text())
    hosts.on("tester", "sh", "-c", "cat > /tmp/balancer.py", given=SCRIPT.read_text())
    places = [f"{version}:{port}:{host}.lab.example:{PORT}" for (host, version), port in PLACES.items()]
    started("mail", "balancing", f"python3 /srv/balancer.py serve {' '.join(places)}")
    run = converge({"addresses": [BALANCER], "port": PORT})
    assert run.code == 0, run.said
    yield found
    stopped("mail", "balancing")


def heard(host: str, introduction: str = "") -> list[int]:
    """What a stranger hears at the balancers' port: the codes."""
    words = ["python3", "/tmp/balancer.py", "say", f"{host}.lab.example", str(PORT), introduction]
    return [int(line[:3]) for line in json.loads(hosts.on("tester", *words))]


def found(host: str) -> list[tuple[str, str]]:
    """What is wrong with the host, by its own view."""
    inside = remote.Remote(host)
    try:
        return [(finding["check"], finding["subject"]) for finding in inside.inform()["findings"]]
    finally:
        inside.close()


@pytest.mark.parametrize("version", VERSIONS)
@on_each
def test_client_is_seen_as_himself_and_refused_as_elsewhere(host: str, version: str) -> None:
    unique, message = hosts.new_message()
    told = hosts.talk(
        ["liz@front.example", f"nobody-{unique}@front.example", "r@elsewhere.test"],
        server="mail.lab.example",
        port=PLACES[host, version],
        message=message,
    )
    assert [code for code, _text in told.rcpt] == [250, 550, 554]
    assert hosts.arrived(unique, "liz@front.example") == 1
    log = hosts.on(host, "sh", "-c", f"journalctl --no-pager | grep 'nobody-{unique}'")
    assert f"[{TESTER}]: 550 5.1.1" in log and BALANCER not in log


@on_each
def test_nothing_is_granted_by_a_claimed_address(host: str) -> None:
    assert heard(host, FORGED) == [220, 250, 250, 554]
    assert "open_relay" not in [check for check, _subject in found(host)]


@on_each
def test_without_a_header_the_service_says_that_it_is_there(host: str) -> None:
    assert heard(host) == [421]
    assert "load_balancers" not in [check for check, _subject in found(host)]


@on_each
def test_what_would_be_granted_by_a_claimed_address_is_an_opening(host: str) -> None:
    lists = f"{OURS}/smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination"
    saved = hosts.on(host, "cat", "/etc/postfix/master.cf")
    hosts.on(host, "postconf", "-P", f"{OURS}/mynetworks=127.0.0.0/8", lists)
    hosts.on(host, "postfix", "reload")
    try:
        assert hosts.wait_for(lambda: heard(host, FORGED) == [220, 250, 250, 250], 10)
        assert ("open_relay", f"{OURS} smtpd_relay_restrictions permit_mynetworks") in found(host)
    finally:
        hosts.on(host, "sh", "-c", "cat > /etc/postfix/master.cf", given=saved)
        hosts.on(host, "postfix", "reload")


def test_probe_from_outside_tells_who_is_believed() -> None:
    outside = remote.Remote("tester")
    try:
        told = outside.stranger(
            probe_server="mx310.lab.example", domains=["front.example"], probe_ports=[{"port": PORT}]
        )
    finally:
        outside.close()
    (finding,) = [finding for finding in told["findings"] if finding["check"] == "probe_load_balancers"]
    assert (finding["subject"], finding["severity"]) == (f"port {PORT}", "warning")
    assert TESTER in finding["message"]
    assert "probe_open_relay" not in [finding["check"] for finding in told["findings"]]


@contextmanager
def taken(host: str, port: int) -> Iterator[None]:
    started(host, "taking", f'python3 -c "{LISTENER.format(port)}"')
    socket = hosts.testinfra_host(host).socket(f"tcp://0.0.0.0:{port}")
    assert hosts.wait_for(lambda: socket.is_listening, 10)
    try:
        yield
    finally:
        stopped(host, "taking")


@pytest.mark.parametrize("check", [True, False])
def test_port_that_is_taken_is_refused_and_postfix_lives(check: bool) -> None:
    was = {host: files(host) for host in RELEASES}
    with ExitStack() as stack:
        for host in RELEASES:
            stack.enter_context(taken(host, PORT + 1))
        run = converge({"addresses": [BALANCER], "port": PORT + 1}, check=check)
    cause = f"{PORT + 1}/inet of master.cf can't listen at 0.0.0.0:{PORT + 1}: python3 (process "
    assert (sum(run.failed.values()), run.said.count(cause)) == (len(RELEASES), len(RELEASES)), run.said
    assert {host: files(host) for host in RELEASES} == was
    for host in RELEASES:
        hosts.on(host, "postfix", "status")


@pytest.mark.parametrize("host", [pytest.param("mx35", marks=pytest.mark.long), "mx310"])
def test_run_whose_reload_ends_postfix_fails_and_is_taken_back(host: str) -> None:
    """Somebody takes the port between the plan and the reload."""
    port, was = PORT + 2, files(host)
    wait = f"while '{port} ' not in open('/etc/postfix/master.cf').read(): time.sleep(.01)"
    hosts.on(host, "sh", "-c", "cat > /srv/taking.py", given=f"import time\n{wait}\n{LISTENER.format(port)}\n")
    started(host, "taking", "python3 /srv/taking.py")
    try:
        run = converge(
            {"addresses": [BALANCER], "port": port},
            limit=f"{host}.lab.example",
            variables={"primary_mx_verify": False},
        )
    finally:
        stopped(host, "taking")
    assert run.code != 0
    assert "Postfix was running before this run, and is not any more" in run.said, run.said
    assert "Postfix was restarted." in run.said
    assert files(host) == was
    hosts.on(host, "postfix", "status")


def test_without_balancers_all_is_as_it_was(before: Mapping[str, str]) -> None:
    """The last of these tests: it takes the service back."""
    run = converge({"addresses": [], "port": PORT})
    assert run.code == 0, run.said
    assert {host: files(host) for host in RELEASES} == before
    again = converge({"addresses": [], "port": PORT})
    assert sum(again.changed.values()) == 0
