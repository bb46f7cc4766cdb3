# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host does with the mail of one domain: its class, its recipients, its way out."""

from __future__ import annotations

from typing import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    ERROR,
    INFO,
    LOCAL,
    MX,
    NEXTHOP,
    RECIPIENTS,
    WARNING,
    Finding,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings.evidence import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.facts import (
    RECIPIENT_RESTRICTIONS,
    RELAY_RESTRICTIONS,
    best_exchanger,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.host import HostState

# Delivery agents that don't hand mail to another host, or drop it.
_NOWHERE = frozenset({"discard", "error", "retry"})
_HERE = frozenset({"local", "virtual"})
_SMTP = frozenset({"relay", "smtp"})


def domain_findings(domain: DomainEvidence, state: HostState) -> Iterator[Finding]:
    """All of them; only that it is not relayed where it is not."""
    if not domain.relayed:
        yield Finding(
            domain.name,
            "relay_domains",
            ERROR,
            LOCAL,
            "it is not in relay_domains, so its mail is refused",
            "run the role for it, or add it to relay_domains",
        )
        return
    for parameter, member in domain.classes.items():
        yield Finding(
            domain.name,
            "class",
            ERROR,
            LOCAL,
            f"it is also in {parameter} ({member}), but a domain can be in only one address class",
            f"remove it from {parameter} or from relay_domains",
        )
    yield from _recipients(domain, state)
    yield from _way_out(domain, state)


def _recipients(domain: DomainEvidence, state: HostState) -> Iterator[Finding]:
    listed = bool(split_items(state.value("relay_recipient_maps"))) and not domain.wildcard
    asks_all = restrictions.VERIFYING in [
        one for name in (RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS) for one in restrictions.names(state.value(name))
    ]
    if listed and (domain.recipients or domain.other_maps):
        return
    if listed:
        yield Finding(
            domain.name,
            "no_recipients",
            ERROR,
            LOCAL,
            "relay_recipient_maps lists no recipients for it: all its mail is refused",
            "list its recipients in a relay_recipient_maps table",
            RECIPIENTS,
        )
    elif asks_all or domain.verified:
        code = state.value("unverified_recipient_defer_code")
        if code != "250":
            yield Finding(
                domain.name,
                "verify_only",
                WARNING,
                LOCAL,
                "its recipients are checked only by asking its mail host, and all are deferred "
                f"({code}) while that is down",
                "list its recipients, or set unverified_recipient_defer_code to 250",
                RECIPIENTS,
            )
    elif domain.wildcard:
        yield Finding(
            domain.name,
            "accepts_any",
            INFO,
            LOCAL,
            "a wildcard row accepts every recipient, so mail for those that do not exist bounces, often to forged "
            "senders",
            "list its recipients, and remove its wildcard row",
            RECIPIENTS,
        )
    else:
        yield Finding(
            domain.name,
            "accepts_any",
            WARNING,
            LOCAL,
            "relay_recipient_maps is empty: every recipient is accepted, so mail for those that do not exist "
            "bounces, often to forged senders",
            "list its recipients in a relay_recipient_maps table",
            RECIPIENTS,
        )


def _way_out(domain: DomainEvidence, state: HostState) -> Iterator[Finding]:
    answer = domain.answer
    if answer and domain.transport in (_NOWHERE | _HERE):
        what = "is not sent to its mail host" if domain.transport in _HERE else "goes nowhere"
        yield Finding(
            domain.name,
            "transport",
            ERROR,
            LOCAL,
            f"{answer.member} in transport_maps answers {answer.result} for {answer.key}: its mail {what}",
            "remove that entry, or change its result to relay:[the mail host]",
            NEXTHOP,
        )
        return
    yield from _captured(domain, state)
    if domain.nexthop:
        yield from _nexthop(domain, state)
    elif domain.exchangers:
        own = best_exchanger(domain.exchangers, state, ())
        if own:
            yield Finding(
                domain.name,
                "best_mx",
                ERROR,
                LOCAL,
                f"this host ({own.host}) is its best MX and has no transport row for it: its mail loops back and "
                "bounces",
                "add a transport row with the host that keeps its mailboxes, or give the primary's MX record a lower "
                "preference than this host's",
                MX,
            )


def _captured(domain: DomainEvidence, state: HostState) -> Iterator[Finding]:
    """Mail that some other parameter sends elsewhere, since no row names the relay service."""
    if domain.transport:
        return
    agent = state.value("relay_transport")
    captor = ""
    if agent.partition(":")[2] or agent.partition(":")[0] not in ("", "relay", "smtp"):
        captor = f"relay_transport {agent}"
    elif state.value("relayhost") and not domain.nexthop:
        captor = f"relayhost {state.value('relayhost')}"
    elif state.value("sender_dependent_relayhost_maps") and not domain.nexthop:
        captor = "sender_dependent_relayhost_maps"
    if captor:
        yield Finding(
            domain.name,
            "relayhost",
            ERROR,
            LOCAL,
            f"{captor} takes its mail instead of its MX hosts",
            f"add the transport row {domain.name} relay: or, to name its mail host, {domain.name} relay:[mail host]",
            NEXTHOP,
        )


def _nexthop(domain: DomainEvidence, state: HostState) -> Iterator[Finding]:
    row = domain.answer.result if domain.answer else ""
    published = {
        address
        for one in domain.exchangers or ()
        if state.is_self(one.host, one.addresses, ())
        for address in one.addresses
    }
    if state.is_self(domain.nexthop, domain.nexthop_addresses, sorted(published)):
        yield Finding(
            domain.name,
            "own_nexthop",
            ERROR,
            LOCAL,
            f"its mail is sent to {domain.nexthop} ({row}), which is this host: it loops back and bounces",
            "name the host that keeps its mailboxes in transport_maps",
            NEXTHOP,
        )
    elif domain.nexthop_unknown:
        yield Finding(
            domain.name,
            "mail_host",
            ERROR,
            LOCAL,
            f"its mail is sent to {domain.nexthop}, which does not exist in DNS: it is returned at once",
            "correct the name in transport_maps, or add it to DNS",
            NEXTHOP,
        )
    elif not domain.bracketed and domain.transport in (_SMTP | {""}) and not is_address(domain.nexthop):
        yield from _without_brackets(domain, state)


def _without_brackets(domain: DomainEvidence, state: HostState) -> Iterator[Finding]:
    records = domain.nexthop_exchangers
    if records is None:
        return
    named = [one for one in records if one.preference or one.host != domain.nexthop]
    if best_exchanger(records, state, ()):
        yield Finding(
            domain.name,
            "nexthop_brackets",
            ERROR,
            LOCAL,
            f"{domain.nexthop} has no brackets in its transport row, and this host is its best MX: its mail loops back",
            f"write relay:[{domain.nexthop}] in transport_maps",
            NEXTHOP,
        )
    elif not named:
        yield Finding(
            domain.name,
            "nexthop_brackets",
            INFO,
            LOCAL,
            f"{domain.nexthop} has no brackets in its transport row: an MX record added for it later would take "
            "its mail",
            f"write relay:[{domain.nexthop}] in transport_maps",
            NEXTHOP,
        )
