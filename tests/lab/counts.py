# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many tests passed and failed: of commands, of reports, of sessions."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import xml.etree.ElementTree
from collections.abc import Mapping

import nox

from lab.checkout import REPORTS
from lab.commands import succeeds


@dataclasses.dataclass(frozen=True)
class Count:
    """How many tests passed and failed; `not_run` names what this machine can't run, and why."""

    passed: int = 0
    failed: int = 0
    not_run: tuple[str, ...] = ()

    def __add__(self, other: Count) -> Count:
        return Count(self.passed + other.passed, self.failed + other.failed, self.not_run + other.not_run)

    def write(self, path: pathlib.Path) -> None:
        """Write the count to a file, for `read`."""
        path.write_text(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def read(cls, path: pathlib.Path) -> Count:
        """Return the count in a file; one failure where a part ended before it wrote any."""
        if not path.exists():
            return FAILED
        told = json.loads(path.read_text())
        return cls(told["passed"], told["failed"], tuple(told["not_run"]))


PASSED = Count(passed=1)
FAILED = Count(failed=1)
NOTHING = Count()


def gate(session: nox.Session, *command: str, env: Mapping[str, str] | None = None, quietly: bool = False) -> Count:
    """Run a command as one test."""
    return PASSED if succeeds(session, *command, env=env, quietly=quietly) else FAILED


def new_report(name: str) -> pathlib.Path:
    """Return the path of a JUnit report that is still to be written."""
    report = REPORTS / f"{name}.xml"
    report.unlink(missing_ok=True)
    return report


def reported(report: pathlib.Path) -> Count:
    """Return the counts of a JUnit report, a skipped test as one that failed; none where no test ran."""
    if not report.exists():
        return NOTHING
    counts = NOTHING
    for suite in xml.etree.ElementTree.parse(report).getroot().iter("testsuite"):
        total = int(suite.get("tests", 0))
        bad = sum(int(suite.get(ending, 0)) for ending in ("failures", "errors", "skipped"))
        counts += Count(total - bad, bad)
    return counts


def first_failure(report: pathlib.Path) -> str:
    """Return the name of the first test of a JUnit report that failed, the empty string where there is none."""
    if report.exists():
        for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                return str(case.get("name"))
    return ""


def run_pytest(session: nox.Session, name: str, *options: str, env: Mapping[str, str]) -> Count:
    """Run pytest with the options and those of the session; return the counts of its report, which has this name.

    A run that did not go well and reports no failure is a failure itself.
    """
    report = new_report(name)
    well = succeeds(session, "python", "-m", "pytest", *options, f"--junitxml={report}", *session.posargs, env=env)
    counts = reported(report)
    return counts if well or counts.failed else counts + FAILED


def finish(session: nox.Session, counts: Count) -> None:
    """Tell the run of everything, if this is a part of it; fail the session if anything failed."""
    if "MXRELAY_COUNTS" in os.environ:
        counts.write(pathlib.Path(os.environ["MXRELAY_COUNTS"]))
    for what in counts.not_run:
        session.log(f"not run: {what}")
    if counts.failed or not counts.passed:
        session.error(f"{counts.failed} failed")
