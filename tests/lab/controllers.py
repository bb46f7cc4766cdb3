# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the playbooks as AWX runs them, in the execution environments that are built for it."""

from __future__ import annotations

import nox

from lab import execution_environment
from lab.collection import install_collection
from lab.counts import Count, run_pytest
from lab.environment import lab_environment, remove_lab
from lab.scenarios import steps


def awx(session: nox.Session) -> Count:
    """Run the jobs with the newest ansible-core; with --long also with the lowest."""
    if session.posargs not in ([], ["--long"]):
        session.error("awx takes --long, or nothing")
    cores = [execution_environment.newest()]
    if session.posargs:
        cores.append(execution_environment.lowest())
        session.posargs.clear()
    install_collection(session)
    environment = lab_environment(session)
    engine = environment["MXRELAY_LAB_ENGINE"]
    images = {core.name: execution_environment.built(session, engine, core) for core in cores}
    environment["MXRELAY_LAB_EXECUTION_ENVIRONMENTS"] = execution_environment.named(images)
    if not steps(session, "both", environment, "destroy", "create"):
        session.error("the lab does not come up; try ./run molecule both")
    counts = run_pytest(session, "awx", "tests/awx", env=environment)
    remove_lab(session, engine)
    return counts
