# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources that lie in every way change no list, and are named with the reason, while the others go on."""

from __future__ import annotations

import json
import os
import re
from typing import NamedTuple

import pytest

from lab import claims, hosts, playbooks, sources

MX = ("mx1", "mx35")
NAMES = {f"{host}.lab.example" for host in MX}
SYNC = "mxrelay.postfix.sync_recipients"
NEW = "new@users.example"
RECORD = "/etc/postfix/.relay_recipients.sources"
LYING = sorted({domain for lie in sources.LIES.values() for domain in lie.domains})
# It has 100 recipients, and loses 11.
GUARDED = "postgres.example"
LOST = {f"user{number}@{GUARDED}" for number in range(1, 12)}
# `./run molecule sync --long` has a million.
MANY = 1_000_000 if os.environ.get("MXRELAY_LAB_LONG") else 20_000
NEWCOMERS = (NEW, f"many{MANY}@csv.example")


class Lied(NamedTuple):
    """A run while the sources lie, and the lists of both hosts before and after.

    `taken` is how each answers a stranger who has mail for new recipients, `found` what mx_info finds of lists then,
    and `verify` a run that compares the hosts after one of them alone has got a newcomer. `again` are the lists after
    a run with sources that are right again. `left` are folders of lists that the run left on the controller.
    """

    before: dict[str, frozenset[str]]
    run: playbooks.Run
    after: dict[str, frozenset[str]]
    taken: dict[str, dict[str, str]]
    journals: str
    found: dict[str, set[tuple[str, str]]]
    verify: playbooks.Run
    again: dict[str, frozenset[str]]
    left: list[str]


def lists() -> dict[str, frozenset[str]]:
    return {host: sources.rows(host) for host in MX}


def sync(*domains: str, limit: str = "", **variables: object) -> playbooks.Run:
    variables["sync_recipients_domains"] = list(domains)
    return playbooks.play("sync", SYNC, variables=variables, limit=limit)


@pytest.fixture(name="lied", scope="module")
def _lied(tmp_path_factory: pytest.TempPathFactory) -> Lied:
    before, controller = lists(), tmp_path_factory.mktemp("controller")
    with sources.lying(*sources.LIES), sources.saying(sources.other_words(MANY), sources.newcomer("new")):
        # Another lab's runs may have lists where Ansible keeps such files otherwise.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ANSIBLE_LOCAL_TEMP", str(controller))
            run = playbooks.play("sync", SYNC, in_full=True)
        after, journals = lists(), "".join(map(journal, [*MX, sources.HOST]))
        taken = {host: dict(sources.answers(host, NEWCOMERS)) for host in MX}
        with sources.saying(sources.newcomer("later")):
            succeeds(sync("users.example", limit="mx1.lab.example"))
        hosts.on("mx1", "sh", "-c", f"cat > {RECORD}", given=aged(hosts.on("mx1", "cat", RECORD), "csv.example"))
        verify = playbooks.play("sync", playbooks.VERIFY)
        found = {host: sources.found(host) for host in MX}
    succeeds(sync("users.example", "csv.example", sync_recipients_let_through="csv.example"))
    left = [folder for folder, _folders, _files in os.walk(controller) if "mxrelay" in folder]
    return Lied(before, run, after, taken, journals, found, verify, lists(), left)


def succeeds(run: playbooks.Run) -> None:
    assert run.code == 0, run.said


def aged(record: str, domain: str) -> str:
    """What is kept of the sources of a host, as if the list of the domain had been made of them long ago."""
    kept = json.loads(record)
    kept["domains"][domain]["listed_at"] = "2020-01-31T09:00:00Z"
    return json.dumps(kept)


def journal(host: str) -> str:
    """What Ansible has told the journal of a host of its modules."""
    return hosts.on(host, "sh", "-c", "journalctl --quiet --output=cat --grep='Invoked with'")


@pytest.mark.parametrize("way", sources.LIES)
def test_list_stays_whole_and_the_run_says_why(lied: Lied, way: str) -> None:
    lie = sources.LIES[way]
    for host in MX:
        assert sources.of(lied.after[host], *lie.domains) == sources.of(lied.before[host], *lie.domains) != set()
    for domain in lie.domains:
        told = [line for line in lied.run.said.splitlines() if line.startswith(f"- {domain}: ")]
        assert len(told) == len(MX), lied.run.said
        assert all(lie.says in line for line in told), told


def test_run_fails_at_its_end_and_others_go_on(lied: Lied) -> None:
    assert (lied.run.code, {host: lied.run.failed[host] for host in NAMES}) == (2, dict.fromkeys(NAMES, 1))
    kept = lied.run.artifacts["mx_sync"]
    assert {host: sorted(kept[host]["kept"]) for host in NAMES} == dict.fromkeys(NAMES, LYING)
    assert {host: (kept[host]["added"], kept[host]["removed"]) for host in NAMES} == dict.fromkeys(NAMES, (MANY + 1, 0))
    for host in MX:
        assert lied.after[host] - lied.before[host] - sources.many(MANY) == {NEW}
        assert lied.taken[host] == dict.fromkeys(NEWCOMERS, "250 2.1.5")
    assert lied.again == lied.before


def test_same_addresses_in_other_words_are_not_more(lied: Lied) -> None:
    """They come with a byte order mark, twice, in upper case, and with other ends of lines; and very many new ones."""
    wanted = {"postmaster@csv.example", *sources.users("csv.example"), *sources.many(MANY)}
    for host in MX:
        assert sources.of(lied.after[host], "csv.example") == wanted


def test_lists_that_stay_are_found_and_no_others(lied: Lied) -> None:
    stay = {(domain, "list_source") for domain in LYING}
    assert lied.found == {"mx1": stay | {("csv.example", "list_age")}, "mx35": stay}


def test_hosts_that_differ_are_told_and_no_others(lied: Lied) -> None:
    assert lied.verify.code == 0, lied.verify.said
    told = re.findall(r"([\w.]+) \(mx_disagree\): its MX hosts list different recipients \((.*?)\)", lied.verify.said)
    counts = {"103 on mx1.lab.example", "102 on mx35.lab.example"}
    assert [(domain, set(numbers.split("; "))) for domain, numbers in told] == [("users.example", counts)] * len(MX)
    assert lied.verify.said.count("(mx_disagree)") == len(MX)


def test_no_address_is_told(lied: Lied) -> None:
    """Not on a terminal, where a run says all it can, and not in the journals of the hosts."""
    addresses = [address for address in lied.before["mx1"] | {NEW} if not address.startswith("postmaster@")]
    told = (lied.run.output + lied.journals).lower()
    assert "invoked with" in told
    assert re.search(r"many\d+@", told) is None
    assert [address for address in addresses if address in told] == []


def test_nothing_that_was_read_is_left_behind(lied: Lied) -> None:
    assert lied.run.code == 2
    for host in (*MX, sources.HOST):
        assert (
            hosts.on(host, "sh", "-c", "find /root/.ansible/tmp /tmp -name '*recipients*' 2> /dev/null || true") == ""
        )
    assert lied.left == []


def test_removals_are_let_through_once() -> None:
    before = lists()
    with sources.lying("-11%"):
        through = sync(GUARDED, sync_recipients_let_through=GUARDED)
        assert through.code == 0, through.said
        for host in MX:
            assert before[host] - sources.rows(host) == LOST
            claims.refuses_unknown(host, f"user1@{GUARDED}")
    succeeds(sync(GUARDED))
    assert lists() == before
    with sources.lying("-11%"):
        again = sync(GUARDED)
    assert again.code == 2
    assert "-e sync_recipients_let_through=postgres.example" in again.said
    assert lists() == before
