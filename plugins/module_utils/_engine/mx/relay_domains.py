# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a host, and DNS, say of relay domains: their classes, what else routes them, who their MX hosts are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import (
    MapReader,
    named_files,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    Member,
    lookup_keys,
    match,
    members_of,
    type_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.delimiters import (
    DELIMITER,
    OWNER_REQUEST,
    delimiters_after,
    recipient_keys,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import PRIMARY, SECONDARY
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import interface_names
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    OTHER_CLASSES,
    Capture,
    HostState,
    MxRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refused_mail import RETRYING
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    EXTERNAL,
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import WHOLE_KEYS
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network

# No address of a person: it finds the patterns that take every address of a domain.
PROBE_LOCAL_PART = "mxrelay-probe"


class RelayDomains(NamedTuple):
    """What relay_domains names, as HostState has it."""

    relay_parents: bool
    relayed: Mapping[str, str]
    unlisted_relay_members: Sequence[str]


def read_relay_domains(declared: Sequence[str], state: HostState, reader: MapReader) -> RelayDomains:
    value = state.value("relay_domains")
    parents = {member.lower() for member in split_items(state.value("parent_domain_matches_subdomains"))}
    written = {member.lower() for member in split_items(state.explicit.get("relay_domains", ""))}
    indirect = next((member for member in written if member.startswith("$")), "relay_domains")
    relayed: dict[str, str] = {}
    unlisted: list[str] = []
    for text in split_items(value):
        for member in members_of(text, named_files([text])):
            if member.negated:
                continue
            if member.kind == "pattern":
                source = text if text != member.text else member.text if member.text in written else indirect
                relayed.setdefault(member.text, source)
            else:
                names = _names_of(member, declared, reader)
                if not names.listed:
                    unlisted.append(member.text)
                for name in names.found:
                    relayed.setdefault(name, member.text)
    return RelayDomains("relay_domains" in parents, relayed, unlisted)


class _Names(NamedTuple):
    found: Iterable[str]
    listed: bool


def _names_of(member: Member, declared: Sequence[str], reader: MapReader) -> _Names:
    """The domains that a table or file holds: all of them if its type can list them, else those that are declared."""
    if member.kind != "table":
        return _Names((), False)
    keys = reader.keys(member.text)
    return _Names(reader.ask(member.text, declared), False) if keys is None else _Names(keys, True)


def read_classes(declared: Sequence[str], state: HostState, reader: MapReader) -> dict[str, dict[str, str]]:
    """The other classes that declared and relayed domains are in: domain, parameter, the member that matches."""
    names = sorted({*declared, *state.relayed})
    classes: dict[str, dict[str, str]] = {}
    for parameter in OTHER_CLASSES:
        value = state.value(parameter)
        members = members_of(value, named_files(split_items(value)))
        answers = {member.text: reader.ask(member.text, names) for member in members if member.kind == "table"}
        for name in names:
            found = match(name, members, None, answers)
            if found:
                classes.setdefault(name, {})[parameter] = found.text
    return classes


def relayed_names(state: HostState) -> list[str]:
    return [name for name in state.relayed if not name.startswith(".")]


def is_own(name: str, state: HostState, classes: Mapping[str, Mapping[str, str]]) -> bool:
    return state.relayed.get(name) != name and "mydestination" in classes.get(name, {})


def look_at(wanted: Sequence[str], state: HostState, reader: MapReader) -> tuple[HostState, list[str]]:
    """The state with relay domains and classes, and the domains to look at: those wanted, else all that are relayed."""
    state = state.having(read_relay_domains(wanted, state, reader))
    names = list(dict.fromkeys(wanted)) or sorted(relayed_names(state))
    classes = read_classes(names, state, reader)
    others = [name for name in names if not is_own(name, state, classes)]
    return replace(state, classes=classes), names if wanted else others


class Captures(NamedTuple):
    """What other members of transport_maps answer, as HostState has it: by domain."""

    captures: Mapping[str, Capture]
    weak_captures: Mapping[str, Capture]


def read_captures(request: MxRequest, state: HostState, reader: MapReader) -> Captures:
    """Which answers of other members of transport_maps come before, or behind, a row that the domain has in ours."""
    strong: dict[str, Capture] = {}
    weak: dict[str, Capture] = {}
    if not request.present:
        return Captures(strong, weak)
    keys = {item.name: transport_keys(item.name) for item in request.present}
    asked = sorted({key for several in keys.values() for key in several})
    ours = state.transport
    before = True
    for member in split_items(state.value("transport_maps")):
        if ours and member in ours.replaces:
            continue
        if ours and member == ours.member:
            before = False
            continue
        answers = reader.ask(member, asked)
        for item in request.present:
            for place, key in enumerate(keys[item.name]):
                if key not in answers:
                    continue
                capture = Capture(member, key if place else f"any address of {item.name}", answers[key])
                if not (place == 0 or (place == 1 and before)):
                    weak.setdefault(item.name, capture)
                elif capture.result != (item.result or f"{item.agent}:"):
                    strong.setdefault(item.name, capture)
    return Captures(strong, weak)


def transport_keys(domain: str) -> list[str]:
    return [f"{PROBE_LOCAL_PART}@{domain}", *lookup_keys(domain, False), "*"]


def read_probes(request: MxRequest, state: HostState, reader: MapReader) -> dict[str, bool]:
    """Whether relay_recipient_maps knows the probe recipients of external domains, as a rule without what follows a
    delimiter: a table of patterns is asked for whole addresses only."""
    delimiters = delimiters_after(str(request.settings[DELIMITER]), state.value(DELIMITER))
    special = state.value(OWNER_REQUEST).lower() != "no"
    keys = {
        item.probe_recipient: recipient_keys(item.probe_recipient, delimiters, special)
        for item in request.present
        if item.policy == EXTERNAL and item.probe_recipient
    }
    found: set[str] = set()
    for member in split_items(state.value("relay_recipient_maps")) if keys else ():
        several = 1 if type_of(member) in WHOLE_KEYS else None
        found |= set(reader.ask(member, [key for asked in keys.values() for key in asked[:several]]))
    return {recipient: not found.isdisjoint(asked) for recipient, asked in keys.items()}


class Reach(NamedTuple):
    """What the network says of this host and of others, as HostState has it."""

    own_addresses: frozenset[str]
    host_addresses: Mapping[str, Sequence[str]]
    mx: Mapping[str, Sequence[MxRecord]]
    unanswered: Sequence[str]


def read_reach(network: Network, request: MxRequest, state: HostState) -> Reach:
    """Asks DNS about the domains and mail hosts that would change, and about nothing else."""
    rows = state.transport.rows if state.transport else {}
    # A domain that is relayed already is asked about where its own MX records are to take over from a row.
    secondaries = [item for item in request.present if item.role == SECONDARY]
    domains = [
        item.name
        for item in secondaries
        if item.name not in state.relayed or rows.get(item.name, "relay:") not in ("relay:", f"{RETRYING}:")
    ]
    domains += [item.name for item in request.absent if not item.force]
    declared = request.declared
    if request.settings["remove_undeclared"]:
        domains += [name for name in state.relayed if name not in declared]
    hosts: list[str] = []
    for item in request.present:
        if item.role == PRIMARY and rows.get(item.name) != item.result:
            hosts += item.nexthops
            domains += item.nexthops if item.mx_lookup else ()
    addresses = network.addresses(hosts)
    domains += [host for host in hosts if host not in addresses]
    found = network.exchangers(domains)
    silent = [name for name in domains if name not in found]
    silent += [record.host for records in found.values() for record in records if not record.resolved]
    return Reach(network.own_addresses(), addresses, found, list(dict.fromkeys(silent)))


class Interfaces(NamedTuple):
    """The addresses of the names in inet_interfaces and proxy_interfaces, as HostState has them."""

    interface_addresses: Mapping[str, Sequence[str]]


def read_interfaces(network: Network, state: HostState, wanted: Iterable[str] = ()) -> Interfaces:
    """The addresses of the names that main.cf has, and of those in `wanted`, which are to be set."""
    texts = [state.value("inet_interfaces"), state.value("proxy_interfaces"), *wanted]
    names = interface_names(member for text in texts for member in split_items(text))
    found = network.addresses(names) if names else {}
    return Interfaces({name: found.get(name, ()) for name in names})
