# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest

from lab import matrix
from lab.matrix import HOSTS, Way, each_way_on_each_host, every_way, note, outcomes, pairs, rounds

DOCUMENT = """# What was run

<!-- ./run matrix writes what follows -->

| Postfix set up with | Debian 11 | Debian sid |
|---|---|---|
| lmdb, all, chroot, level 2, first instance | 2026-11-30 | not run |

<!-- until here -->

More.
"""


def values(way: Way) -> list[tuple[str, object]]:
    return list(dataclasses.asdict(way).items())


def test_each_two_values_come_together() -> None:
    def together(ways: list[Way]) -> set[tuple[object, ...]]:
        return {pair for way in ways for pair in itertools.combinations(values(way), 2)}

    assert together(pairs()) == together(every_way())
    assert len(pairs()) <= len(every_way()) // 6
    *dealt, _alone = rounds("")
    assert {way for _name, ways in dealt for way in ways.values()} == set(pairs())


@pytest.mark.parametrize("extent", ["", "pairs"])
def test_last_round_has_networks_without_ipv4(extent: str) -> None:
    ways = list(rounds(extent)[-1][1].values())
    assert [(way.type, way.family) for way in ways] == [
        ("hash", "all"),
        ("btree", "ipv6"),
        ("lmdb", "all"),
        ("cdb", "ipv6"),
        ("texthash", "all"),
    ]
    assert {way.ipv6 for way in ways} == {True}
    assert str(ways[0]) == "hash, all, no chroot, level 0, first instance, network without IPv4"


def test_every_host_gets_every_way() -> None:
    ways = pairs()
    dealt = list(each_way_on_each_host(ways))
    for host in HOSTS:
        assert sorted(map(str, (ways_now[host] for ways_now in dealt))) == sorted(map(str, ways))


def test_full_product_goes_on_with_what_has_not_passed_yet() -> None:
    first, second, *_others = every_way()
    told = {str(way): dict.fromkeys(HOSTS.values(), "2026-11-30") for way in every_way()}
    told[str(first)]["13"] = "**failed**"
    del told[str(second)]
    left = [ways for _name, ways in rounds("full", told)]
    assert [ways["mx310"] for ways in left] == [first, second]
    assert left[0]["mx311"] == second
    assert len(rounds("full")) == len(every_way())
    assert len(set(rounds("full")[0][1].values())) == len(HOSTS)
    assert rounds("full", {str(way): dict.fromkeys(HOSTS.values(), "2026-11-30") for way in every_way()}) == []


def test_each_outcome_is_noted_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "DOCUMENT", tmp_path / "matrix.md")
    matrix.DOCUMENT.write_text(DOCUMENT)
    note("hash, all", "11", passed=False)
    row = "lmdb, all, chroot, level 2, first instance"
    note(row, "sid", passed=True)
    told = outcomes()
    day = told[row].pop("sid")
    assert day >= "2026-11-30"
    assert told == {"hash, all": {"11": "**failed**", "sid": "not run"}, row: {"11": "2026-11-30"}}
    lines = matrix.DOCUMENT.read_text().splitlines()
    assert lines[4:] == [
        "| Postfix set up with | Debian 11 | Debian sid |",
        "|---|---|---|",
        "| hash, all | **failed** | not run |",
        f"| {row} | 2026-11-30 | {day} |",
        "",
        "<!-- until here -->",
        "",
        "More.",
    ]
