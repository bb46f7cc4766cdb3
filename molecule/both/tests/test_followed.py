# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that follow sources, those of both roles of one host, by the roles and by the playbook sync_recipients."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from lab import claims, faults, hosts, playbooks
from lab.sources import rows

HOST = "mx1"
NAME = "mx1.lab.example"
CONVERGE = str(playbooks.MOLECULE / "both/converge.yml")
SYNC = "mxrelay.postfix.sync_recipients"
NOTE = "/etc/postfix/.relay_recipients.sources"
GATEWAY, AWAY = ("alice", "bob"), ("ivan", "judy")


class Sources:
    """Two lists on the controller, one of each role's domain."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.gateway, self.away = folder / "gateway", folder / "away"
        self.put()

    def put(self, gateway: tuple[str, ...] = GATEWAY, away: tuple[str, ...] = AWAY) -> None:
        self.gateway.write_text("".join(f"{name}@gateway.example\n" for name in gateway), encoding="utf-8")
        self.away.write_text("".join(f"{name}@away.example\n" for name in away), encoding="utf-8")

    @property
    def variables(self) -> dict[str, Any]:
        return {
            "primary_mx_recipient_sources": {"mailboxes": {"type": "file", "path": str(self.gateway)}},
            "primary_mx_domains": [
                {"name": "gateway.example", "mail_host": "mail.lab.example", "recipients_from": ["mailboxes"]}
            ],
            "secondary_mx_recipient_sources": {"people": {"type": "file", "path": str(self.away)}},
            "secondary_mx_domains": [{"name": "away.example", "recipients_from": ["people"]}],
        }

    def play(self, playbook: str = CONVERGE, check: bool = False, **variables: Any) -> playbooks.Run:
        return playbooks.play("both", playbook, variables={**self.variables, **variables}, check=check)


@pytest.fixture(name="sources", scope="module")
def _sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sources]:
    yield Sources(tmp_path_factory.mktemp("sources"))
    run = playbooks.play("both", CONVERGE)
    assert run.code == 0, run.said


@pytest.fixture(autouse=True)
def _whole(sources: Sources) -> None:
    sources.put()


def state() -> str:
    """All of Postfix's files but what is noted of sources, and so the folder that has the note."""
    lines = faults.state_of(HOST).splitlines()
    return "\n".join(line for line in lines if NOTE not in line and not line.startswith("/etc/postfix "))


def test_list_follows_its_source(sources: Sources) -> None:
    sources.put(gateway=(*GATEWAY, "karl"), away=(*AWAY, "karl"))
    run = sources.play()
    assert run.code == 0, run.said
    for domain in ("gateway.example", "away.example"):
        claims.accepts(HOST, f"karl@{domain}")
        claims.refuses_unknown(HOST, f"unknown@{domain}")
    before = state()
    again = sources.play()
    assert (again.code, again.changed) == (0, {NAME: 0}), again.said
    assert state() == before


def test_sync_and_roles_agree(sources: Sources) -> None:
    assert sources.play().code == 0
    sources.put(gateway=(*GATEWAY, "ken"))
    run = sources.play(SYNC)
    assert (run.code, run.changed) == (0, {NAME: 1}), run.said
    assert run.artifacts["mx_sync"] == {
        NAME: {"added": 1, "removed": 0, "total": len(rows(HOST)), "kept": [], "left_out": []},
    }
    claims.accepts(HOST, "ken@gateway.example")
    before = state()
    for playbook in (CONVERGE, SYNC):
        again = sources.play(playbook)
        assert (again.code, again.changed) == (0, {NAME: 0}), again.said
    assert state() == before


def test_kept_list_of_the_first_role_fails_the_run_after_the_second(sources: Sources) -> None:
    assert sources.play().code == 0
    sources.put(away=(*AWAY, "kim"))
    sources.gateway.unlink()
    run = sources.play()
    assert run.code == 2
    assert f"- gateway.example: source mailboxes: {sources.gateway} is not there" in run.said
    claims.accepts(HOST, "alice@gateway.example")
    claims.accepts(HOST, "kim@away.example")
    assert f'"problem": "{sources.gateway} is not there' in hosts.on(HOST, "cat", NOTE)


def test_removals_are_let_through_once(sources: Sources) -> None:
    assert sources.play().code == 0
    sources.put(gateway=("karl",))
    run = sources.play(SYNC)
    assert run.code == 2
    assert "let it through once with -e sync_recipients_let_through=gateway.example" in run.said
    claims.accepts(HOST, "alice@gateway.example")
    claims.refuses_unknown(HOST, "karl@gateway.example")
    run = sources.play(SYNC, sync_recipients_let_through="gateway.example")
    assert run.code == 0, run.said
    claims.accepts(HOST, "karl@gateway.example")
    claims.refuses_unknown(HOST, "alice@gateway.example")


QUERY = {"engine": "mysql", "server": "127.0.0.1", "database": "mail", "query": "SELECT address FROM mailbox"}
DATABASE = {"people": {"type": "sql", "host": NAME, "user": "reader", "password": "secret", **QUERY}}


@pytest.mark.long
def test_check_mode_tells_of_a_library_that_a_run_installs(sources: Sources) -> None:
    assert sources.play().code == 0
    hosts.on(HOST, "apt-get", "remove", "--yes", "python3-pymysql")
    domains = [{"name": name, "recipients_from": ["people"]} for name in ("away.example", "new.example")]
    variables = {"secondary_mx_recipient_sources": DATABASE, "secondary_mx_domains": domains}
    before = faults.state_of(HOST)
    run = sources.play(check=True, **variables)
    assert run.code == 0, run.said
    assert f"python3-pymysql would be installed on {NAME}" in run.said
    assert (
        "what would change in the list of away.example, new.example can't be told before a run installs "
        f"python3-pymysql on {NAME}, which its source needs"
    ) in run.said
    assert "mxrelay.postfix.mx : Update main.cf" in run.tasks
    assert faults.state_of(HOST) == before
    refused = sources.play(check=True, secondary_mx_manage_package=False, **variables)
    assert (refused.code, "it has no list to keep, and its sources can't be believed" in refused.said) == (2, True)
    hosts.on(HOST, "apt-get", "install", "--yes", "python3-pymysql")
    read = sources.play(check=True, **variables)
    assert (read.code, "python3-pymysql" in read.said) == (2, False), read.said


@pytest.mark.long
def test_library_of_a_source_is_installed_on_its_host(sources: Sources) -> None:
    assert sources.play().code == 0
    hosts.on(HOST, "apt-get", "remove", "--yes", "python3-pymysql")
    kept = sources.play(secondary_mx_recipient_sources=DATABASE, secondary_mx_manage_package=False)
    assert (kept.code, "python3-pymysql was not found" in kept.said) == (2, True), kept.said
    run = sources.play(secondary_mx_recipient_sources=DATABASE)
    assert run.code == 2
    assert "- away.example: source people: " in run.said
    assert "python3-pymysql was not found" not in run.said
    assert "secret" not in run.output
    claims.accepts(HOST, "ivan@away.example")
