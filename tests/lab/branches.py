# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many of the branches of plugins/ the unit tests take, and how many are taken on the lab's hosts."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any

import coverage
import nox

from lab import attacks, gates
from lab.checkout import CACHE, COLLECTION_PATH, LAB, ROOT
from lab.counts import FAILED, NOTHING, PASSED, Count
from lab.engine import as_root
from lab.pages import write_between
from lab.scenarios import SCENARIOS, molecule
from lab.traced import SWITCH, measure

DOCUMENT = ROOT / "docs/coverage.md"
WORD = "./run coverage"
FOLDER = CACHE / LAB / "coverage"
# Percent of the branches, which unit tests and labs have to take together.
LOWEST = 95
ATTACKS = {"faults": attacks.faults, "integration": attacks.integration}
LABS = (*SCENARIOS, *ATTACKS)

COMBINED = """\
[run]
branch = true
[paths]
plugins =
    {plugins}
    */{collection}/plugins
"""


@dataclasses.dataclass(frozen=True)
class Branches:
    """The branches of a file: how many there are, and from which line to which those go that are not taken."""

    total: int
    missed: frozenset[tuple[int, int]]

    def __and__(self, other: Branches) -> Branches:
        """What two measurements of the same file have missed both."""
        return Branches(self.total, self.missed & other.missed)


# By path below plugins/.
Measured = Mapping[str, Branches]


def coverage_of_branches(session: nox.Session) -> Count:
    """Measure the unit tests, and the labs that the session's words name, or with --labs all; write what they take.

    A lab's own word judges its tests, some of which aim at moments that pass more slowly while they are measured.
    """
    words = list(session.posargs)
    labs = [word for word in words if word not in ("--labs", "--long")]
    unknown = sorted(set(labs) - set(LABS))
    if unknown or ("--labs" in words and labs):
        session.error(f"coverage takes --labs or some of {', '.join(LABS)}, and --long")
    if "--labs" in words:
        labs = list(LABS)
    session.posargs[:] = []
    measure(session, FOLDER / "unit")
    counts = gates.unit(session)
    by_unit = by_labs = measured(FOLDER / "unit")
    if labs:
        measure(session, FOLDER / "labs")
        in_labs = run_labs(session, labs, ["--long"] if "--long" in words else [])
        readable(FOLDER / "labs")
        by_labs = measured(FOLDER / "labs")
    del os.environ[SWITCH]
    told = page(by_unit, by_labs if labs else None)
    if labs:
        long = " in their long form" if "--long" in words else ""
        tests = f"{in_labs.passed} of their tests passed, {in_labs.failed} failed"
        write_between(DOCUMENT, WORD, f"{told}\nThe labs{long}: {', '.join(sorted(labs))}; {tests}.\n")
    print(told, end="")
    share = total_of(both(by_unit, by_labs).values())
    enough = share >= LOWEST
    session.log(f"{percent(share)} of the branches, at least {LOWEST} % are wanted")
    return counts + (PASSED if enough else FAILED)


def run_labs(session: nox.Session, labs: Iterable[str], options: Iterable[str]) -> Count:
    """Run these labs, each as its own word does."""
    counts = NOTHING
    scenarios = [name for name in labs if name in SCENARIOS]
    if scenarios:
        session.posargs[:] = [*scenarios, *options]
        counts += molecule(session)
    for name, attack in ATTACKS.items():
        if name in labs:
            session.posargs[:] = [*options]
            counts += attack(session)
    return counts


def readable(folder: pathlib.Path) -> None:
    """Have the data readable, which users of the hosts have written."""
    subprocess.run(as_root("chmod", "--recursive", "a+rwX", str(folder)), check=True)


def measured(folder: pathlib.Path) -> dict[str, Branches]:
    """Return what the data in a folder says of each file."""
    combined, report = folder.with_suffix(".combined"), folder.with_suffix(".json")
    configured = folder.with_suffix(".coveragerc")
    configured.write_text(COMBINED.format(plugins=ROOT / "plugins", collection=COLLECTION_PATH))
    data = coverage.Coverage(data_file=str(combined), config_file=str(configured))
    data.erase()
    # A process that was killed may leave an empty file.
    data.combine([str(path) for path in folder.iterdir() if path.stat().st_size], strict=True, keep=True)
    data.save()
    files = sorted(str(path) for path in (ROOT / "plugins").rglob("*.py"))
    data.json_report(files, outfile=str(report))
    return read(json.loads(report.read_text()))


def read(report: Mapping[str, Any]) -> dict[str, Branches]:
    """Return what a report of coverage says, as JSON, of each file."""
    return {
        name.partition("plugins/")[2]: Branches(
            told["summary"]["num_branches"], frozenset((begin, end) for begin, end in told["missing_branches"])
        )
        for name, told in report["files"].items()
    }


def both(one: Measured, other: Measured) -> dict[str, Branches]:
    """Return what two measurements have together."""
    return {name: one[name] & other[name] for name in one}


def total_of(files: Iterable[Branches]) -> float:
    """Return how much of the branches of these files is taken, in percent."""
    counted = list(files)
    total = sum(file.total for file in counted)
    return 100 * (total - sum(len(file.missed) for file in counted)) / total if total else 100.0


def percent(share: float) -> str:
    """Return a share in percent as text, never rounded up."""
    return f"{int(share * 10) / 10:.1f} %"


def page(by_unit: Measured, by_labs: Measured | None) -> str:
    """Return as Markdown what is taken in each folder of plugins/, and what nobody takes."""
    columns = [by_unit] if by_labs is None else [by_unit, by_labs, both(by_unit, by_labs)]
    heads = ["folder", "branches", "unit tests", *(["labs", "together"] if by_labs is not None else [])]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    folders = sorted({os.path.dirname(name) for name, file in by_unit.items() if file.total})
    for folder in [*folders, ""]:
        inside = [name for name in by_unit if not folder or os.path.dirname(name) == folder]
        branches = sum(by_unit[name].total for name in inside)
        shares = [percent(total_of(column[name] for name in inside)) for column in columns]
        lines.append(f"| {f'`{folder}`' if folder else 'all'} | {branches} | {' | '.join(shares)} |")
    missed = {name: sorted(file.missed) for name, file in columns[-1].items() if file.missed}
    lines += ["", "Not taken, from line to line (`end`: the end of a function):", ""]
    lines += [f"- `{name}`: {', '.join(map(branch, branches))}" for name, branches in sorted(missed.items())]
    return "\n".join([*lines, *([] if missed else ["- nothing"]), ""])


def branch(ends: tuple[int, int]) -> str:
    """Return a branch as text."""
    begin, end = ends
    return f"{begin} → {end if end > 0 else 'end'}"
