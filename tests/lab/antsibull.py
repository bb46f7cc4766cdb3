# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the sessions of antsibull-nox, which antsibull-nox.toml configures, in an environment of its own."""

from __future__ import annotations

import os
import re

import nox

from lab.checkout import CACHE, LAB, ROOT, copy_as_repository
from lab.counts import Count, gate
from lab.own_environment import have_environment

PINS = ROOT / "requirements/antsibull.txt"
ENVIRONMENT = CACHE / "antsibull"
NOXFILE = ROOT / "antsibull-noxfile.py"
# Its sessions with ansible-test want images and archives of ansible-core; ./run sanity and ./run units run that.
SESSIONS = ("lint", "docs-check", "license-check", "extra-checks")
# The versions of ./run, for what the sessions install.
TOOLS = ("tools.txt", "constraints.txt")


def antsibull(session: nox.Session) -> Count:
    """Run the sessions in a copy of the checkout; what they install stays for the next time."""
    if session.posargs:
        session.error("antsibull takes no options")
    if not have_environment(session, ENVIRONMENT, PINS):
        session.error(f"{PINS.name} can't be installed; what pip says is above")
    versions = ENVIRONMENT / "versions.txt"
    versions.write_text("".join(constraints((ROOT / "requirements" / name).read_text()) for name in TOOLS))
    path = f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}"
    # Collections of the environment of ./run are none that the documentation names, and take minutes to read.
    only_ours = {"ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    environment = {**os.environ, **only_ours, "PATH": path, "PIP_CONSTRAINT": str(versions)}
    command = (str(ENVIRONMENT / "bin/nox"), "--noxfile", NOXFILE.name, "--envdir", str(ENVIRONMENT / "sessions"), "-r")
    with session.chdir(copy_as_repository(session, CACHE / LAB / "antsibull")):
        return gate(session, *command, "--session", *SESSIONS, env=environment)


def constraints(requirements: str) -> str:
    """Return requirements as constraints of pip, which can't name extras."""
    return re.sub(r"(?m)^([A-Za-z0-9._-]+)\[[^]]*\]", r"\1", requirements)
