# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have every Python of a session note which branches of the collection it takes: here, and on the hosts of the lab.

What hosts need for that is mounted into their containers, so that images and hosts are the same with it and without.
Not measured are processes that are killed, and those that empty their environment before they fork.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import shutil
import zipfile
from collections.abc import Mapping

import nox

from lab.checkout import CACHE, COLLECTION_PATH
from lab.engine import say

# Names the folder that data goes to, while a session is measured.
SWITCH = "MXRELAY_LAB_COVERAGE"
LIBRARY = CACHE / "coverage-library"
# Those of the lab's suites, see docs/matrix.md.
HOST_PYTHONS = ("3.9", "3.11", "3.13", "3.14")
# On the hosts.
HOST_LIBRARY = "/usr/lib/mxrelay-coverage"
HOST_DATA = "/var/lib/mxrelay-coverage"
# Python reads it whenever it starts, also with -I.
HOST_START = "/usr/lib/python3/dist-packages/mxrelay-coverage.pth"
# For all units whose names begin with `mxrelay-`; our programs may write nothing else.
HOST_UNITS = "/usr/local/lib/systemd/system/mxrelay-.service.d"

CONFIGURATION = """\
[run]
branch = true
parallel = true
sigterm = true
patch = _exit, fork
data_file = {data}/data
include = */{collection}/plugins/*
"""
# What starts it: here, and on the hosts, whose processes have no variables of ours.
HERE = "import coverage\n\ncoverage.process_startup()\n"
START = f"""\
import os, sys; \
os.environ.setdefault("COVERAGE_PROCESS_START", "{HOST_LIBRARY}/coveragerc"); \
sys.path.append("{HOST_LIBRARY}"); \
import coverage; \
coverage.process_startup()
"""
DROP_IN = f"[Service]\nReadWritePaths=-{HOST_DATA}\n"


def measure(session: nox.Session, data: pathlib.Path) -> None:
    """Measure what this session starts from here on; its data goes to an empty folder of this name."""
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    data.chmod(0o1777)  # users of the hosts write here
    here = start_of(data)
    here.mkdir(exist_ok=True)
    (here / "coveragerc").write_text(configuration(str(data)))
    (here / "sitecustomize.py").write_text(HERE)
    have_library(session)
    os.environ[SWITCH] = str(data)


def start_of(data: pathlib.Path) -> pathlib.Path:
    """Return the folder, beside the one for data, that starts coverage in each Python here."""
    return data.with_name(f"{data.name}-start")


def have_library(session: nox.Session) -> None:
    """Have coverage of the version that is installed here, as each Python of the hosts can import it, and its start."""
    version = importlib.metadata.version("coverage")
    made_of = LIBRARY / "made-of"
    wanted = f"{version} {HOST_PYTHONS}\n{START}{DROP_IN}{configuration(HOST_DATA)}"
    if made_of.is_file() and made_of.read_text() == wanted:
        return
    say(f"getting coverage {version} for the Pythons of the hosts")
    shutil.rmtree(LIBRARY, ignore_errors=True)
    wheels, library, units = LIBRARY / "wheels", LIBRARY / "library", LIBRARY / "units"
    for folder in (wheels, library, units):
        folder.mkdir(parents=True)
    download = ("python", "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps")
    for python in HOST_PYTHONS:
        options = ("--only-binary=:all:", f"--python-version={python}", f"--dest={wheels}", f"coverage=={version}")
        session.run(*download, *options, external=True, silent=True, log=False)
    for wheel in wheels.iterdir():
        # They differ in nothing but the names of what is compiled.
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(library)
    (library / "coveragerc").write_text(configuration(HOST_DATA))
    (LIBRARY / "start.pth").write_text(START)
    (units / "coverage.conf").write_text(DROP_IN)
    made_of.write_text(wanted)


def configuration(data: str) -> str:
    """Return what coverage is told in a process whose data goes to this folder."""
    return CONFIGURATION.format(data=data, collection=COLLECTION_PATH)


def traced(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with what has processes and hosts measured, if this session is."""
    if SWITCH not in os.environ:
        return dict(environment)
    data = pathlib.Path(os.environ[SWITCH])
    start = start_of(data)
    volumes = [
        f"{data}:{HOST_DATA}",
        f"{LIBRARY / 'library'}:{HOST_LIBRARY}:ro",
        f"{LIBRARY / 'start.pth'}:{HOST_START}:ro",
        f"{LIBRARY / 'units'}:{HOST_UNITS}:ro",
    ]
    return {
        **environment,
        "COVERAGE_PROCESS_START": str(start / "coveragerc"),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(start), environment.get("PYTHONPATH")))),
        "MXRELAY_LAB_VOLUMES": json.dumps(volumes),
    }
