# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import the artifact as Ansible Galaxy does, by galaxy-importer in an environment of its own, without a complaint."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

import nox

from lab.checkout import CACHE, LAB, ROOT, copy_tree
from lab.collection import build_artifact, commit_time
from lab.counts import FAILED, PASSED, Count
from lab.own_environment import have_environment
from lab.release import next_version, with_version

PINS = ROOT / "requirements/importer.txt"
ENVIRONMENT = CACHE / "importer"
# What a complaint begins with. Failures of single checks are lines of the log too; the code tells of the whole only.
COMPLAINT = re.compile(r"^(?:WARNING|ERROR|CRITICAL)\b.*", re.MULTILINE)
DONE = "Importer processing completed successfully"
# Beside what Galaxy checks, what certification asks. Its flake8 stays off: it reads the YAML beside filters as Python,
# and wants blanks and line breaks as black does not set them.
SETTINGS = {
    "GALAXY_IMPORTER_CHECK_CHANGELOG": "true",
    "GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true",
    "GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER": "true",
    "GALAXY_IMPORTER_RUN_ANSIBLE_DOC": "true",
}
# Most of the time is its ansible-lint's, and ./run lint runs that too, with more rules on more files.
LINT = "GALAXY_IMPORTER_RUN_ANSIBLE_LINT"


def importer(session: nox.Session) -> Count:
    """Import the artifact that the next release would have; with --long the importer runs ansible-lint too."""
    if session.posargs not in ([], ["--long"]):
        session.error("importer takes --long")
    if not have_environment(session, ENVIRONMENT, PINS):
        session.error(f"{PINS.name} can't be installed; what pip says is above")
    top = CACHE / LAB / "importer"
    source = copy_tree(session, top)
    galaxy = source / "galaxy.yml"
    galaxy.write_text(with_version(galaxy.read_text(), next_version(galaxy.read_text(), "")))
    artifact = build_artifact(session, source, top / "artifact", commit_time(session))
    log = imported(top, artifact, lint=bool(session.posargs))
    complaints = complaints_in(log)
    for line in complaints:
        session.warn(line)
    return FAILED if complaints else PASSED


def imported(folder: pathlib.Path, artifact: pathlib.Path, *, lint: bool) -> str:
    """Return what galaxy-importer says of an artifact; it writes to this folder."""
    # It calls ansible-doc and ansible-lint by their names.
    environment = {
        **os.environ,
        **SETTINGS,
        LINT: str(lint).lower(),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "GALAXY_IMPORTER_ANSIBLE_LOCAL_TMP": str(folder / "tmp"),
        "PATH": f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    command = [str(ENVIRONMENT / "bin/python"), "-m", "galaxy_importer.main", str(artifact)]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr


def complaints_in(log: str) -> list[str]:
    """Return the complaints of a log; that it has no end is one."""
    complaints = COMPLAINT.findall(log)
    if DONE not in log.splitlines():
        complaints.append(f"galaxy-importer did not come to its end: {log.strip().splitlines()[-1:]}")
    return complaints
