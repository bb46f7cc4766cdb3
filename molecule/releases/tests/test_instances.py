# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second instance of Postfix gets a role of its own, and the first does not notice. See postmulti(1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab import claims, faults, hosts, playbooks, second_instance
from lab.second_instance import DIRECTORY as SECOND
from lab.second_instance import PORT

RELEASES = ("mx35", "mx37", "mx310", "mx311")
NAMES = {host: claims.host_name(host) for host in RELEASES}
INSTANCE = str(playbooks.MOLECULE / "releases/instance.yml")
SECONDS = 20
LISTED = {"name": "backup.example", "recipients": ["carol@backup.example"]}
MORE = {"name": "wild.example", "recipients": ["grace@wild.example"]}

on_each = pytest.mark.parametrize("host", RELEASES)


@pytest.fixture(scope="module")
def second() -> None:
    """Each host has a second instance."""
    for host in RELEASES:
        second_instance.create(host)


def converged(*domains: dict[str, Any]) -> dict[str, int]:
    run = playbooks.play("releases", INSTANCE, variables={"secondary_mx_domains": list(domains)})
    assert run.code == 0, run.said
    assert set(run.changed) == set(NAMES.values())
    return dict(run.changed)


def queue_managers(host: str) -> dict[str, str]:
    """The process of each running instance's queue manager, which a reload replaces, by its queue directory."""
    found = {}
    for queue in ("/var/spool/postfix", "/var/spool/postfix-second"):
        named = hosts.on(host, "sh", "-c", f"cat {queue}/pid/master.pid 2>/dev/null || true").strip()
        # The file outlives the master that it names.
        if named and hosts.on(host, "sh", "-c", f"ps -o comm= -p {named} || true").strip() == "master":
            # The master of an instance that was reloaded just now starts it in a moment.
            look = f"pgrep -x -P {named} qmgr || true"
            found[queue] = hosts.wait_for(lambda look=look: hosts.on(host, "sh", "-c", look).strip(), SECONDS)
    return found


def answers(host: str, *addresses: str) -> list[str]:
    said = hosts.talk(addresses, server=NAMES[host], port=PORT)
    return [f"{code} {text.split()[0]}" for code, text in said.rcpt]


@pytest.mark.usefixtures("second")
def test_second_instance_gets_the_role_and_the_first_is_left_alone() -> None:
    before = {host: (faults.state_of(host), queue_managers(host)) for host in RELEASES}
    assert [name for name, number in converged(LISTED).items() if not number] == []
    for host in RELEASES:
        state, managers = before[host]
        assert faults.state_of(host) == state
        assert len(managers) == 1
        now = queue_managers(host)
        assert len(now) == 2
        assert managers.items() <= now.items()
        assert answers(host, "carol@backup.example", "nobody@backup.example", hosts.STRANGER) == [
            "250 2.1.5",
            "550 5.1.1",
            "554 5.7.1",
        ]
        # The first has never heard of it.
        claims.refuses_relay(host, "carol@backup.example")
        claims.accepts(host, "nora@behind.example")
        kind = hosts.on(host, "postconf", "-c", SECOND, "-h", "relay_recipient_maps").strip().partition(":")[0]
        assert kind == hosts.on(host, "postconf", "-c", SECOND, "-h", "default_database_type").strip()


@pytest.mark.usefixtures("second")
def test_second_run_changes_nothing_in_either() -> None:
    assert converged(LISTED) == dict.fromkeys(NAMES.values(), 0)


@pytest.mark.usefixtures("second")
def test_change_reloads_that_instance_alone() -> None:
    before = {host: (faults.state_of(host), queue_managers(host)) for host in RELEASES}
    assert [name for name, number in converged(LISTED, MORE).items() if not number] == []
    for host in RELEASES:
        state, managers = before[host]
        assert faults.state_of(host) == state
        now = queue_managers(host)
        replaced = {queue for queue in managers if now[queue] != managers[queue]}
        assert replaced == {"/var/spool/postfix-second"}
        assert answers(host, "grace@wild.example", "nobody@wild.example") == ["250 2.1.5", "550 5.1.1"]


@on_each
@pytest.mark.usefixtures("second")
def test_mail_through_the_second_instance_arrives(host: str) -> None:
    unique, message = hosts.new_message()
    said = hosts.talk("carol@backup.example", server=NAMES[host], port=PORT, message=message)
    assert said.data is not None and said.data[0] == 250, said
    assert hosts.arrived(unique, "carol@backup.example") == 1


TEMPLATE = "/lib/systemd/system/postfix@.service"


@pytest.fixture
def without_unit() -> Iterator[str]:
    """A host whose second instance systemd knows nothing of, as elsewhere than on Debian."""
    # Debian's 3.10 refuses to be started by hand where systemd runs the host.
    host, unit = "mx37", "postfix@postfix-second"
    hosts.on(host, "systemctl", "stop", unit)
    hosts.on(host, "sh", "-c", f"mv {TEMPLATE} /root/ && systemctl daemon-reload")
    yield host
    hosts.on(host, "sh", "-c", f"! postfix -c {SECOND} status || postfix -c {SECOND} stop")
    hosts.on(host, "sh", "-c", f"mv /root/{TEMPLATE.rpartition('/')[2]} {TEMPLATE} && systemctl daemon-reload")
    hosts.on(host, "systemctl", "start", unit)


@pytest.mark.usefixtures("second")
def test_instance_without_a_unit_is_started_and_reloaded_by_its_own_command(without_unit: str) -> None:
    host = without_unit
    first = queue_managers(host)
    assert list(first) == ["/var/spool/postfix"]

    def run(*domains: dict[str, Any]) -> int:
        done = playbooks.play(
            "releases", INSTANCE, limit=NAMES[host], variables={"secondary_mx_domains": list(domains)}
        )
        assert done.code == 0, done.said
        return done.changed[NAMES[host]]

    assert run(LISTED, MORE) > 0
    started = queue_managers(host)
    assert len(started) == 2
    assert run(LISTED, MORE) == 0
    assert queue_managers(host) == started
    assert run(LISTED, MORE, {"name": "late.example", "recipients": ["eve@late.example"]}) > 0
    reloaded = queue_managers(host)
    assert {queue for queue in started if reloaded[queue] != started[queue]} == {"/var/spool/postfix-second"}
    assert answers(host, "eve@late.example", "nobody@late.example") == ["250 2.1.5", "550 5.1.1"]


@pytest.mark.usefixtures("second")
def test_both_instances_come_back_with_the_host() -> None:
    for host in RELEASES:
        hosts.stop(host)
    for host in RELEASES:
        hosts.start(host)

    def greets(host: str) -> bool:
        return hosts.talk("carol@backup.example", server=NAMES[host], port=PORT).mail is not None

    def comes_to_greet(host: str) -> bool:
        return hosts.wait_for(lambda: greets(host), hosts.SECONDS_TO_ARRIVE)

    for host in RELEASES:
        assert comes_to_greet(host)
        assert answers(host, "carol@backup.example", hosts.STRANGER) == ["250 2.1.5", "554 5.7.1"]
        claims.accepts(host, "nora@behind.example")
