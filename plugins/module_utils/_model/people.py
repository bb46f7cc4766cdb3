# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the addresses of people out of what is told of a host, which others may read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, each_hop
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lookups import RecipientLookups
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import ROLES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.quoted import ADDRESS, SOMEBODY

_NO_PERSON = ("@", *(f"{role}@" for role in ROLES))
# What may stand right before an address, and in one.
_BEFORE = re.compile(r"[='`\[{*!?|/]")


def people_of(lookups: RecipientLookups, domains: Sequence[DomainEvidence]) -> frozenset[str]:
    """The addresses that tables of the host list or rewrite, as far as findings could name them.

    A domain's postmaster and abuse are roles, and no secrets.
    """
    found = {address.lower() for address in _addresses(lookups, domains)}
    return frozenset(address for address in found if address and not address.startswith(_NO_PERSON))


def _addresses(lookups: RecipientLookups, domains: Sequence[DomainEvidence]) -> Iterator[str]:
    for domain in each_hop(domains):
        yield from (domain.probe_recipient, *domain.tagged.values())
    yield from lookups.listed.values()
    for answers in (*lookups.answers.values(), *lookups.rewritten.values()):
        for address, result in answers.items():
            yield address
            yield from split_items(result)


def unnamed(told: Any, people: Collection[str] | None = None) -> Any:
    """What is told, wherever it is text of a result, without these addresses; None stands for everybody's."""
    if isinstance(told, str):
        return ADDRESS.sub(lambda found: _unnamed_address(found.group(), people), told)
    if isinstance(told, Mapping):
        return {unnamed(name, people): unnamed(value, people) for name, value in told.items()}
    if isinstance(told, (list, tuple)):
        return [unnamed(value, people) for value in told]
    return told


def _unnamed_address(found: str, people: Collection[str] | None) -> str:
    """What looks like an address, which may have what stands before or behind it as well, as in `to='a@x.example'`."""
    if people is None or found.lower() in people:
        return SOMEBODY
    bare = found.rstrip("'`]}>*!?")
    starts = [0, *(match.end() for match in _BEFORE.finditer(bare))]
    for start in starts:
        if bare[start:].lower() in people:
            return f"{found[:start]}{SOMEBODY}{found[len(bare):]}"
    return found
