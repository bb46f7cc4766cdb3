# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the installed collection against a real host: the table engine's attacks, the modules' integration tests."""

from __future__ import annotations

import os
import pathlib

import nox

from lab.collection import COLLECTIONS, install_collection
from lab.commands import succeeds
from lab.counts import Count, run_pytest
from lab.environment import lab_environment, remove_lab
from lab.scenarios import steps

# What an attack finds is told as it goes, so the output is not captured.
ATTACKS = ("--capture=no", "tests/faults")
INTEGRATION = ("--capture=no", "tests/integration")


def module_environment(session: nox.Session) -> dict[str, str]:
    """Have the lab's network and images; return what tests read that import the installed collection."""
    environment = lab_environment(session)
    environment["PYTHONPATH"] += f"{os.pathsep}{COLLECTIONS}"
    return environment


def faults_host(session: nox.Session) -> dict[str, str]:
    """Bring up a new lab; return what the attacks on its host read."""
    environment = module_environment(session)
    if not steps(session, "both", environment, "destroy", "create"):
        session.error("the lab does not come up; try ./run molecule both")
    return environment


def attack_once(session: nox.Session, environment: dict[str, str], attacks: str, report: pathlib.Path) -> None:
    """Run the attacks that pytest's -k names, up to the first that finds something; write the report."""
    options = ("--exitfirst", "-k", attacks, f"--junitxml={report}")
    succeeds(session, "python", "-m", "pytest", *ATTACKS, *options, env=environment)


def faults(session: nox.Session) -> Count:
    """Run the attacks on the table engine."""
    install_collection(session)
    environment = faults_host(session)
    counts = run_pytest(session, "faults", *ATTACKS, env=environment)
    remove_lab(session, environment["MXRELAY_LAB_ENGINE"])
    return counts


def integration(session: nox.Session) -> Count:
    """Run the integration tests of the modules, which bring up their own hosts."""
    install_collection(session)
    environment = module_environment(session)
    counts = run_pytest(session, "integration", *INTEGRATION, env=environment)
    remove_lab(session, environment["MXRELAY_LAB_ENGINE"])
    return counts
