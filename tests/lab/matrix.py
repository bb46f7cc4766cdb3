# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which a supported host may be set up, and which of them are tried beside each other.

Each way is tried on five hosts at once, one of each Debian, each of which has another way.
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import os
from collections.abc import Iterator, Sequence

import nox
from allpairspy import AllPairs

from lab.checkout import ROOT
from lab.counts import Count
from lab.pages import part, write_between
from lab.scenarios import molecule

DOCUMENT = ROOT / "docs/matrix.md"
WORD = "./run matrix"
NOT_RUN = "not run"
FAILED = "**failed**"
# By row and column of a table of the document.
Outcomes = dict[str, dict[str, str]]

# By host, its Debian.
HOSTS = {"mx35": "11", "mx37": "12", "mx310": "13", "mxnext": "forky", "mx311": "sid"}
TYPES = ("hash", "btree", "lmdb", "cdb", "texthash")
FAMILIES = ("all", "ipv4", "ipv6")
CHROOT = (False, True)
LEVELS = ("0", "2", "3.6")
INSTANCES = ("first", "second")


@dataclasses.dataclass(frozen=True)
class Way:
    """One way of setting Postfix up: type of tables, `inet_protocols`, chroot, compatibility level, instance.

    `alone`: the host's network has IPv6 alone.
    """

    type: str
    family: str
    chroot: bool
    level: str
    instance: str
    alone: bool = False

    def __str__(self) -> str:
        chroot = "chroot" if self.chroot else "no chroot"
        alone = ", network without IPv4" if self.alone else ""
        return f"{self.type}, {self.family}, {chroot}, level {self.level}, {self.instance} instance{alone}"

    @property
    def ipv6(self) -> bool:
        """Whether clients reach it by IPv6 alone."""
        return self.alone or self.family == "ipv6"


Round = dict[str, Way]


def every_way() -> list[Way]:
    """Return the full product."""
    return [Way(*values) for values in itertools.product(TYPES, FAMILIES, CHROOT, LEVELS, INSTANCES)]


def pairs() -> list[Way]:
    """Return ways in which each two values of different kinds come together at least once."""
    return [Way(*values) for values in AllPairs([list(TYPES), FAMILIES, CHROOT, LEVELS, INSTANCES])]


def in_networks_without_ipv4() -> Round:
    """Return a way for each host in a network that has IPv6 alone; what Postfix is told to use differs."""
    values = zip(
        TYPES, itertools.cycle(("all", "ipv6")), itertools.cycle(CHROOT), itertools.cycle(LEVELS), strict=False
    )
    return {
        host: Way(*value, INSTANCES[place % 2], alone=True)
        for place, (host, value) in enumerate(zip(HOSTS, values, strict=True))
    }


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


def rounds(extent: str, told: Outcomes | None = None) -> list[tuple[str, Round]]:
    """Return the named rounds of an extent: pairs on any host, `pairs` on each host, or the rest of the `full` product.

    The rest is, for each host, what has not passed yet by what is told. With pairs comes a network without IPv4.
    """
    if extent == "full":
        chosen = list(each_way_that_is_left(told or {}))
    else:
        chosen = list(each_way_on_each_host(pairs())) if extent == "pairs" else each_way_once(pairs())
        chosen.append(in_networks_without_ipv4())
    return [(f"round {number}", ways) for number, ways in enumerate(chosen, 1)]


def each_way_that_is_left(told: Outcomes) -> Iterator[Round]:
    """Yield rounds in which every host has had every way that has not passed on it; hosts that are through get any."""
    ways = every_way()
    left = {}
    for place, (host, debian) in enumerate(HOSTS.items()):
        begin = place * len(ways) // len(HOSTS)
        order = ways[begin:] + ways[:begin]
        left[host] = [way for way in order if told.get(str(way), {}).get(debian, NOT_RUN) in (NOT_RUN, FAILED)]
    for number in range(max(map(len, left.values()))):
        yield {host: mine[number] if number < len(mine) else ways[number] for host, mine in left.items()}


def matrix(session: nox.Session) -> Count:
    """Run every two properties together on each Debian, or with --full what is left of the full product."""
    if session.posargs not in ([], ["--full"]):
        session.error("matrix takes --full, or nothing")
    os.environ["MXRELAY_LAB_MATRIX"] = "full" if session.posargs else "pairs"
    session.posargs[:] = ["matrix", "--long"]
    return molecule(session)


def outcomes(word: str = WORD) -> Outcomes:
    """Return what the table of the document tells that this word writes."""
    head, _rule, *rows = [cells(line) for line in part(DOCUMENT, word).strip().splitlines()]
    columns = [name.removeprefix("Debian ") for name in head[1:]]
    return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows}


def note(row: str, column: str, *, passed: bool, word: str = WORD) -> None:
    """Write to the document what became of a row in a column: the day on which it passed, or that it failed."""
    told = outcomes(word)
    told.setdefault(row, {})[column] = datetime.date.today().isoformat() if passed else FAILED
    title = part(DOCUMENT, word).strip().splitlines()[0]
    write_between(DOCUMENT, word, table(title, told))


def cells(line: str) -> list[str]:
    """Return the cells of a line of a table."""
    return [cell.strip() for cell in line.strip("|").split("|")]


def table(title: str, told: Outcomes) -> str:
    """Return as Markdown what is told, in the columns of the title."""
    columns = [name.removeprefix("Debian ") for name in cells(title)[1:]]
    lines = [title, "|---" * (len(columns) + 1) + "|"]
    for row in sorted(told):
        lines.append(f"| {row} | {' | '.join(told[row].get(column, NOT_RUN) for column in columns)} |")
    return "\n".join([*lines, "", ""])
