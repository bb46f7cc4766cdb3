# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is created where recipients are true is accepted by every MX host after the next sync; what goes is refused."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from lab import playbooks, sources

MX = ("mx1", "mx35")
SYNC = "mxrelay.postfix.sync_recipients"
CONVERGE = str(playbooks.MOLECULE / "sync/converge.yml")
DOMAINS = [change.domain for change in sources.CHANGES]
CREATED = [f"new@{domain}" for domain in DOMAINS]
DELETED = [f"user1@{domain}" for domain in DOMAINS]


class Changed(NamedTuple):
    """What a stranger was answered before a sync and after it, of what was created and of what was deleted.

    `drift` is what is found of a list when its mail host has undone that, and no sync has followed.
    """

    before: dict[str, dict[str, str]]
    run: playbooks.Run
    after: dict[str, dict[str, str]]
    agreed: playbooks.Run
    addresses: frozenset[str]
    drift: set[tuple[str, str]]


def answers() -> dict[str, dict[str, str]]:
    return {host: dict(sources.answers(host, [*CREATED, *DELETED], at_once=5)) for host in MX}


def sync() -> playbooks.Run:
    return playbooks.play("sync", SYNC, variables={"sync_recipients_domains": DOMAINS}, in_full=True)


@pytest.fixture(name="changed", scope="module")
def _changed() -> Changed:
    with sources.saying(*sources.CHANGES):
        before = answers()
        run = sync()
        agreed = playbooks.play("sync", CONVERGE, in_full=True)
        after, addresses = answers(), sources.rows("mx1")
    drift = sources.found("mx1", domains=["mailbox.example"], probe=True)
    again = sync()
    assert again.code == 0, again.said
    return Changed(before, run, after, agreed, addresses, drift)


def test_created_is_accepted_and_deleted_is_refused_after_a_sync(changed: Changed) -> None:
    known, unknown = "250 2.1.5", "550 5.1.1"
    assert changed.run.code == 0, changed.run.said
    assert changed.before == dict.fromkeys(MX, {**dict.fromkeys(CREATED, unknown), **dict.fromkeys(DELETED, known)})
    assert changed.after == dict.fromkeys(MX, {**dict.fromkeys(CREATED, known), **dict.fromkeys(DELETED, unknown)})


def test_run_tells_how_many(changed: Changed) -> None:
    numbers = {"added": len(DOMAINS), "removed": len(DOMAINS), "kept": [], "left_out": []}
    told = changed.run.artifacts["mx_sync"]
    assert {host: {name: told[f"{host}.lab.example"][name] for name in numbers} for host in MX} == dict.fromkeys(
        MX, numbers
    )


def test_role_has_nothing_to_change_after_a_sync(changed: Changed) -> None:
    run = changed.agreed
    assert (run.code, run.changed) == (0, {f"{host}.lab.example": 0 for host in MX}), run.said


def test_neither_sync_nor_role_tells_an_address(changed: Changed) -> None:
    addresses = {address for address in changed.addresses if not address.startswith("postmaster@")}.union(DELETED)
    for run in (changed.run, changed.agreed):
        said = run.output.lower()
        assert "exec" in said
        assert [address for address in addresses if address in said] == []


def test_mail_host_that_knows_others_is_found(changed: Changed) -> None:
    assert changed.drift == {("mailbox.example", "list_drift")}
