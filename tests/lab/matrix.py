# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which a supported host may be set up, and which of them are tried beside each other.

Each way is tried on five hosts at once, one of each Debian, each of which has another way.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pathlib
import xml.etree.ElementTree
from collections.abc import Iterator, Sequence

import nox
from allpairspy import AllPairs

from lab.checkout import REPORTS, ROOT
from lab.counts import Count
from lab.scenarios import molecule

DOCUMENT = ROOT / "docs/matrix.md"
TABLE_BEGINS = "<!-- ./run matrix writes what follows -->\n"

# By host, its Debian.
HOSTS = {"mx35": "11", "mx37": "12", "mx310": "13", "mxnext": "forky", "mx311": "sid"}
TYPES = ("hash", "btree", "lmdb", "cdb", "texthash")
FAMILIES = ("all", "ipv4", "ipv6")
CHROOT = (False, True)
LEVELS = ("0", "2", "3.6")
INSTANCES = ("first", "second")


@dataclasses.dataclass(frozen=True)
class Way:
    """One way of setting Postfix up: type of tables, `inet_protocols`, chroot, compatibility level, instance."""

    type: str
    family: str
    chroot: bool
    level: str
    instance: str

    def __str__(self) -> str:
        chroot = "chroot" if self.chroot else "no chroot"
        return f"{self.type}, {self.family}, {chroot}, level {self.level}, {self.instance} instance"


Round = dict[str, Way]


def every_way() -> list[Way]:
    """Return the full product."""
    return [Way(*values) for values in itertools.product(TYPES, FAMILIES, CHROOT, LEVELS, INSTANCES)]


def pairs() -> list[Way]:
    """Return ways in which each two values of different kinds come together at least once."""
    return [Way(*values) for values in AllPairs([list(TYPES), FAMILIES, CHROOT, LEVELS, INSTANCES])]


def each_way_once(ways: Sequence[Way]) -> list[Round]:
    """Deal the ways out to the hosts, each to one; the last round has some twice."""
    return [
        dict(zip(HOSTS, itertools.islice(itertools.cycle(ways), first, first + len(HOSTS)), strict=True))
        for first in range(0, len(ways), len(HOSTS))
    ]


def each_way_on_each_host(ways: Sequence[Way]) -> Iterator[Round]:
    """Yield rounds in which every host has had every way."""
    for first in range(len(ways)):
        yield {host: ways[(first + place) % len(ways)] for place, host in enumerate(HOSTS)}


def rounds(extent: str) -> list[tuple[str, Round]]:
    """Return the rounds of an extent, named: pairs on any host, `pairs` on each host, or the `full` product on each."""
    if extent == "full":
        chosen = list(each_way_on_each_host(every_way()))
    elif extent == "pairs":
        chosen = list(each_way_on_each_host(pairs()))
    else:
        chosen = each_way_once(pairs())
    return [(f"round {number}", ways) for number, ways in enumerate(chosen, 1)]


def matrix(session: nox.Session) -> Count:
    """Run every two properties together on each Debian, or with --full the full product; write the table."""
    if session.posargs not in ([], ["--full"]):
        session.error("matrix takes --full, or nothing")
    os.environ["MXRELAY_LAB_MATRIX"] = "full" if session.posargs else "pairs"
    session.posargs[:] = ["matrix", "--long"]
    counts = molecule(session)
    report = REPORTS / "molecule-matrix.xml"
    if report.exists():
        DOCUMENT.write_text(DOCUMENT.read_text().partition(TABLE_BEGINS)[0] + TABLE_BEGINS + table(report))
    return counts


def table(report: pathlib.Path) -> str:
    """Return as Markdown what became of each way on each Debian."""
    outcomes: dict[str, dict[str, str]] = {}
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        bad = case.find("failure") is not None or case.find("error") is not None
        for told in case.iter("property"):
            debian, way = json.loads(told.get("value", ""))
            outcomes.setdefault(way, {})[debian] = "**failed**" if bad else "passed"
    lines = ["", f"| Postfix set up with | {' | '.join(f'Debian {debian}' for debian in HOSTS.values())} |"]
    lines.append("|---" * (len(HOSTS) + 1) + "|")
    for way in sorted(outcomes):
        lines.append(f"| {way} | {' | '.join(outcomes[way].get(debian, 'not run') for debian in HOSTS.values())} |")
    return "\n".join([*lines, ""])
