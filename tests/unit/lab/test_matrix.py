# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

from lab.matrix import HOSTS, Way, each_way_on_each_host, every_way, pairs, rounds, table

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" tests="2">
  <testcase name="one"><properties><property name="way" value='["11", "hash, all"]'/></properties></testcase>
  <testcase name="two"><properties><property name="way" value='["sid", "hash, all"]'/></properties>
    <failure message="assert"/></testcase>
</testsuite></testsuites>
"""


def values(way: Way) -> list[tuple[str, object]]:
    return list(dataclasses.asdict(way).items())


def test_each_two_values_come_together() -> None:
    def together(ways: list[Way]) -> set[tuple[object, ...]]:
        return {pair for way in ways for pair in itertools.combinations(values(way), 2)}

    assert together(pairs()) == together(every_way())
    assert len(pairs()) <= len(every_way()) // 6
    assert {way for _name, ways in rounds("") for way in ways.values()} == set(pairs())


def test_every_host_gets_every_way() -> None:
    ways = pairs()
    dealt = list(each_way_on_each_host(ways))
    for host in HOSTS:
        assert sorted(map(str, (ways_now[host] for ways_now in dealt))) == sorted(map(str, ways))


def test_table_tells_what_failed_and_what_was_not_run(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert table(report).splitlines()[-1] == "| hash, all | passed | not run | not run | not run | **failed** |"
