# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python environments beside the one of ./run, for tools whose pins do not go with those of others."""

from __future__ import annotations

import pathlib
import shutil
import sys

import nox

from lab.commands import said, succeeds
from lab.engine import say


def have_environment(
    session: nox.Session, folder: pathlib.Path, pins: pathlib.Path, python: str = sys.executable
) -> bool:
    """Have an environment of this Python in a folder, of what is pinned in that file; return whether it is there."""
    made_from = folder / "made-from"
    wanted = f"{said(session, python, '--version')}\n{pins.read_text()}"
    if made_from.is_file() and made_from.read_text() == wanted:
        return True
    say(f"installing what {pins.name} names into {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    pip = (str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    made = succeeds(session, python, "-m", "venv", str(folder), quietly=True)
    if not made or not succeeds(session, *pip, "--requirement", str(pins), quietly=True):
        return False
    made_from.write_text(wanted)
    return True
