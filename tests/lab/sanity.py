# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test on this machine's interpreters, with this user's package index."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import sys

import nox

from lab.checkout import CACHE, copy_as_repository
from lab.commands import said
from lab.counts import NOTHING, Count, gate

GET_PIP = pathlib.Path(__file__).with_name("get_pip.py")
# The tests that ansible-test runs once for each Python of hosts, a minute each.
OF_EACH_PYTHON = ("--test", "compile", "--test", "import")
PYTHONS_OF_HOSTS = tuple(f"3.{minor}" for minor in range(9, 15))


def sanity(session: nox.Session) -> Count:
    """Run ansible-test sanity: on this Python, and on the lowest of hosts what hosts run; with --long on every Python.

    Other options go to ansible-test, which then decides about the Python.
    """
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    runs = [("--python", here), ("--python", lowest_python(), *OF_EACH_PYTHON)]
    if session.posargs:
        runs = [tuple(word for word in session.posargs if word != "--long")]
    return ansible_test(session, "sanity", *runs)


def units(session: nox.Session) -> Count:
    """Run the unit tests by ansible-test, in an environment that it makes; by default on the Python of ./run."""
    chosen = session.posargs or [f"--python={sys.version_info.major}.{sys.version_info.minor}"]
    return ansible_test(session, "units", ("--venv", *chosen))


def ansible_test(
    session: nox.Session, kind: str, *runs: tuple[str, ...], tools: pathlib.Path = pathlib.Path(sys.prefix)
) -> Count:
    """Run a kind of tests of ansible-test in a copy of the checkout, once for each tuple of options.

    It is the one of the environment `tools`.
    """
    home = CACHE / "ansible-test"
    bootstrap = home / f".ansible/test/cache/get_pip_{pip_wanted(session, tools).replace('.', '_')}.py"
    bootstrap.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(GET_PIP, bootstrap)
    carry_pip_settings(session, home)
    path = interpreters_first(os.environ["PATH"])
    environment = {"HOME": str(home), "PATH": f"{tools / 'bin'}{os.pathsep}{path}"}
    counts = NOTHING
    with session.chdir(copy_as_repository(session, CACHE / kind)):
        for options in runs:
            counts += gate(session, "ansible-test", kind, "--requirements", "--color", "no", *options, env=environment)
    return counts


def lowest_python() -> str:
    """Return the lowest version of Python that a host may have and this machine has."""
    return next(filter(interpreter, PYTHONS_OF_HOSTS))


def interpreter(version: str) -> str | None:
    """Return the path of an interpreter, None where there is none."""
    return shutil.which(f"python{version}", path=interpreters_first(os.environ["PATH"]))


def pip_wanted(session: nox.Session, tools: pathlib.Path) -> str:
    """Return the version of pip that the ansible-test of an environment would download to start with."""
    found = tools.glob("lib/python3.*/site-packages/ansible_test/_internal/python_requirements.py")
    texts = [path.read_text() for path in found]
    version = re.search(r"pip='([0-9.]+)'", "".join(texts))
    if version is None:
        session.error("ansible-test no longer says which pip it wants; see pip_wanted() in tests/lab/sanity.py")
    return version[1]


def carry_pip_settings(session: nox.Session, home: pathlib.Path) -> None:
    """Write the user's own pip settings (files and PIP_ variables) to a home folder that ansible-test hands to pip."""
    listed = said(session, "python", "-m", "pip", "config", "list")
    settings = dict(re.findall(r"^(?:global|user|:env:)\.(\S+)='(.*)'$", listed, re.MULTILINE))
    path = home / ".config/pip/pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} = {value.encode().decode('unicode_escape')}" for name, value in settings.items()]
    path.write_text("\n".join(["[global]", *(line.replace("\n", "\n  ") for line in lines)]) + "\n")


def interpreters_first(path: str) -> str:
    """Return the PATH with pyenv's interpreters before its shims, which answer for versions that are not set."""
    folders = path.split(os.pathsep)
    shims = [folder for folder in folders if pathlib.Path(folder).name == "shims"]
    real = [str(found) for shim in shims for found in pathlib.Path(shim).parent.glob("versions/3.*/bin")]
    return os.pathsep.join([*(folder for folder in folders if folder not in shims), *real])
