# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break what the collection does, one thing at a time, and see who notices: a test that no fault turns red is none."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import pathlib
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import nox

from faults import mutants as engine_mutants
from lab import model_mutants, mutants
from lab.attacks import attack_once, faults_host
from lab.checkout import CACHE, COLLECTION_PATH, ROOT, copy_tree
from lab.collection import COLLECTIONS, INSTALLED, install_collection
from lab.counts import first_failure, new_report
from lab.environment import lab_environment, remove_lab
from lab.pages import part, write_between
from lab.scenarios import steps

DOCUMENT = ROOT / "docs/coverage.md"
MODEL_WORD = "./run mutate-model"
TENTH_WORD = f"{MODEL_WORD} {model_mutants.TENTH}"
FILE_ROW = re.compile(r"^\| `(\S+)` \|.*\n", re.MULTILINE)


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


def mutate_model(session: nox.Session) -> None:
    """Break the model in each place, or in those whose lines contain the session's words; publish the figures.

    With --tenth, in a tenth of the places.
    """
    top = CACHE / "mutated-model"
    report = CACHE / "mutated-model.json"
    copied = copy_tree(session, top)
    environment = {"PYTHONPATH": os.pathsep.join((str(top), str(copied / "tests")))}
    with session.chdir(copied):
        session.run("python", "-m", "lab.model_trial", str(report), *session.posargs, env=environment, external=True)
    told = json.loads(report.read_text())
    tried, alive = ({tuple(key): number for *key, number in told[which]} for which in ("tried", "alive"))
    known = model_mutants.equivalent()
    whole = collections.Counter(mutant.file for mutant in model_mutants.mutants(ROOT / model_mutants.MODEL))
    if model_mutants.TENTH in session.posargs:
        if session.posargs == [model_mutants.TENTH]:
            write_between(DOCUMENT, TENTH_WORD, figures("folder", model_rows(*by_room(tried, alive, known))))
    else:
        publish_files(whole, model_rows(tried, alive, known), tried)
    unknown = [key for key in alive if key not in known]
    if unknown or not tried:
        session.error(f"{len(unknown)} of {sum(tried.values())} changes were not noticed")


Keys = Mapping[tuple[str, ...], int]


def publish_files(whole: Mapping[str, int], rows: Mapping[str, str], tried: Keys) -> None:
    """Write the rows of files of which all mutants were tried; those of others stay as they are."""
    begun = {file for file in rows if sum(number for key, number in tried.items() if key[0] == file) < whole[file]}
    kept = {found[1]: found[0] for found in FILE_ROW.finditer(part(DOCUMENT, MODEL_WORD))}
    told = {**kept, **{file: row for file, row in rows.items() if file not in begun}}
    write_between(DOCUMENT, MODEL_WORD, model_table(told, set(whole)))


def by_room(tried: Keys, alive: Keys, known: Iterable[tuple[str, ...]]) -> tuple[Keys, Keys, list[tuple[str, ...]]]:
    """Return the same with the folder of each file in its place; the model's own is `.`."""

    def moved(key: tuple[str, ...]) -> tuple[str, ...]:
        return (os.path.dirname(key[0]) or ".", *key)

    return (
        {moved(key): number for key, number in tried.items()},
        {moved(key): number for key, number in alive.items()},
        [moved(key) for key in known],
    )


def model_rows(tried: Keys, alive: Keys, known: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """Return the row of each file: mutants, how many tests notice, and the others, equivalent or not."""
    rows = {}
    looked_at = set(known)
    for file in sorted({key[0] for key in tried}):
        mutated = sum(number for key, number in tried.items() if key[0] == file)
        left = {key: number for key, number in alive.items() if key[0] == file}
        equivalent = sum(number for key, number in left.items() if key in looked_at)
        unnoticed = sum(left.values()) - equivalent
        noticed = mutated - sum(left.values())
        rows[file] = f"| `{file}` | {mutated} | {noticed} | {equivalent} | {unnoticed} |\n"
    return rows


def model_table(rows: Mapping[str, str], files: set[str]) -> str:
    """Return the table of the files of the model that were tried, and how many were not."""
    tried = {file: rows[file] for file in files & rows.keys()}
    left = f"{len(files) - len(tried)} of {len(files)} files with mutants were not tried yet."
    return f"{figures('file', tried)}\n{left}\n"


def figures(kind: str, rows: Mapping[str, str]) -> str:
    """Return a table of these rows."""
    head = f"| {kind} | mutants | noticed | equivalent | not noticed |\n|---|---|---|---|---|\n"
    return head + "".join(rows[name] for name in sorted(rows))


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
