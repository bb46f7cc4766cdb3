# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a bench in a lab that is up for it alone."""

from __future__ import annotations

import nox

from lab.collection import install_collection
from lab.environment import lab_environment, remove_lab

# The scenario of each bench, and the steps that make its hosts.
BENCHES = {
    "no-change": ("bench.no_change", "both", ("destroy", "create")),
    "sync": ("bench.sync", "sync", ("destroy", "create", "prepare")),
    "tables": ("bench.tables", "both", ("destroy", "create")),
}


def bench(session: nox.Session) -> None:
    """Run the bench that the session's first word names, with the other words as its options."""
    kind, *options = session.posargs or ("no-change",)
    if kind not in BENCHES:
        session.error(f"no bench {kind}; there are {', '.join(BENCHES)}")
    install_collection(session)
    module, scenario, steps = BENCHES[kind]
    environment = lab_environment(session, (scenario,))
    # Modules that are packed once and compiled once save time in tests, and users don't have them.
    del environment["ANSIBLE_CALLBACKS_ENABLED"]
    environment["MXRELAY_LAB_VOLUMES"] = "[]"
    for step in steps:
        session.run("molecule", step, "--scenario-name", scenario, env=environment, external=True, silent=True)
    session.run("python", "-m", module, *options, env=environment, external=True)
    remove_lab(session, environment["MXRELAY_LAB_ENGINE"])
