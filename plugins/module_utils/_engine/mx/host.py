# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what an MX plan needs to know of a host. Nothing is changed, and few commands are run."""

from __future__ import annotations

import os
import re
from typing import Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host_tables import read_tables
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import (
    Evidence,
    MapReader,
    named_files,
    text_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import KEYED_TYPES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf, split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    Member,
    expand,
    lookup_keys,
    match,
    members_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.strangers import (
    ADDRESSES,
    RECIPIENTS,
    permits,
    welcomes,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    OTHER_CLASSES,
    Capture,
    HostState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    EXTERNAL,
    PRIMARY,
    SECONDARY,
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.packages import missing
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.service import service_state

OS_RELEASE = "/etc/os-release"
# No address of a person: it finds the patterns that take every address of a domain.
PROBE_LOCAL_PART = "mxrelay-probe"


def read_host(postfix: Postfix, network: Network, request: MxRequest) -> Evidence:
    """The state of the host as far as the request needs it.

    DNS and the addresses of mail hosts are asked only for domains that would change: mx_info looks at the others.
    Raises HostError where Postfix's commands fail.
    """
    if not postfix.installed():
        wanted = missing(True, [str(request.settings["table_type"])], bool(network.lacks()), text_of(OS_RELEASE))
        return Evidence(HostState(installed=False, missing_packages=wanted if request.present else []))
    reader = MapReader(postfix)
    state = read_parameters(postfix, reader, ", ".join(map(str, request.settings["relay_restrictions"])))
    evidence = Evidence(state, reader=reader)
    declared = [item.name for item in request.items]
    read_tables(postfix, request, evidence, reader)
    read_relay_domains(declared, state, reader)
    read_classes(declared, state, reader)
    _read_transport(request, state, reader)
    _read_probes(request, state, reader)
    read_network(network, request, state)
    read_service(postfix, state)
    state.notes = reader.notes
    state.missing_packages = missing(False, evidence.missing_types, bool(network.lacks()), text_of(OS_RELEASE))
    state.dns_lacks = network.lacks()
    return evidence


def read_strangers(state: HostState, reader: MapReader, wanted: str = "") -> None:
    """What the tables and classes that decide on relaying say to strangers: in main.cf, in overrides, in `wanted`."""
    overrides = [service.overrides for service in state.services]
    networks = [state.value("mynetworks")] + [one.get("mynetworks", "") for one in overrides]
    value = expand(" ".join(networks), state.values)
    state.network_files = named_files(split_items(value))
    tables = {one.text for one in members_of(value, state.network_files) if one.kind == "table"}
    state.network_answers = {one: reader.ask(one, ADDRESSES) for one in sorted(tables)}

    classes = split_items(state.value("smtpd_restriction_classes"))
    names = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
    lists = [state.value(name) for name in (*names, *classes)] + [expand(wanted, state.values)]
    lists += [expand(one[name], state.values) for one in overrides for name in names if name in one]
    found = {pair for one in lists for pair in restrictions.access_tables(one)}
    permitting = {table for action, table in sorted(found) if _permits_strangers(action, table, reader)}
    # A class may name another, so that one round for each is enough.
    for _round in classes:
        permitting |= {one for one in classes if restrictions.grants(state.value(one), permitting)}
    state.permitting = frozenset(permitting)


def _permits_strangers(action: str, table: str, reader: MapReader) -> bool:
    """Whether everybody, or whoever pretends to be the right sender, is permitted by it, or mail to everybody."""
    if action == "check_client_access":
        return welcomes(reader.ask(table, ADDRESSES))
    if action in ("check_sender_access", "check_helo_access"):
        return any(permits(one) for one in reader.values(table))
    # An index has an answer for the recipients that it lists, and for nobody else.
    if action == "check_recipient_access" and table.partition(":")[0] not in KEYED_TYPES:
        return any(permits(one) for one in reader.ask(table, RECIPIENTS).values())
    # Of the others Postfix takes no OK (postconf(5)), or they are about clients that have shown who they are.
    return False


def read_service(postfix: Postfix, state: HostState) -> None:
    service = service_state(postfix, state.value("queue_directory"))
    state.service_name, state.service_active, state.service_enabled = service.name, service.active, service.enabled
    state.reload_pending = service.reload_pending


def read_parameters(postfix: Postfix, reader: MapReader, wanted: str = "") -> HostState:
    """What main.cf and master.cf say, and what Postfix makes of them; `wanted` are relay restrictions to be set."""
    main_cf, master_cf = (os.path.join(postfix.config_directory, name) for name in ("main.cf", "master.cf"))
    state = HostState(
        installed=True,
        parameters=postfix.parameters(),
        values=postfix.parameters(options=("-x",)),
        explicit=MainCf(text_of(main_cf), main_cf).values,
        services=MasterCf(text_of(master_cf), master_cf).services,
    )
    read_strangers(state, reader, wanted)
    state.version = tuple(int(one) for one in re.findall(r"\d+", state.value("mail_version"))[:3])
    return state


def read_relay_domains(declared: Sequence[str], state: HostState, reader: MapReader) -> None:
    value = state.value("relay_domains")
    parents = {one.lower() for one in split_items(state.value("parent_domain_matches_subdomains"))}
    state.relay_parents = "relay_domains" in parents
    written = {one.lower() for one in split_items(state.explicit.get("relay_domains", ""))}
    indirect = next((one for one in written if one.startswith("$")), "relay_domains")
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
                _read_relay_table(member, declared, relayed, unlisted, reader)
    state.relayed = relayed
    state.unlisted_relay_members = unlisted


def _read_relay_table(
    member: Member, declared: Sequence[str], relayed: dict[str, str], unlisted: list[str], reader: MapReader
) -> None:
    keys = reader.keys(member.text) if member.kind == "table" else None
    if keys is not None:
        for key in keys:
            relayed.setdefault(key, member.text)
        return
    unlisted.append(member.text)
    if member.kind == "table":
        for key in reader.ask(member.text, declared):
            relayed.setdefault(key, member.text)


def read_classes(declared: Sequence[str], state: HostState, reader: MapReader) -> None:
    names = sorted({*declared, *state.relayed})
    classes: dict[str, dict[str, str]] = {}
    for parameter in OTHER_CLASSES:
        value = state.value(parameter)
        members = members_of(value, named_files(split_items(value)))
        answers = {one.text: reader.ask(one.text, names) for one in members if one.kind == "table"}
        for name in names:
            found = match(name, members, None, answers)
            if found:
                classes.setdefault(name, {})[parameter] = found.text
    state.classes = classes


def _read_transport(request: MxRequest, state: HostState, reader: MapReader) -> None:
    """Which answers of other members of transport_maps come before, or behind, a row that the domain has in ours."""
    present = request.present
    if not present:
        return
    keys = {item.name: transport_keys(item.name) for item in present}
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
        for item in present:
            _weigh(item.name, item.result or "relay:", keys[item.name], member, answers, before, state)


def transport_keys(domain: str) -> list[str]:
    return [f"{PROBE_LOCAL_PART}@{domain}", *lookup_keys(domain, False), "*"]


def _weigh(
    name: str,
    wanted: str,
    keys: Sequence[str],
    member: str,
    answers: Mapping[str, str],
    before: bool,
    state: HostState,
) -> None:
    for place, key in enumerate(keys):
        result = answers.get(key)
        if result is None:
            continue
        strong = place == 0 or (place == 1 and before)
        capture = Capture(member, key if place else f"any address of {name}", result)
        if strong and result != wanted:
            _put(state, "captures", name, capture)
        elif not strong:
            _put(state, "weak_captures", name, capture)


def _put(state: HostState, attribute: str, name: str, capture: Capture) -> None:
    known = dict(getattr(state, attribute))
    known.setdefault(name, capture)
    setattr(state, attribute, known)


def _read_probes(request: MxRequest, state: HostState, reader: MapReader) -> None:
    probes = [item.probe_recipient for item in request.present if item.policy == EXTERNAL and item.probe_recipient]
    if not probes:
        return
    found: set[str] = set()
    for member in split_items(state.value("relay_recipient_maps")):
        found |= set(reader.ask(member, [one.lower() for one in probes]))
    state.probed = {one: one.lower() in found for one in probes}


def read_network(network: Network, request: MxRequest, state: HostState) -> None:
    state.own_addresses = network.own_addresses()
    rows = state.transport.rows if state.transport else {}
    # A domain that is relayed already is asked about where its own MX records are to take over from a row.
    domains = [
        one.name
        for one in request.present
        if one.role == SECONDARY and (one.name not in state.relayed or rows.get(one.name, "relay:") != "relay:")
    ]
    domains += [one.name for one in request.absent if not one.force]
    declared = request.declared
    if request.settings["remove_undeclared"]:
        domains += [one for one in state.relayed if one not in declared]
    hosts = []
    for item in request.present:
        if item.role == PRIMARY and item.nexthop and rows.get(item.name) != item.result:
            hosts.append(item.nexthop)
            if item.mx_lookup:
                domains.append(item.nexthop)
    state.host_addresses = network.addresses(hosts)
    domains += [one for one in hosts if one not in state.host_addresses]
    state.mx = network.exchangers(domains)
