# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Molecule's scenarios, whole or step by step."""

from __future__ import annotations

import time
from collections.abc import Iterator

import nox

from lab import rulebooks
from lab.checkout import ROOT
from lab.collection import INSTALLED, build
from lab.commands import succeeds
from lab.counts import FAILED, Count, gate, new_report, reported
from lab.environment import lab_environment, remove_lab
from lab.upgrade import PREVIOUS, have_previous

SCENARIOS = tuple(sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")))


def molecule(session: nox.Session) -> Count:
    """Run the scenarios named, or all, against the collection as installed from its artifact."""
    words = [word for word in session.posargs if word not in ("--keep", "--long")]
    unknown = sorted(set(words) - set(SCENARIOS))
    if unknown:
        session.error(f"no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    counts = build(session)
    if not (INSTALLED / "MANIFEST.json").exists():
        return counts
    keep = "--keep" in session.posargs
    environment = lab_environment(session, words or SCENARIOS, keep=keep)
    environment["MXRELAY_LAB_LONG"] = "yes" if "--long" in session.posargs else ""
    if environment["MXRELAY_LAB_LONG"] and "sync" in (words or SCENARIOS):
        environment.update(rulebooks.engine_of_rules(session))
    if "histories" in (words or SCENARIOS):
        previous = have_previous()
        environment["MXRELAY_LAB_PREVIOUS"] = str(previous or "")
        if previous is None:
            counts += Count(not_run=(f"an upgrade, as this clone does not go back to {PREVIOUS}",))
    for name in words or SCENARIOS:
        counts += scenario(session, name, environment)
    if not keep:
        remove_lab(session, environment["MXRELAY_LAB_ENGINE"])
    return counts


def scenario(session: nox.Session, name: str, environment: dict[str, str]) -> Count:
    """Run one scenario from nothing to nothing: each of its assertions is a test, and the whole sequence is one."""
    report = new_report(f"molecule-{name}")
    settings = {"MOLECULE_COMMAND_BORDERS": "false", "PYTEST_ADDOPTS": f"--junitxml={report}"}
    began = time.monotonic()
    sequence = gate(session, "molecule", "test", "--scenario-name", name, env={**environment, **settings})
    counts = reported(report)
    if not counts.passed:
        session.warn(f"molecule {name}: nothing was verified")
        sequence = FAILED
    seconds = time.monotonic() - began
    session.log(f"molecule {name}: {counts.passed} assertions passed, {counts.failed} failed, {seconds:.0f} s")
    return counts + sequence


def steps(session: nox.Session, name: str, environment: dict[str, str], *words: str) -> bool:
    """Run steps of a scenario quietly; return whether all succeeded."""
    return all(
        succeeds(session, "molecule", word, "--scenario-name", name, env=environment, quietly=True) for word in words
    )


def longest_first() -> Iterator[str]:
    """Yield the scenarios, those with much to verify first."""

    def length(name: str) -> int:
        return sum(path.stat().st_size for path in ROOT.glob(f"molecule/{name}/tests/*.py"))

    yield from sorted(SCENARIOS, key=length, reverse=True)
