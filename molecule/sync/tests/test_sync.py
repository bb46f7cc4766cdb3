# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of both MX hosts are what the sources say, as a stranger sees it, and each source is asked once."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from lab import faults, hosts, playbooks, sources

MX = ("mx1", "mx35")
SYNC = "mxrelay.postfix.sync_recipients"
UNCHANGED = {f"{host}.lab.example": 0 for host in MX}


class Synced(NamedTuple):
    """A run that has nothing to change: what was on the MX hosts before and after, and what was asked of the APIs."""

    before: dict[str, str]
    run: playbooks.Run
    after: dict[str, str]
    asked: list[str]


def states() -> dict[str, str]:
    """All below /etc/postfix but what is noted of sources, for which a file is moved into place there."""

    def others(host: str) -> str:
        lines = faults.state_of(host).splitlines()
        return "\n".join(line for line in lines if ".sources" not in line and not line.startswith("/etc/postfix "))

    return {host: others(host) for host in MX}


@pytest.fixture(name="synced", scope="module")
def _synced() -> Synced:
    hosts.on(sources.HOST, "truncate", "--size=0", "/run/api.log")
    before = states()
    run = playbooks.play("sync", SYNC)
    return Synced(before, run, states(), hosts.on(sources.HOST, "cat", "/run/api.log").splitlines())


def wanted() -> set[str]:
    found = {address for addresses in sources.recipients().values() for address in addresses}
    found.update(f"postmaster@{domain}" for domain in sources.followers())
    punycode = {address.replace("@bücher.", "@xn--bcher-kva.") for address in found}
    return found | punycode


@pytest.mark.parametrize("host", MX)
def test_list_is_what_the_sources_have(host: str) -> None:
    assert sources.rows(host) == wanted()


@pytest.mark.parametrize("host", MX)
def test_every_listed_address_is_accepted(host: str) -> None:
    addresses = {address for address in wanted() if address.isascii()}
    assert {address: answer for address, answer in sources.answers(host, addresses) if answer != "250 2.1.5"} == {}


@pytest.mark.parametrize("host", MX)
def test_unknown_addresses_are_refused(host: str) -> None:
    unknown = [f"unknown@{domain}" for domain in sources.followers() if domain.isascii()]
    assert dict(sources.answers(host, unknown, at_once=5)) == dict.fromkeys(unknown, "550 5.1.1")


def test_run_without_a_change_touches_nothing(synced: Synced) -> None:
    assert (synced.run.code, synced.run.changed) == (0, UNCHANGED), synced.run.said
    assert synced.after == synced.before


@pytest.mark.parametrize("host", MX)
def test_nothing_is_found_of_lists_that_follow_their_sources(synced: Synced, host: str) -> None:
    assert synced.run.code == 0
    assert sources.found(host, probe=True) == set()


def test_each_source_is_asked_once_for_both_hosts(synced: Synced) -> None:
    pages = {"mailbox/all": 1, "/v1.0/users": 3, "/v1/users": 3, "/short": 1, "/secure": 1, "/token": 1}
    assert {end: sum(line.endswith(end) for line in synced.asked) for end in pages} == pages
