# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gathers the evidence about a host's relay domains. Nothing is changed."""

from __future__ import annotations

import os
from typing import Any, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx_host import (
    MapReader,
    read_classes,
    read_parameters,
    read_relay_domains,
    read_service,
    transport_keys,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import (
    index_state,
    read_settings,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.table_reference import local_members
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.changes import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings import (
    DomainEvidence,
    TableEvidence,
    judge,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx_host import Capture, DomainRows, HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_name
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.recipient_digest import rows_by_domain
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

_TABLE_PARAMETERS = ("relay_domains", "relay_recipient_maps", "transport_maps")
_INDEXED = ("hash", "btree", "lmdb", "cdb", "texthash")


def inform(params: Mapping[str, Any], postfix: Postfix, network: Network) -> Outcome:
    """Evidence and findings as a module's outcome. Raises InvalidInput for a name that is no domain."""
    wanted = [domain_name(name, f"domains[{index}]") for index, name in enumerate(params.get("domains") or [])]
    if not postfix.installed():
        raise HostError(
            f"no Postfix with its configuration in {postfix.config_directory}; install it, or correct config_directory"
        )
    reader = MapReader(postfix)
    state = read_parameters(postfix, reader)
    read_relay_domains(wanted, state, reader)
    names = list(dict.fromkeys(wanted)) or sorted(one for one in state.relayed if not one.startswith("."))
    read_classes(names, state, reader)
    if not wanted:
        names = [one for one in names if "mydestination" not in state.classes.get(one, {})]
    read_service(postfix, state)
    state.own_addresses = network.own_addresses()
    state.dns_lacks = network.lacks()
    tables, domains = gather(names, postfix, state, reader, network)
    return Outcome(
        results={
            "domains": {one.name: _evidence(one, state) for one in domains},
            "findings": [one.as_result() for one in judge(state, tables, domains)],
            "tables": [vars(one) for one in tables],
            "relay_restrictions": state.value("smtpd_relay_restrictions"),
            "addresses": sorted(state.own_addresses),
            "dns": not state.dns_lacks,
            "notes": reader.notes,
        }
    )


def gather(
    names: Sequence[str], postfix: Postfix, state: HostState, reader: MapReader, network: Network | None
) -> tuple[list[TableEvidence], list[DomainEvidence]]:
    """The evidence about domains of a host whose parameters, relay domains, classes and addresses are in `state`.

    Without `network` nothing is asked of DNS, and what only DNS can tell is left open.
    """
    return _tables(postfix, state, reader), _domains(names, state, reader, network)


def _tables(postfix: Postfix, state: HostState, reader: MapReader) -> list[TableEvidence]:
    settings = read_settings(postfix, _TABLE_PARAMETERS)
    found = []
    for parameter in _TABLE_PARAMETERS:
        for reference in local_members(state.value(parameter)):
            if reference.type in _INDEXED:
                entries = len(reader.source(reference.path).entries)
                there = os.path.exists(reference.path)
                state_of_index = index_state(postfix, reference, settings) if there else "without a source"
                found.append(TableEvidence(parameter, str(reference), state_of_index, entries))
    return found


def _domains(
    names: Sequence[str], state: HostState, reader: MapReader, network: Network | None
) -> list[DomainEvidence]:
    answers = _transport_answers(names, state, reader)
    rows, other_maps = _recipient_rows(state, reader)
    found = [
        DomainEvidence(
            name=name,
            relayed=state.relayed.get(name, ""),
            classes=state.classes.get(name, {}),
            recipients=rows.get(name, DomainRows()).count + rows.get(name, DomainRows()).postmaster,
            wildcard=rows.get(name, DomainRows()).wildcard,
            other_maps=other_maps,
            answer=answers.get(name),
        )
        for name in names
    ]
    if network is not None:
        _ask_dns(found, network)
    return found


def _ask_dns(found: Sequence[DomainEvidence], network: Network) -> None:
    """Completes the evidence by what DNS says of the domains and of their nexthops."""
    addresses = network.addresses({one.nexthop for one in found if one.nexthop})
    unresolved = sorted({one.nexthop for one in found if one.nexthop} - set(addresses))
    exchangers = network.exchangers([*(one.name for one in found), *unresolved])
    for one in found:
        one.nexthop_addresses = addresses.get(one.nexthop, ())
        one.exchangers = exchangers.get(one.name)
        one.nexthop_unknown = one.nexthop in unresolved and exchangers.get(one.nexthop) == ()


def _transport_answers(names: Sequence[str], state: HostState, reader: MapReader) -> dict[str, Capture]:
    """What Postfix would find for each domain: each key, from the address to `*`, in all members in turn."""
    keys = {name: transport_keys(name) for name in names}
    asked = sorted({key for several in keys.values() for key in several})
    members = split_items(state.value("transport_maps"))
    answers = {member: reader.ask(member, asked) for member in members}
    found = {}
    for name in names:
        hits = [(key, member) for key in keys[name] for member in members if key in answers[member]]
        if hits:
            key, member = hits[0]
            found[name] = Capture(member, key, answers[member][key])
    return found


def _recipient_rows(state: HostState, reader: MapReader) -> tuple[dict[str, DomainRows], bool]:
    """Rows of the local tables together, and whether there are maps whose rows can't be listed."""
    members = split_items(state.value("relay_recipient_maps"))
    local = [one for one in local_members(" ".join(members)) if one.type in _INDEXED]
    rows: dict[str, str] = {}
    for reference in local:
        rows.update({entry.key.lower(): entry.value for entry in reader.source(reference.path).entries})
    return rows_by_domain(rows, frozenset(), frozenset()), len(local) < len(members)


def _evidence(domain: DomainEvidence, state: HostState) -> dict[str, Any]:
    return {
        "relayed": domain.relayed,
        "classes": dict(domain.classes),
        "recipients": domain.recipients,
        "wildcard": domain.wildcard,
        "other_maps": domain.other_maps,
        "transport": vars(domain.answer) if domain.answer else None,
        "mx": (
            [
                {
                    "preference": one.preference,
                    "host": one.host,
                    "addresses": list(one.addresses),
                    "this_host": state.is_self(one.host, one.addresses, ()),
                }
                for one in domain.exchangers
            ]
            if domain.exchangers is not None
            else None
        ),
    }
