# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The domains for which this host takes mail as its own, or for those that it relays for.

Mail for anywhere else is foreign. A member that takes in domains which nobody listed makes foreign mail ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import is_table, type_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import (
    ANY,
    PATTERNS,
    spoken_by_name,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.passage import Doubt

PARAMETERS = ("mydestination", "relay_domains", "virtual_alias_domains", "virtual_mailbox_domains")
_DEEPEST = 10


@dataclass(frozen=True)
class Destinations:
    """The names that are listed, and what of the lists cannot be shown to hold nothing else."""

    names: frozenset[str] = frozenset()
    doubts: tuple[Doubt, ...] = ()
    needed: frozenset[str] = frozenset()

    def is_ours(self, key: str) -> bool:
        """Whether a key of an access table, an address or a domain, is at a listed domain or below one."""
        domain = key.rpartition("@")[2].lower().lstrip(".")
        labels = domain.split(".")
        return any(".".join(labels[place:]) in self.names for place in range(len(labels)))


def destinations(state: HostState) -> Destinations:
    """All of them, by main.cf; services can't have their own, as trivial-rewrite(8) and smtpd(8) have to agree."""
    names: set[str] = set()
    doubts: list[Doubt] = []
    needed: set[str] = set()
    parents = "relay_domains" in split_items(state.value("parent_domain_matches_subdomains").lower())
    for parameter in PARAMETERS:
        for member in _flat(split_items(state.value(parameter)), state, needed, 0):
            if member.startswith("!"):
                continue
            if is_table(member):
                listed, doubt = _of_table(parameter, member, state, needed)
                names |= listed
                doubts += [doubt] if doubt else []
                continue
            names.add(member.lower().lstrip("."))
            top_level = "." not in member.strip(".") and (parents or member.startswith("."))
            if parameter == "relay_domains" and top_level and member.lower() != "localhost":
                doubts.append(Doubt(parameter, member, "it takes in every domain below it", True))
    return Destinations(frozenset(names), tuple(doubts), frozenset(needed))


def _flat(members: Sequence[str], state: HostState, needed: set[str], depth: int) -> list[str]:
    """The members, with files replaced by the patterns in them."""
    found: list[str] = []
    for member in members:
        if not member.startswith("/") or depth > _DEEPEST:
            found.append(member)
        elif member in state.contents:
            inner = [pattern for pattern, _result in state.contents[member].entries or ()]
            found += _flat(inner, state, needed, depth + 1)
        else:
            needed.add(member)
    return found


def _of_table(parameter: str, table: str, state: HostState, needed: set[str]) -> tuple[set[str], Doubt | None]:
    content = spoken_by_name(table) or state.contents.get(table)
    if content is None:
        needed.add(table)
        return set(), Doubt(parameter, table, "it could not be read")
    if content.answers or any(key == ANY for key, _result in content.entries or ()):
        return set(), Doubt(parameter, table, "it takes in domains that are nobody's", True)
    if content.entries is None or type_of(table) in PATTERNS:
        return set(), Doubt(parameter, table, "a table of its type only answers; the domains in it cannot be listed")
    return {key.rpartition("@")[2].lower() for key, _result in content.entries}, None
