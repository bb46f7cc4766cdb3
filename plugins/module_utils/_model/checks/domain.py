# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what this host does with the mail of one domain: its class, its recipients, its way out.

A domain that is not relayed has no other fault than that.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    DELIVERY,
    DEPARTURE,
    DOMAIN,
    Register,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    ERROR,
    INFO,
    LOCAL,
    MX,
    NEXTHOP,
    RECIPIENTS,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import (
    ABSENT,
    PRIMARY,
    SECONDARY,
    DomainEvidence,
    each_hop,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import best_exchanger
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.recipients import (
    LISTED,
    UNTOLD,
    told_by,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    is_client,
    sending_service,
    written_program,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import is_hop
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import first_release, supports

# Delivery agents that don't hand mail to another host, or drop it.
_NOWHERE = frozenset({"discard", "error", "retry"})
_HERE = frozenset({"local", "virtual"})

check = Register(DOMAIN)


@check("relay_domains", LOCAL, "the domain is not relayed")
def not_relayed(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    if not domain.relayed and domain.declared != ABSENT:
        yield Fault(
            "it is not in relay_domains, so its mail is refused",
            (
                f"run the role {domain.declared}_mx for it, or declare it with state: absent"
                if domain.declared
                else "run the role for it, or add it to relay_domains"
            ),
            domain=domain.name,
        )


@check("declared_role", LOCAL, "this host has another role for the domain than the inventory declares", place=NEXTHOP)
def declared_role(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    declared = domain.declared in (PRIMARY, SECONDARY) and domain.declared != domain.role
    if declared and _leaves(domain, state):
        way = f"the transport row {domain.answer.key} sends its mail to {domain.nexthop}" if domain.answer else ""
        yield Fault(
            f"it is declared for {domain.declared}_mx, but this host is its {domain.role} MX: "
            + (way if domain.role == PRIMARY else "no transport row names its mail host"),
            f"run the role {domain.declared}_mx for it, or declare it for {domain.role}_mx",
            WARNING,
            domain.name,
        )


@check("undeclared", LOCAL, "the domain is relayed, but the inventory does not declare it, or declares it absent")
def undeclared(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    if domain.relayed and domain.declared == ABSENT:
        yield Fault(
            "it is declared with state: absent, but still relayed",
            "run the role for it, or declare it with state: present",
            WARNING,
            domain.name,
        )
    elif domain.relayed and domain.declared == "":
        yield Fault(
            "it is relayed, but no role declares it",
            f"declare it in {domain.role}_mx_domains, or remove it from this host with state: absent",
            WARNING,
            domain.name,
        )


@check("class", LOCAL, "the domain is also in another address class")
def other_class(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    for parameter, member in domain.classes.items() if domain.relayed else ():
        yield Fault(
            f"it is also in {parameter} ({member}), but a domain can be in only one address class",
            f"remove it from {parameter}, or leave it out of relay_domains",
            domain=domain.name,
        )


@check("no_recipients", LOCAL, "all mail is refused, as no recipient is listed", place=RECIPIENTS)
def no_recipients(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    if domain.relayed and told_by(domain, state) == LISTED and not (domain.recipients or domain.other_maps):
        yield Fault(
            "relay_recipient_maps lists no recipients for it: all its mail is refused",
            "list its recipients in a relay_recipient_maps table",
            domain=domain.name,
        )


@check(
    "accepts_any",
    LOCAL,
    "every recipient is accepted, by a wildcard (info) or an empty map (warning)",
    place=RECIPIENTS,
)
def accepts_any(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    if not domain.relayed or told_by(domain, state) != UNTOLD:
        return
    if domain.wildcard:
        yield Fault(
            "a wildcard row accepts every recipient, also those that do not exist",
            "list its recipients, and remove its wildcard row",
            INFO,
            domain.name,
        )
    else:
        yield Fault(
            "relay_recipient_maps is empty: every recipient is accepted, also those that do not exist",
            "list its recipients in a relay_recipient_maps table",
            WARNING,
            domain.name,
        )


@check(
    "backscatter",
    LOCAL,
    "mail that the mail host refuses bounces to senders who are mostly forged, as every recipient is accepted "
    "(warning), or is while the mail host can't be asked (info)",
    place=RECIPIENTS,
)
def backscatter(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    told = told_by(domain, state)
    actions = state.reports.actions.get(domain.name, {})
    if not domain.relayed or told == LISTED or (actions and all(actions.values())):
        return
    what = "" if told == UNTOLD else " while that can't be asked"
    yield Fault(
        f"every recipient is accepted{what}, and what its mail host then refuses bounces, often to forged senders",
        "set refused_mail to postmaster or hold for it, or list its recipients",
        WARNING if told == UNTOLD else INFO,
        domain.name,
    )


@check(
    "transport",
    LOCAL,
    "a transport row, or relay_transport, drops the mail or delivers it here",
    place=NEXTHOP,
)
def transport(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    answer = domain.answer
    if not domain.relayed or domain.agent not in (_NOWHERE | _HERE):
        return
    what = "is not sent to its mail host" if domain.agent in _HERE else "goes nowhere"
    if answer and domain.transport:
        yield Fault(
            f"{answer.member} in transport_maps answers {answer.result} for {answer.key}: its mail {what}",
            "remove that entry, or change its result to relay:[the mail host]",
            domain=domain.name,
        )
    else:
        yield Fault(
            f"relay_transport is {domain.relay_transport}, and no transport row says otherwise: its mail {what}",
            f"set relay_transport to relay, or add the transport row {domain.name} relay:",
            domain=domain.name,
        )


def _leaves(domain: DomainEvidence, state: HostState) -> bool:
    """Whether it is relayed, and its mail sent to another host by smtp(8), or by lmtp(8) over the network."""
    if not domain.relayed or domain.agent in (_NOWHERE | _HERE):
        return False
    service = sending_service(state, domain.agent)
    return (service is None or is_client(service)) and not domain.route.partition(":")[2].startswith("unix:")


def _by_smtp(domain: DomainEvidence, state: HostState) -> bool:
    """Whether smtp(8) sends it, which knows this host by its name and addresses."""
    service = sending_service(state, domain.agent)
    runs_smtp = written_program(service) == "smtp" if service else domain.agent in ("relay", "smtp")
    return _leaves(domain, state) and runs_smtp


@check(
    "relayhost",
    LOCAL,
    "`relayhost` takes the mail (error), or `relay_transport` does (info)",
    place=NEXTHOP,
    mark=DEPARTURE,
)
def relayhost(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    """relay_transport is for relay domains alone, so whoever names a host there means it; relayhost is for all mail."""
    if not _leaves(domain, state) or domain.transport:
        return
    remedy = f"add the transport row {domain.name} relay: or, to name its mail host, {domain.name} relay:[mail host]"
    captor = _captor(domain, state)
    if captor:
        yield Fault(f"{captor} takes its mail instead of its MX hosts", remedy, domain=domain.name)
    elif domain.relay_transport.partition(":")[2] and not domain.answer:
        yield Fault(
            f"relay_transport {domain.relay_transport} takes its mail instead of its MX hosts",
            f"if that is not meant, {remedy}",
            INFO,
            domain.name,
        )


def _captor(domain: DomainEvidence, state: HostState) -> str:
    """The parameter that sends its mail elsewhere if nothing names a nexthop."""
    if state.value("relayhost") and not domain.nexthop:
        return f"relayhost {state.value('relayhost')}"
    if state.value("sender_dependent_relayhost_maps") and not domain.nexthop:
        return "sender_dependent_relayhost_maps"
    return ""


@check(
    "own_nexthop",
    LOCAL,
    "the nexthop is this host, directly or through NAT",
    place=NEXTHOP,
    mark=DEPARTURE,
)
def own_nexthop(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    for hop in each_hop([domain]):
        if _by_smtp(hop, state) and _loops(hop, state):
            yield Fault(
                f"its mail is sent to {hop.nexthop} ({hop.route}), which is this host: it loops back and bounces",
                "name the host that keeps its mailboxes in its transport row (mail_host in the roles)",
                domain=domain.name,
            )


def _loops(domain: DomainEvidence, state: HostState) -> bool:
    """Whether its nexthop is this host, by name, by address, or at an address that its own MX record has in DNS."""
    published = {
        address
        for record in domain.exchangers or ()
        if state.is_self(record.host, record.addresses, ())
        for address in record.addresses
    }
    return bool(domain.nexthop) and state.is_self(domain.nexthop, domain.nexthop_addresses, sorted(published))


@check("mail_host", LOCAL, "DNS does not know the nexthop", place=NEXTHOP, mark=DELIVERY)
def unknown_mail_host(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    for hop in each_hop([domain]):
        unknown = hop.nexthop_unknown and is_hop(hop.hop_text)
        if _leaves(hop, state) and hop.nexthop and unknown and not _loops(hop, state):
            yield Fault(
                f"its mail is sent to {hop.nexthop}, which does not exist in DNS: it is returned at once",
                "correct the name in its transport row (mail_host in the roles), or add it to DNS",
                domain=domain.name,
            )


@check(
    "nexthop_list",
    LOCAL,
    "a host of its route is none that smtp can connect to, which stops the service for all domains",
    place=NEXTHOP,
    mark=DEPARTURE,
)
def nexthop_list(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    if not domain.relayed or not _by_smtp(domain, state):
        return
    hops = domain.hops
    if state.version and len(hops) > 1 and not supports(state.version, "nexthop_list"):
        hops = [domain.route.partition(":")[2]]
    for hop in hops:
        if not is_hop(hop):
            yield Fault(
                f"{hop} in {_row(domain)} ({domain.route}) is no host: smtp stops when it comes to it, and "
                f"no mail that {domain.agent} sends is delivered",
                "write each host as [host] or [host]:port, with commas between them"
                + ("" if hop in domain.hops else f"; Postfix before {first_release('nexthop_list')} takes one alone"),
                domain=domain.name,
            )


@check(
    "nexthop_brackets",
    LOCAL,
    "the nexthop is looked up by MX, which leads back here (error) or may do so one day (info)",
    place=NEXTHOP,
)
def nexthop_brackets(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    for hop in each_hop([domain]):
        yield from _without_brackets(hop, state)


def _without_brackets(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    records = domain.nexthop_exchangers
    looked_up = is_hop(domain.hop_text) and not domain.bracketed and _by_smtp(domain, state)
    if not looked_up or records is None or is_address(domain.nexthop):
        return
    if domain.nexthop_unknown or _loops(domain, state):
        return
    remedy = f"write relay:[{domain.nexthop}] in transport_maps (leave out mx_lookup in the roles)"
    if not domain.answer:
        remedy = f"write {domain.agent}:[{domain.nexthop}] in relay_transport"
    if best_exchanger(records, state, ()):
        yield Fault(
            f"{domain.nexthop} has no brackets in {_row(domain)}, and this host is its best MX: its mail loops back",
            remedy,
            ERROR,
            domain.name,
        )
    elif not any(record.preference or record.host != domain.nexthop for record in records):
        yield Fault(
            f"{domain.nexthop} has no brackets in {_row(domain)}: an MX record added for it later would take "
            "its mail",
            remedy,
            INFO,
            domain.name,
        )


def _row(domain: DomainEvidence) -> str:
    return "its transport row" if domain.answer else "relay_transport"


@check(
    "best_mx",
    LOCAL,
    "mail loops, as this host is the best MX and has no transport row",
    place=MX,
    mark=DEPARTURE,
)
def best_mx(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    if not _by_smtp(domain, state) or domain.nexthop or not domain.exchangers:
        return
    own = best_exchanger(domain.exchangers, state, ())
    if own and domain.routed_addresses:
        if not (domain.all_routed and told_by(domain, state) == LISTED and not domain.other_maps):
            yield Fault(
                f"this host ({own.host}, preference {own.preference}) is its best MX and has transport rows for "
                f"{domain.routed_addresses} of its addresses only: mail for its other recipients is accepted, loops "
                "back and bounces",
                "list only those addresses, such as by the table of these rows in relay_recipient_maps and no wildcard "
                f"row @{domain.name}, or add a transport row for the domain",
                domain=domain.name,
            )
    elif own:
        yield Fault(
            f"this host ({own.host}, preference {own.preference}) is its best MX and has no transport row that names "
            "its mail host: its mail loops back and bounces",
            "add a transport row with the host that keeps its mailboxes (in the roles, make it primary with a "
            "mail_host), or give the primary's MX record a lower preference than this host's",
            domain=domain.name,
        )
