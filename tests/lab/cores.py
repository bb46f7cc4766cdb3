# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles and the gates of ansible-test by every ansible-core that is supported, on every Python that it supports."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator

import nox

from lab.checkout import CACHE, ROOT
from lab.collection import install_collection
from lab.counts import NOTHING, Count, run_pytest
from lab.environment import lab_environment, remove_lab
from lab.matrix import note
from lab.own_environment import have_environment
from lab.sanity import ansible_test, interpreter
from lab.scenarios import steps

WORD = "./run controllers"
# Of each release its pins, which are in requirements/, and the Pythons of a controller.
PYTHONS = {
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}


@dataclasses.dataclass(frozen=True)
class Controller:
    """An ansible-core on a Python."""

    release: str
    python: str

    def __str__(self) -> str:
        return f"ansible-core {self.release} on Python {self.python}"

    @property
    def folder(self) -> pathlib.Path:
        """Where its environment is."""
        return CACHE / f"core-{self.release}-python-{self.python}"

    @property
    def pins(self) -> pathlib.Path:
        """What is installed in its environment."""
        return ROOT / f"requirements/core-{self.release}.txt"


def controllers(session: nox.Session) -> Count:
    """Run the roles on each Debian by each ansible-core on each Python of this machine; with --gates its ansible-test.

    Without options all releases are meant, else those named, such as 2.17.
    """
    gates = "--gates" in session.posargs
    releases = [word for word in session.posargs if word != "--gates"] or list(PYTHONS)
    if unknown := sorted(set(releases) - set(PYTHONS)):
        session.error(f"no release {', '.join(unknown)}; there are {', '.join(PYTHONS)}")
    session.posargs.clear()
    counts = NOTHING
    found = []
    for controller in supported(releases):
        if interpreter(controller.python):
            found.append(controller)
        else:
            counts += Count(not_run=(f"{controller}, as python{controller.python} is not on PATH",))
    return counts + (by_ansible_test(session, found) if gates else on_hosts(session, found))


def supported(releases: list[str]) -> Iterator[Controller]:
    """Yield each of the releases on each of its Pythons."""
    for release in releases:
        for python in PYTHONS[release]:
            yield Controller(release, python)


def have(session: nox.Session, controller: Controller) -> None:
    """Have the environment of a controller."""
    python = interpreter(controller.python)
    if python is None or not have_environment(session, controller.folder, controller.pins, python):
        session.error(f"{controller} can't be installed; what pip says is above")


def on_hosts(session: nox.Session, found: list[Controller]) -> Count:
    """Run the roles in the first round of the matrix, once for each controller, and note what became of it."""
    counts = install_collection(session)
    environment = lab_environment(session, ("matrix",))
    if not steps(session, "matrix", environment, "destroy", "create", "prepare", "converge"):
        session.error("the lab does not come up; try ./run molecule matrix")
    for controller in found:
        have(session, controller)
        its_own = {**environment, "MXRELAY_LAB_PLAYBOOK": str(controller.folder / "bin/ansible-playbook")}
        seen = run_pytest(session, controller.folder.name, "molecule/matrix/tests", env=its_own)
        note(f"ansible-core {controller.release}", controller.python, passed=not seen.failed, word=WORD)
        counts += seen
    remove_lab(session, environment["MXRELAY_LAB_ENGINE"])
    return counts


def by_ansible_test(session: nox.Session, found: list[Controller]) -> Count:
    """Run the sanity tests and the unit tests of each release, on its highest Python that is here."""
    counts = NOTHING
    for controller in {controller.release: controller for controller in found}.values():
        have(session, controller)
        counts += ansible_test(session, "sanity", ("--python", controller.python), tools=controller.folder)
        counts += ansible_test(session, "units", ("--venv", "--python", controller.python), tools=controller.folder)
    return counts
