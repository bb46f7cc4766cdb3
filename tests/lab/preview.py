# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show what the shipped playbooks would change on the hosts of a user's own inventory."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import nox

from lab.checkout import ROOT
from lab.collection import COLLECTIONS, install_collection

GROUPS = ("primary_mx", "secondary_mx")


def show_changes(session: nox.Session) -> None:
    """Run the shipped playbooks in check mode on the user's own inventory, for the groups that it has."""
    install_collection(session)
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
    with session.chdir(os.environ.get("MXRELAY_CALLED_FROM", str(ROOT))):
        groups = groups_of(session, environment)
        if not groups:
            session.error(
                "the inventory has neither a group primary_mx nor a group secondary_mx with hosts; see README.md"
            )
        for group in groups:
            playbook = ("ansible-playbook", f"mxrelay.postfix.{group}", "--check", "--diff")
            session.run(*playbook, *session.posargs, env=environment, external=True)


def groups_of(session: nox.Session, environment: dict[str, str]) -> list[str]:
    """Return those of the playbooks' groups that the inventory of the session's options has."""
    ask = ("ansible-inventory", *inventory_options(session.posargs), "--list")
    listed = session.run(*ask, env=environment, external=True, silent=True, stderr=None, log=False)
    inventory = json.loads(str(listed))
    return [group for group in GROUPS if inventory.get(group)]


def inventory_options(words: Sequence[str]) -> list[str]:
    """Return those of ansible-playbook's options that name inventories."""
    found: list[str] = []
    for at, word in enumerate(words):
        if word in ("-i", "--inventory"):
            found += words[at : at + 2]
        elif word.startswith(("-i", "--inventory=")):
            found.append(word)
    return found
