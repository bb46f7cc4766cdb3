# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gathers the evidence about relay domains that mx_plan and mx_info judge alike. Nothing is changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host_files import shut_out, written
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import (
    PROBE_LOCAL_PART,
    transport_keys,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import read_record
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import index_state
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import (
    TableReference,
    local_members,
    settings_from,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    member_of,
    type_of,
    without_proxy,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, each_hop
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    SMTP_PORTS,
    port_of_mail,
    relayed_by,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    Capture,
    DomainRows,
    HostState,
    MxRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import TableEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import VALUE, rows_by_domain
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.index_states import (
    GOOD_STATES,
    NO_SOURCE,
    NO_SUCH_TYPE,
    UNREACHABLE,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import KEYED_TYPES
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

TABLE_PARAMETERS = ("relay_domains", "relay_recipient_maps", "transport_maps")


def gather(
    names: Sequence[str],
    postfix: Postfix,
    state: HostState,
    reader: MapReader,
    network: Network | None,
    declared: Mapping[str, str] | None = None,
) -> tuple[list[TableEvidence], list[DomainEvidence]]:
    """The evidence about domains of a host whose parameters, relay domains, classes and addresses are in `state`.

    Without `network` nothing is asked of DNS, and what only DNS can tell is left open. `declared` is what the inventory
    declares each domain as, None where nobody said.
    """
    domains = _domains(names, state, reader, network)
    if network is not None:
        _ask_ports(domains, state, network)
    if declared is not None:
        for domain in domains:
            domain.declared = declared.get(domain.name, "")
    return gather_tables(postfix, state, reader), domains


def gather_tables(postfix: Postfix, state: HostState, reader: MapReader) -> list[TableEvidence]:
    """The evidence about each local table by which mail is relayed, and each that Postfix can't open or ask."""
    settings = settings_from(state.values, TABLE_PARAMETERS)
    found = []
    for parameter in TABLE_PARAMETERS:
        value = state.value(parameter)
        for reference in local_members(value):
            if reference.type in KEYED_TYPES:
                entries = len(reader.source(reference.path).entries)
                modified = written(reference.path)
                state_of_index = index_state(postfix, reference, settings) if modified is not None else NO_SOURCE
                keeps_out = "" if f"proxy:{reference}" not in split_items(value) else shut_out(reference.path, state)
                found.append(TableEvidence(parameter, str(reference), state_of_index, entries, modified, keeps_out))
    working = {type_of(table.reference) for table in found if table.index in GOOD_STATES}
    found += _unsupported(postfix, state, working)
    lost = {table.reference for table in found if table.index == NO_SUCH_TYPE}
    return found + [table for table in _unreachable(state, reader) if without_proxy(table.reference) not in lost]


def _unsupported(postfix: Postfix, state: HostState, working: Collection[str]) -> list[TableEvidence]:
    """The maps whose type this Postfix does not have. What it has is the list of postconf -m."""
    members = [
        (parameter, member_of(text)) for parameter in TABLE_PARAMETERS for text in split_items(state.value(parameter))
    ]
    doubtful = [
        (parameter, member)
        for parameter, member in members
        if member.kind == "table" and type_of(member.text) not in working
    ]
    known = set(postfix.run("postconf", "-m").out.split()) if doubtful else set()
    return [
        TableEvidence(parameter, without_proxy(member.text), NO_SUCH_TYPE, 0)
        for parameter, member in doubtful
        if known and type_of(member.text) not in known
    ]


def _unreachable(state: HostState, reader: MapReader) -> list[TableEvidence]:
    """The tables of relay domains and transports that do not answer; those with an index are judged by that."""
    found = []
    for parameter in ("relay_domains", "transport_maps"):
        members = [member_of(text) for text in split_items(state.value(parameter))]
        for table in [member.text for member in members if member.kind == "table"]:
            if not reader.asked.intersection((table, without_proxy(table))):
                reader.ask(table, [PROBE_LOCAL_PART])
            problem = reader.problems.get(table) or reader.problems.get(without_proxy(table))
            if problem and not any(reference.type in KEYED_TYPES for reference in local_members(table)):
                found.append(TableEvidence(parameter, table, UNREACHABLE, 0, problem=problem))
    return found


def _domains(
    names: Sequence[str], state: HostState, reader: MapReader, network: Network | None
) -> list[DomainEvidence]:
    answers = transport_answers(names, state, reader)
    rows, other_maps = _recipient_rows(state, reader)
    verified = _verified(names, state, reader)
    routed = _addresses("transport_maps", state, reader)
    listed = _addresses("relay_recipient_maps", state, reader) if routed else {}
    found = [
        DomainEvidence(
            name=name,
            relayed=relayed_by(name, state),
            classes=state.classes.get(name, {}),
            recipients=rows.get(name, DomainRows()).addresses,
            recipients_digest=rows.get(name, DomainRows()).digest,
            wildcard=rows.get(name, DomainRows()).wildcard,
            other_maps=other_maps,
            verified=name in verified,
            answer=answers.get(name),
            relay_transport=state.value("relay_transport"),
            routed_addresses=len(routed.get(name, ())),
            all_routed=name in routed and listed.get(name, set()) <= routed[name],
        ).with_others()
        for name in names
    ]
    if network is not None:
        _ask_dns(each_hop(found), network)
    return found


def _addresses(parameter: str, state: HostState, reader: MapReader) -> dict[str, set[str]]:
    """The whole addresses that the local tables of a parameter have rows of, by domain."""
    found: dict[str, set[str]] = {}
    for reference in local_members(state.value(parameter)):
        for entry in reader.source(reference.path).entries if reference.type in KEYED_TYPES else ():
            local_part, _at, domain = entry.key.lower().rpartition("@")
            if local_part:
                found.setdefault(domain, set()).add(f"{local_part}@{domain}")
    return found


def _verified(names: Sequence[str], state: HostState, reader: MapReader) -> set[str]:
    """The domains whose recipients smtpd asks their mail host about, by a table of recipients' domains."""
    tables = [
        table
        for name in ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
        for action, table in restrictions.access_tables(state.value(name))
        if action == "check_recipient_access"
    ]
    return {
        key
        for table in dict.fromkeys(tables)
        for key, result in reader.ask(table, names).items()
        if restrictions.VERIFYING in restrictions.names(result)
    }


def _ask_dns(found: Sequence[DomainEvidence], network: Network) -> None:
    """Completes the evidence by what DNS says of the domains and of their nexthops."""
    addresses = network.addresses({domain.nexthop for domain in found if domain.nexthop})
    unresolved = {domain.nexthop for domain in found if domain.nexthop} - set(addresses)
    looked_up = {domain.nexthop for domain in found if domain.nexthop and not domain.bracketed}
    exchangers = network.exchangers([*(domain.name for domain in found), *sorted(unresolved | looked_up)])
    policies = network.policies([domain.name for domain in found])
    for domain in found:
        domain.asked = True
        domain.nexthop_addresses = addresses.get(domain.nexthop, ())
        domain.nexthop_exchangers = None if domain.bracketed else exchangers.get(domain.nexthop)
        domain.exchangers = exchangers.get(domain.name)
        domain.nexthop_unknown = domain.nexthop in unresolved and _leads_nowhere(domain, exchangers.get(domain.nexthop))
        domain.policy = policies.get(domain.name)


def _ask_ports(found: Sequence[DomainEvidence], state: HostState, network: Network) -> None:
    """Completes the evidence by who answers at this host's addresses, if Postfix has no service on port 25."""
    ports = {port_of_mail(service) for service in state.services} - {""}
    if not ports or ports.intersection(SMTP_PORTS):
        return
    own = {address for domain in found for record in domain.exchangers or () for address in record.addresses}
    asked = {f"inet:{address}:25": address for address in sorted(own & state.own_addresses)}
    said = network.answers(asked, state.value("mail_owner") or "postfix") if asked else {}
    for domain in found:
        domain.silent = {asked[endpoint]: why for endpoint, why in said.items() if why}


def _leads_nowhere(domain: DomainEvidence, records: Sequence[MxRecord] | None) -> bool:
    """Whether DNS answered about a nexthop without address, and no MX record of it counts."""
    return records is not None and (domain.bracketed or not records)


def transport_answers(names: Sequence[str], state: HostState, reader: MapReader) -> dict[str, Capture]:
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
    """Rows of the local tables together, and whether there are maps whose rows can't be listed.

    Whatever their values are, they say the same, so that digests are of addresses alone.
    """
    members = split_items(state.value("relay_recipient_maps"))
    local = [reference for reference in local_members(" ".join(members)) if reference.type in KEYED_TYPES]
    rows: dict[str, str] = {}
    for reference in local:
        rows.update({entry.key.lower(): VALUE for entry in reader.source(reference.path).entries})
    grouped = rows_by_domain(rows, frozenset(), frozenset())
    for name in _voided(local, reader):
        grouped[name] = replace(grouped[name], wildcard=False)
    return grouped, len(local) < len(members)


def _voided(local: Sequence[TableReference], reader: MapReader) -> set[str]:
    """The domains whose list in one table a wildcard row in another makes void: that is not how a role says `any`."""
    if len(local) < 2:
        return set()
    wild: set[str] = set()
    meant: set[str] = set()
    listing: set[str] = set()
    for reference in local:
        keys = {entry.key.lower() for entry in reader.source(reference.path).entries}
        here = {key[1:] for key in keys if key.startswith("@")}
        wild |= here
        meant |= here if read_record(reference.path) is not None else set()
        listing |= {key.rpartition("@")[2] for key in keys if "@" in key[1:]} - here
    return (wild & listing) - meant
