# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie in a checkout, and copies of it that lie where a collection must."""

from __future__ import annotations

import os
import pathlib
import shutil

import nox

from lab.commands import said

ROOT = pathlib.Path(__file__).parents[2]
CACHE = ROOT / ".cache"
REPORTS = CACHE / "reports"
# Labs that are up at the same time differ in name; each has the collection installed for itself.
LAB = os.environ.get("MXRELAY_LAB", "mxrelay")
COLLECTION_PATH = pathlib.Path("ansible_collections/mxrelay/postfix")


def project_files(session: nox.Session) -> list[str]:
    """Return the files of this checkout that git tracks or would track."""
    listed = said(session, "git", "ls-files", "--cached", "--others", "--exclude-standard")
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


def copy_as_repository(session: nox.Session, top: pathlib.Path) -> pathlib.Path:
    """Copy the checkout as `copy_tree` does, for a tool that looks at what git has.

    Below a checkout that ignores it, such a tool would find no files; a repository of its own has them all.
    """
    target = copy_tree(session, top)
    with session.chdir(target):
        session.run("git", "init", "--quiet", external=True, log=False)
        session.run("git", "add", "--all", external=True, log=False)
    return target


def copy_tree(session: nox.Session, top: pathlib.Path) -> pathlib.Path:
    """Copy the checkout to where a collection must be below `top`; return the copy's path."""
    target = top / COLLECTION_PATH
    shutil.rmtree(top, ignore_errors=True)
    for name in project_files(session):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    return target
