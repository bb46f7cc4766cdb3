# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates that need no host: unit tests, linters and types, documentation."""

from __future__ import annotations

import nox

from lab.checkout import CACHE, COLLECTION_PATH, copy_as_repository, copy_tree
from lab.collection import COLLECTIONS, SOURCE, install_collection
from lab.counts import Count, gate, run_pytest
from lab.traced import traced

UNIT_SOURCE = CACHE / "source"


def unit(session: nox.Session) -> Count:
    """Run the unit tests in a copy whose path is a collection's."""
    environment = traced({"PYTHONPATH": str(UNIT_SOURCE), "PYTHONDONTWRITEBYTECODE": "1"})
    with session.chdir(copy_tree(session, UNIT_SOURCE)):
        return run_pytest(session, "unit", "tests/unit", env=environment)


def lint(session: nox.Session) -> Count:
    """Lint and type-check the Python code; run ansible-lint, and the lint of changelog and licences."""
    # Roles and playbooks name the collection's own content in full, so that content must be installed.
    install_collection(session)
    ansible_home = {"ANSIBLE_HOME": str(CACHE / "ansible"), "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
    counts = gate(session, "ruff", "check", "--cache-dir", str(CACHE / "ruff"))
    counts += gate(session, "black", "--check", ".")
    counts += types(session)
    counts += gate(session, "ansible-lint", "--offline", "--strict", "--profile", "production", env=ansible_home)
    counts += gate(session, "antsibull-changelog", "lint")
    return counts + gate(session, "reuse", "lint", "--lines")


def types(session: nox.Session) -> Count:
    """Check the types in the copy that the artifact was built from: there imports by the collection's name resolve."""
    checked = [str(COLLECTION_PATH / name) for name in ("plugins", "noxfile.py", "tests/lab")]
    configured = ("--config-file", str(COLLECTION_PATH / "pyproject.toml"), "--cache-dir", str(CACHE / "mypy"))
    with session.chdir(SOURCE):
        return gate(session, "mypy", *configured, *checked)


def docs(session: nox.Session) -> Count:
    """Lint the documentation of modules and roles."""
    top = CACHE / "docs"
    # Without the collections of the virtual environment, of which ours names none, this takes seconds, not minutes.
    only_ours = {"ANSIBLE_COLLECTIONS_PATH": str(top), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    options = ("--plugin-docs", "--validate-collection-refs=all", "--skip-rstcheck")
    with session.chdir(copy_as_repository(session, top)):
        return gate(session, "antsibull-docs", "lint-collection-docs", *options, ".", env=only_ours)
