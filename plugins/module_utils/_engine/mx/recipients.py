# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the tables of recipients and of rewriting about the domains' recipients. Nothing is changed."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import (
    TableReference,
    local_members,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.access_actions import is_action
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    type_of,
    without_proxy,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import restriction_classes
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lookups import (
    NoAction,
    RecipientLookups,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.recipients import (
    RECIPIENT_MAPS,
    action_tables,
    tables_asked,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import VALUE
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import is_somebody
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import KEYED_TYPES, WHOLE_KEYS

_LETTERS = 16


def random_letters() -> str:
    """A local part that nobody has. It has nothing by which a pattern could leave it out."""
    return "".join(secrets.choice(string.ascii_lowercase) for _each in range(_LETTERS))


def read_lookups(
    names: Sequence[str], state: HostState, reader: MapReader, ours: Mapping[str, str] | None = None
) -> RecipientLookups:
    """What the tables say of a listed recipient of each domain, and of one that nobody has: one command a table.

    Keyed tables of main.cf's relay_recipient_maps are read, not asked: whether their index is as their source is seen
    elsewhere. `ours` are those whose rows a run is about to write, each with a domain of which it will have rows, ""
    for none.
    """
    if not names:
        return RecipientLookups()
    coming = ours or {}
    tables = tables_asked(state)
    rewriting = [table for table, parameter in tables.items() if parameter != RECIPIENT_MAPS]
    checked = split_items(state.value(RECIPIENT_MAPS))
    keyed = [
        table
        for table in tables
        if table not in rewriting and _reference(table) and (table in checked or without_proxy(table) in coming)
    ]
    domains = frozenset(names)
    nobody = random_letters()
    # A table that is alone has its own rows, and its wildcard rows were meant.
    several = len({*map(without_proxy, tables), *coming}) > 1
    listed = _listed(keyed, domains, reader) if several else {}
    addresses = [*(f"{nobody}@{name}" for name in names), *listed.values()]
    wildcards = ["@" + name for name in names]
    answers: dict[str, Mapping[str, str]] = {}
    for table in tables:
        if table not in keyed:
            pattern = type_of(table) in WHOLE_KEYS
            answers[table] = reader.ask(table, addresses if pattern else [*addresses, *wildcards])
        elif several and without_proxy(table) not in coming:
            rows = _rows(table, reader)
            answers[table] = {key: rows[key] for key in wildcards if key in rows}
    return RecipientLookups(
        nobody,
        listed,
        answers,
        {table: reader.problems[table] for table in tables if table in reader.problems},
        {table: _of_domains(_rows(table, reader), domains) for table in rewriting if _reference(table)},
        _no_actions(keyed, coming, state, reader),
    )


def listed_samples(state: HostState, reader: MapReader) -> dict[str, str]:
    """One recipient of each domain, no role, that local tables in relay_recipient_maps list."""
    samples: dict[str, str] = {}
    for address in listed_people(state, reader):
        samples.setdefault(_domain(address), address)
    return samples


def listed_people(state: HostState, reader: MapReader) -> Iterator[str]:
    """Every recipient that local tables in relay_recipient_maps list, without those of roles."""
    for reference in local_members(state.value(RECIPIENT_MAPS)):
        for entry in reader.source(reference.path).entries if reference.type in KEYED_TYPES else ():
            if is_somebody(entry.key.lower()):
                yield entry.key.lower()


def _reference(member: str) -> TableReference | None:
    """The member as a keyed table of this host, None if it is something else."""
    found = [reference for reference in local_members(member) if reference.type in KEYED_TYPES]
    return found[0] if len(found) == 1 and str(found[0]) == without_proxy(member) else None


def _rows(member: str, reader: MapReader) -> dict[str, str]:
    """The rows of a keyed table, by keys as Postfix folds them. Of two rows with one key the first counts."""
    reference = _reference(member)
    entries = reader.source(reference.path).entries if reference else ()
    return {entry.key.lower(): entry.value for entry in reversed(entries)}


def _of_domains(rows: Mapping[str, str], domains: frozenset[str]) -> dict[str, str]:
    """The rows of whole addresses in these domains."""
    return {key: value for key, value in rows.items() if not key.startswith("@") and _domain(key) in domains}


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _listed(keyed: Sequence[str], domains: frozenset[str], reader: MapReader) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in keyed:
        for address in _of_domains(_rows(table, reader), domains):
            if is_somebody(address):
                found.setdefault(_domain(address), address)
    return found


def _no_actions(
    keyed: Sequence[str], coming: Mapping[str, str], state: HostState, reader: MapReader
) -> dict[str, NoAction]:
    """The tables of recipients that are asked for actions, with a row of each that is none."""
    asked = set(action_tables(state))
    classes = restriction_classes(state)
    version = ".".join(map(str, state.version))
    found = {table: NoAction(domain, VALUE) for table, domain in coming.items() if domain}
    for table in keyed:
        plain = without_proxy(table)
        rows = _rows(table, reader) if plain in asked else {}
        useless = {value for value in set(rows.values()) if not is_action(value, classes, version)}
        for key, value in rows.items():
            if value in useless and "@" in key and not key.startswith("@"):
                found.setdefault(plain, NoAction(_domain(key), value))
    return found
