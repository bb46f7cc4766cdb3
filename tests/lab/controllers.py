# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the playbooks as AWX runs them, in the execution environments that are built for it; create what AWX needs."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys

import ansible
import nox

from lab import execution_environment
from lab.checkout import CACHE
from lab.collection import install_collection
from lab.commands import succeeds
from lab.counts import Count, run_pytest
from lab.engine import say
from lab.environment import lab_environment, remove_lab
from lab.scenarios import steps

# The last release of the package that has awx.awx.
WITH_AWX = "ansible==12.3.0"
MODULES = CACHE / WITH_AWX


def awx(session: nox.Session) -> Count:
    """Run the jobs with the newest ansible-core, with --long also with the lowest; run awx_setup."""
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
    environment["MXRELAY_LAB_WITH_AWX"] = f"{environment['ANSIBLE_COLLECTIONS_PATH']}:{modules(session)}"
    if not steps(session, "both", environment, "destroy", "create"):
        session.error("the lab does not come up; try ./run molecule both")
    counts = run_pytest(session, "awx", "tests/awx", env=environment)
    remove_lab(session, engine)
    if not os.environ.get("CONTROLLER_HOST"):
        counts += Count(not_run=("awx_setup on a real AWX, as CONTROLLER_HOST is not set",))
    return counts


def modules(session: nox.Session) -> pathlib.Path:
    """Return the folder with the collection awx.awx; it is installed where the package ansible no longer has it."""
    shipped = pathlib.Path(ansible.__file__).parents[1]
    if (shipped / "ansible_collections/awx").is_dir():
        return shipped
    if not MODULES.is_dir():
        say(f"installing {WITH_AWX} for its collection awx.awx")
        new = MODULES.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps")
        if not succeeds(session, *pip, "--target", str(new), WITH_AWX, quietly=True):
            session.error(f"{WITH_AWX} can't be installed; what pip says is above")
        # Of the others the newer release is there.
        for other in (new / "ansible_collections").iterdir():
            if other.name != "awx":
                shutil.rmtree(other) if other.is_dir() else other.unlink()
        new.rename(MODULES)
    return MODULES
