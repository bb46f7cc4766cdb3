# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's artifact: build it, hold it against what users need, install it for the lab."""

from __future__ import annotations

import pathlib
import shutil
import tarfile

import nox

from lab.checkout import CACHE, COLLECTION_PATH, LAB, copy_tree
from lab.commands import said
from lab.counts import FAILED, PASSED, Count, gate
from lab.reproducible import normalise

SOURCE = CACHE / LAB / "source"
ARTIFACT = CACHE / LAB / "artifact"
COLLECTIONS = CACHE / LAB / "collections"
INSTALLED = COLLECTIONS / COLLECTION_PATH
PACKED = CACHE / LAB / "packed"  # what Ansible makes of its modules, see lab.callbacks

# What a user of the collection needs, and nothing else, is in the artifact.
SHIPPED = {
    "FILES.json",
    "MANIFEST.json",
    "CHANGELOG.md",
    "CHANGELOG.rst",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "LICENSES",
    "README.md",
    "SECURITY.md",
    "changelogs",
    "docs",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}
SHIPPED_ALWAYS = (
    "MANIFEST.json",
    "FILES.json",
    "README.md",
    "LICENSE",
    "meta/runtime.yml",
    "plugins",
    "roles",
    "playbooks",
)


def install_collection(session: nox.Session) -> Count:
    """Build the artifact and install it where the lab's playbooks find it: what users get is what runs.

    In a clone of a release's tag it is the file that was released, to the byte.
    """
    shutil.rmtree(COLLECTIONS, ignore_errors=True)
    shutil.rmtree(ARTIFACT, ignore_errors=True)
    artifact = build_artifact(session, copy_tree(session, SOURCE), ARTIFACT, commit_time(session))
    install_it = ("ansible-galaxy", "collection", "install", "--offline", "--force", "--collections-path")
    only_ours = {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
    return PASSED + gate(session, *install_it, str(COLLECTIONS), str(artifact), env=only_ours, quietly=True)


def build_artifact(
    session: nox.Session, source: pathlib.Path, folder: pathlib.Path, epoch: int, **extra: str
) -> pathlib.Path:
    """Build the artifact of a tree to a folder without any, with that time on all files; return its path."""
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(folder), "SOURCE_DATE_EPOCH": str(epoch), **extra}
    command = ("ansible-galaxy", "collection", "build", "--output-path", str(folder), str(source))
    session.run(*command, env=environment, external=True, silent=True, log=False)
    (artifact,) = folder.glob("*.tar.gz")
    normalise(artifact, epoch)
    return artifact


def commit_time(session: nox.Session) -> int:
    """Return the time of the checkout's commit, in seconds since the epoch."""
    return int(said(session, "git", "show", "--no-patch", "--format=%ct", "HEAD"))


def build(session: nox.Session) -> Count:
    """Build the artifact, hold its content against what users need, and install it."""
    counts = install_collection(session)
    for artifact in ARTIFACT.glob("*.tar.gz"):
        faults = content_faults(artifact)
        if faults:
            session.warn(f"the artifact {faults}")
        counts += FAILED if faults else PASSED
    return counts


def content_faults(artifact: pathlib.Path) -> str:
    """Return what is wrong with the content of an artifact, the empty string where nothing is."""
    with tarfile.open(artifact) as archive:
        names = archive.getnames()
    surplus = sorted({name.split("/")[0] for name in names} - SHIPPED)
    missing = [name for name in SHIPPED_ALWAYS if name not in names]
    return f"has not for users: {surplus or 'nothing'}; misses: {missing or 'nothing'}" if surplus or missing else ""
