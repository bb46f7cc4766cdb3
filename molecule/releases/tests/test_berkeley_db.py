# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix 3.11 gives tables that main.cf calls hash another type, or deprecates them: what really appears counts.

See NON_BERKELEYDB_README.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import claims, faults, hosts, playbooks
from lab.long_form import in_long_form

HOST = "mx311"
NAME = claims.host_name(HOST)
CONVERGE = str(playbooks.MOLECULE / "releases/converge.yml")
TABLES = ("relay_recipient_maps", "transport_maps")


def converge() -> playbooks.Run:
    return playbooks.play("releases", CONVERGE, limit=NAME)


def repaired() -> None:
    run = converge()
    assert run.code == 0, run.said
    assert run.changed[NAME] > 0
    before = faults.state_of(HOST)
    again = converge()
    assert again.code == 0, again.said
    assert again.changed[NAME] == 0
    assert faults.state_of(HOST) == before


@pytest.fixture
def called_hash() -> Iterator[dict[str, str]]:
    """main.cf calls the tables hash, as it did before an upgrade; by parameter, what it called them until now."""
    were = {name: faults.parameter(HOST, name) for name in TABLES}
    faults.set_parameters(HOST, {name: "hash:" + value.partition(":")[2] for name, value in were.items()})
    yield were
    hosts.on(HOST, "postfix", "non-bdb", "disable")
    faults.set_parameters(HOST, were)


@pytest.mark.parametrize("migration", ["disable", *in_long_form(["enable-redirect"]), "enable-reindex"])
def test_the_index_that_really_appears_is_kept(called_hash: dict[str, str], migration: str) -> None:
    suffix = ".db" if migration == "disable" else ".cdb"
    hosts.on(HOST, "postfix", "non-bdb", migration)
    for value in called_hash.values():
        hosts.on(HOST, "sh", "-c", f"rm -f {value.partition(':')[2]}.db {value.partition(':')[2]}.cdb")
    hosts.on(HOST, "postfix", "reload")
    repaired()
    for value in called_hash.values():
        source = value.partition(":")[2]
        assert hosts.on(HOST, "sh", "-c", f"ls {source}.*").split() == [source + suffix]
    claims.delivers_once(HOST, "liz@front.example")
    claims.refuses_unknown(HOST, "nobody@behind.example")
    claims.refuses_relay(HOST)


def test_type_that_only_postconf_believes_in_is_refused_before_anything_changes(called_hash: dict[str, str]) -> None:
    usual = faults.parameter(HOST, "default_database_type")
    hosts.on(HOST, "postfix", "non-bdb", "enable-redirect")
    for value in called_hash.values():
        faults.delete(HOST, value.partition(":")[2] + ".cdb")
    # From hash to hash: postconf -m lists it, and no table can be built.
    hosts.on(HOST, "postconf", "-e", "default_database_type=hash")
    try:
        assert "hash" in hosts.on(HOST, "postconf", "-m").split()
        before = faults.state_of(HOST)
        run = converge()
        assert run.code != 0
        assert "tables of type hash don't work on this host" in run.said
        assert run.changed[NAME] == 0
        assert faults.state_of(HOST) == before
    finally:
        faults.set_parameters(HOST, {"default_database_type": usual})
        hosts.on(HOST, "postmap", *called_hash.values())


def test_serves_as_before_when_main_cf_calls_the_tables_by_their_type_again() -> None:
    run = converge()
    assert run.code == 0, run.said
    claims.delivers_once(HOST, "nora@behind.example")
    claims.relays_for_no_stranger(HOST, "front.example")
