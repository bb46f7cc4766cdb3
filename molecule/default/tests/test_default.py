# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself does what the other scenarios rely on."""

from __future__ import annotations

import os

import pytest

from lab import hosts, playbooks

NET = os.environ["MXRELAY_LAB_NET"]


def ask_dns(host: str, name: str, kind: str) -> list[str]:
    script = f"import dns.resolver\nfor r in sorted(dns.resolver.resolve({name!r}, {kind!r})): print(r)"
    return hosts.on(host, "python3", "-c", script).split("\n")[:-1]


@pytest.mark.parametrize("name", ["mx1", "mx2"])
def test_host_runs_systemd_without_failed_units(name: str) -> None:
    assert hosts.on(name, "systemctl", "is-system-running") == "running\n"


@pytest.mark.parametrize("name", ["mx1", "mx2"])
def test_host_has_no_postfix_before_a_role_ran(name: str) -> None:
    host = hosts.testinfra_host(name)
    assert host.package("python3").is_installed
    assert not host.package("postfix").is_installed
    assert not host.file("/etc/postfix").exists


@pytest.mark.parametrize("name, address", [("mx1", 21), ("mx2", 22), ("mail", 10)])
def test_hosts_find_each_other_by_their_own_dns(name: str, address: int) -> None:
    for asker in ("mx1", "mx2", "tester"):
        found = hosts.on(asker, "getent", "ahostsv4", f"{name}.lab.example").split()[0]
        assert found == f"{NET}.{address}"


def test_dns_names_the_mx_hosts() -> None:
    assert ask_dns("tester", "flow.example", "MX") == ["10 mx1.lab.example.", "100 mx2.lab.example."]
    assert ask_dns("tester", "backup.example", "MX") == ["10 mail.lab.example.", "100 mx2.lab.example."]


def test_mail_host_delivers_what_it_knows_and_refuses_the_rest() -> None:
    unique, message = hosts.new_message()
    said = hosts.talk(["carol@backup.example", "nobody@backup.example", "someone@faraway.test"], message=message)
    assert said.server == "mail.lab.example"
    assert [code for code, _text in said.rcpt] == [250, 550, 554]
    assert said.rcpt[1][1].startswith("5.1.1 ")
    assert hosts.arrived(unique, "carol@backup.example") == 1
    assert hosts.copies(unique, "dave@backup.example") == 0


def test_killed_mail_host_is_silent_and_comes_back_with_its_mail() -> None:
    unique, message = hosts.new_message()
    assert hosts.talk("dave@backup.example", server="mail.lab.example", message=message).data is not None
    assert hosts.arrived(unique, "dave@backup.example") == 1
    hosts.stop("mail")
    try:
        assert hosts.talk("dave@backup.example", server="mail.lab.example").server is None
    finally:
        hosts.start("mail")
    assert hosts.copies(unique, "dave@backup.example") == 1


@pytest.mark.parametrize(
    "host, scenario, playbook, domain",
    [
        ("mx1", "primary_mx", playbooks.PRIMARY, "gateway.example"),
        ("mx2", "secondary_mx", playbooks.SECONDARY, "backup.example"),
    ],
)
def test_check_mode_tells_what_a_role_would_do_and_does_nothing(
    host: str, scenario: str, playbook: str, domain: str
) -> None:
    run = playbooks.play(scenario, playbook, check=True)
    assert run.code == 0, run.said
    assert domain in run.said
    assert "relay_domains" in run.said
    assert not hosts.testinfra_host(host).file("/etc/postfix").exists


def test_playbook_refuses_an_inventory_without_its_group() -> None:
    run = playbooks.play("default", playbooks.SECONDARY)
    assert run.code != 0
    assert "secondary_mx" in run.said
