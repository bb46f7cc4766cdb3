# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the rulebooks by ansible-rulebook, in a Python environment of its own; Java is installed where there is none."""

from __future__ import annotations

import re
import shutil
import subprocess

import nox

from lab import engine
from lab.checkout import CACHE, ROOT
from lab.collection import COLLECTIONS, install_collection
from lab.counts import Count, run_pytest
from lab.own_environment import have_environment

PINS = ROOT / "requirements/eda.txt"
ENVIRONMENT = CACHE / "eda"
JAVA = "default-jre-headless"
LOWEST_JAVA = 17


def eda(session: nox.Session) -> Count:
    """Run the rulebooks with the events that their sources give; ansible-rulebook holds them against EDA's schema."""
    install_collection(session)
    environment = {
        **engine_of_rules(session),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        "PYTHONPATH": str(ROOT / "tests"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return run_pytest(session, "eda", "tests/eda", env=environment)


def engine_of_rules(session: nox.Session) -> dict[str, str]:
    """Have ansible-rulebook and Java; return what names them to tests."""
    try:
        java = java_home()
    except engine.LabError as error:
        session.error(str(error))
    if not have_environment(session, ENVIRONMENT, PINS):
        session.error(f"{PINS.name} can't be installed; what pip says is above")
    return {"JAVA_HOME": java, "MXRELAY_LAB_EDA": str(ENVIRONMENT / "bin")}


def java_home() -> str:
    """Return the home of a Java that the rule engine runs on; install one where there is none. Raises LabError."""
    found = java_there()
    if not found:
        engine.install(JAVA)
        found = java_there()
    if not found:
        raise engine.LabError(f"the rule engine needs Java {LOWEST_JAVA} or later, and {JAVA} is older; install one")
    return found


def java_there() -> str:
    """Return the home of this machine's Java, the empty string where it has none or one that is too old."""
    if shutil.which("java") is None:
        return ""
    command = ["java", "-XshowSettings:properties", "-version"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    home = re.search(r"^ *java\.home = (.+)$", said, re.MULTILINE)
    release = re.search(r"^ *java\.specification\.version = (\d+)", said, re.MULTILINE)
    return home[1] if home and release and int(release[1]) >= LOWEST_JAVA else ""
