# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break what the collection does, one thing at a time, and see who notices: a test that no fault turns red is none."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import nox

from faults import mutants as engine_mutants
from lab import mutants
from lab.attacks import attack_once, faults_host
from lab.checkout import CACHE, COLLECTION_PATH
from lab.collection import COLLECTIONS, INSTALLED, install_collection
from lab.counts import first_failure, new_report
from lab.environment import lab_environment, remove_lab
from lab.scenarios import steps


@dataclasses.dataclass
class RolesOnTrial:
    """A lab whose playbooks run a copy of the installed roles, from which tasks are taken out."""

    session: nox.Session
    environment: dict[str, str]
    whole: pathlib.Path
    mutated: pathlib.Path
    # The scenario whose host the whole roles have converged; none where a mutant may have converged it since.
    ready: str = ""

    def verdict(self, mutant: mutants.Mutant) -> str:
        """Return what goes red without the mutant's task, the empty string where nothing does."""
        mutants.restore(self.whole, self.mutated)
        self._have_host(mutant.claim)
        mutant.take_out(self.whole, self.mutated)
        return self._red(mutant.claim)

    def _have_host(self, claim: mutants.Claim) -> None:
        """Have the host that the claim is made on, as far as the whole roles bring it."""
        converged = claim.host == "converged"
        if converged and self.ready == claim.scenario and self._steps(claim, "converge"):
            return
        if not self._steps(claim, "destroy", "create", *(("converge",) if converged else ())):
            self.session.error(f"{claim.scenario}: the whole roles don't converge")
        self.ready = claim.scenario if converged else ""

    def _red(self, claim: mutants.Claim) -> str:
        """Return what goes red when the claim is made with the mutated roles, the empty string where nothing does."""
        if claim.host == "new" and not self._steps(claim, "converge"):
            return f"{claim.scenario}: converge"
        report = new_report("mutant")
        self._steps(claim, "verify", PYTEST_ADDOPTS=f"--exitfirst -k {claim.tests} --junitxml={report}")
        failure = first_failure(report)
        return f"{claim.scenario}: {failure}" if failure else ""

    def _steps(self, claim: mutants.Claim, *words: str, **settings: str) -> bool:
        return steps(self.session, claim.scenario, {**self.environment, **settings}, *words)


def mutate_roles(session: nox.Session) -> None:
    """Remove each role task in turn, or those whose file and name contain the session's words."""
    install_collection(session)
    environment = lab_environment(session)
    mutated = CACHE / "mutated"
    shutil.rmtree(mutated, ignore_errors=True)
    shutil.copytree(COLLECTIONS, mutated)
    environment["ANSIBLE_COLLECTIONS_PATH"] = str(mutated)
    environment["MXRELAY_LAB_LONG"] = "yes"
    roles = INSTALLED / "roles"
    trial = RolesOnTrial(session, environment, roles, mutated / COLLECTION_PATH / "roles")
    wanted = [mutant for mutant in mutants.mutants(roles) if all(word in str(mutant) for word in session.posargs)]
    verdicts = {}
    # Those that share a host follow each other.
    for mutant in sorted(wanted, key=lambda wish: (wish.claim.scenario, wish.claim.host)):
        verdicts[str(mutant)] = trial.verdict(mutant)
        session.log(line(str(mutant), verdicts[str(mutant)]))
    remove_lab(session, environment["MXRELAY_LAB_ENGINE"])
    tell(session, "removed tasks", verdicts)


def mutate_engine(session: nox.Session) -> None:
    """Break the table engine in each way that faults/mutants.py names, or in those that the session's words name."""
    install_collection(session)
    environment = faults_host(session)
    verdicts = {}
    for mutant in engine_mutants.MUTANTS:
        if all(word in mutant.name for word in session.posargs):
            report = new_report("mutant")
            with broken(mutant):
                attack_once(session, environment, mutant.attacks, report)
            verdicts[mutant.name] = first_failure(report)
    remove_lab(session, environment["MXRELAY_LAB_ENGINE"])
    tell(session, "broken engines", verdicts)


@contextmanager
def broken(mutant: engine_mutants.Mutant) -> Iterator[None]:
    """The installed collection is broken in this way in this block."""
    path = INSTALLED / mutant.file
    original = path.read_text()
    path.write_text(mutant.applied(original))
    try:
        yield
    finally:
        path.write_text(original)


def line(name: str, verdict: str) -> str:
    """Return the line that says who noticed."""
    return f"{name}: {verdict or 'NOBODY NOTICED'}"


def tell(session: nox.Session, what: str, verdicts: Mapping[str, str]) -> None:
    """Print the verdicts; fail the session where a mutant was not noticed, or none was tried."""
    print("".join(line(name, verdict) + "\n" for name, verdict in verdicts.items()), end="")
    unnoticed = [name for name, verdict in verdicts.items() if not verdict]
    if unnoticed or not verdicts:
        session.error(f"{len(unnoticed)} of {len(verdicts)} {what} were not noticed")
