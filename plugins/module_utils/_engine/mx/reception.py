# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what strangers' mail comes by on this host: tables of rules, and whether filters and policies answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import effective
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, Rules
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reception import (
    canonical_tables,
    endpoints,
    rule_tables,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    REWRITING,
    STATUS_FILTER,
    is_client,
    parameter_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network


class Reception(NamedTuple):
    """What HostState has of it."""

    rules: Mapping[str, Rules]
    answering: Mapping[str, str]


def read_reception(domains: Sequence[str], state: HostState, reader: MapReader, network: Network) -> Reception:
    """What the tables say, also of mail for these domains, and which filters, milters and policies answer."""
    found = {table: _rules(table, keys, reader) for table, keys in _keys(domains, state).items()}
    asked = endpoints(replace(state, rules=found))
    return Reception(found, network.answers(asked, state.value("mail_owner") or "postfix") if asked else {})


def with_new_rules(
    domains: Sequence[str], after: HostState, before: HostState, ours: Collection[str], reader: MapReader
) -> HostState:
    """The state that a run would leave, with what the tables say that mail comes by only then, but for our own."""
    known = _keys(domains, before)
    new = {
        table: _rules(table, keys, reader)
        for table, keys in _keys(domains, after).items()
        if table not in ours and (table not in known or not set(keys) <= set(known[table]))
    }
    return replace(after, rules={**after.rules, **new})


def _keys(domains: Sequence[str], state: HostState) -> dict[str, list[str]]:
    """The tables that mail comes by, each with what it is asked for."""
    keys: dict[str, list[str]] = {table: [] for table in _tables_of_clients(state)}
    for rules in [*rule_tables(state, domains), *canonical_tables(state)]:
        keys.setdefault(rules.table, []).extend(rules.keys)
    return keys


def _rules(table: str, keys: Sequence[str], reader: MapReader) -> Rules:
    return Rules(reader.results(table), reader.ask(table, list(dict.fromkeys(keys))))


def _tables_of_clients(state: HostState) -> list[str]:
    """The tables by which services that send mail change it."""
    sending = [service for service in state.services if service.type == "unix" and is_client(service)]
    names = (*REWRITING, STATUS_FILTER)
    values = [effective(state, service, parameter_of(service, name)) for service in sending for name in names]
    return [table for value in values for table in split_items(value)]
