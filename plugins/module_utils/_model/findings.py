# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the evidence about a host says of its relay domains: findings, each with its remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.match_lists import expand
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx_host import Capture, HostState, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx_plan import (
    LOOPBACK,
    RECIPIENT_RESTRICTIONS,
    RELAY_RESTRICTIONS,
    best_exchanger,
    open_services,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx_request import bare_host
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers import world_member

ERROR = "error"
WARNING = "warning"
INFO = "info"
LOCAL = "local"
DNS = "dns"


@dataclass(frozen=True)
class Finding:
    """One judgement. `scope` tells whether this host, DNS or another host has to be put right."""

    domain: str
    check: str
    severity: str
    scope: str
    message: str
    remedy: str

    def as_result(self) -> dict[str, Any]:
        text = f"{self.domain or 'this host'} ({self.check}): {self.message}; {self.remedy}"
        return {**asdict(self), "text": text}


@dataclass(frozen=True)
class TableEvidence:
    """A local table that main.cf names: by which parameter, as what, and whether its index matches its source."""

    parameter: str
    reference: str
    index: str
    entries: int


@dataclass
class DomainEvidence:
    """What is known of one domain. `answer` is what transport_maps says for its mail, None where it says nothing."""

    name: str
    relayed: str = ""
    classes: Mapping[str, str] = field(default_factory=dict)
    recipients: int = 0
    wildcard: bool = False
    other_maps: bool = False
    answer: Capture | None = None
    nexthop_addresses: Sequence[str] = ()
    # Whether DNS answered that the nexthop has neither address nor, where they are asked for, MX records.
    nexthop_unknown: bool = False
    exchangers: Sequence[MxRecord] | None = None

    @property
    def nexthop(self) -> str:
        """The host in the transport's answer, "" where the domain's own MX records decide."""
        return bare_host(self.answer.result.partition(":")[2]) if self.answer else ""


def judge(state: HostState, tables: Sequence[TableEvidence], domains: Sequence[DomainEvidence]) -> list[Finding]:
    """All findings, those about the whole host first."""
    found = [*_host(state), *_tables(tables)]
    for domain in domains:
        found += _local(domain, state)
        if domain.exchangers is not None:
            found += _dns(domain, domain.exchangers, state)
    return found


def _host(state: HostState) -> Iterator[Finding]:
    relay = state.value(RELAY_RESTRICTIONS)
    recipient = state.value(RECIPIENT_RESTRICTIONS)
    if restrictions.CLOSED not in [restrictions.verdict(one, state.permitting) for one in (relay, recipient)]:
        yield Finding(
            "",
            "open_relay",
            ERROR,
            LOCAL,
            "strangers can relay through this host, or smtpd does not start",
            f"end {RELAY_RESTRICTIONS} with reject_unauth_destination",
        )
    elif restrictions.rejecting(relay) != relay or restrictions.rejecting(recipient) != recipient:
        yield Finding(
            "",
            "relay_deferred",
            WARNING,
            LOCAL,
            "a relay attempt is deferred (454), and so tried again and again",
            "replace defer_unauth_destination by reject_unauth_destination",
        )
    for service in open_services(relay, recipient, state):
        yield Finding(
            "",
            "open_relay",
            ERROR,
            LOCAL,
            f"strangers can relay through {service.key} of master.cf",
            f"end its {RELAY_RESTRICTIONS} with reject or reject_unauth_destination",
        )
    network = world_member(state.value("mynetworks"), state.network_files, state.network_answers)
    if network:
        yield Finding(
            "",
            "mynetworks",
            ERROR,
            LOCAL,
            f"mynetworks contains {network}, so that everybody may relay",
            "leave only the networks of your own clients in it",
        )
    interfaces = split_items(state.value("inet_interfaces"))
    if interfaces and all(one.lower() in LOOPBACK for one in interfaces):
        yield Finding(
            "",
            "inet_interfaces",
            ERROR,
            LOCAL,
            f"inet_interfaces is {', '.join(interfaces)}: no mail arrives",
            "set inet_interfaces to all",
        )
    if state.service_active is False:
        yield Finding("", "service", ERROR, LOCAL, f"the service {state.service_name} does not run", "start it")
    elif state.reload_pending:
        yield Finding(
            "",
            "reload",
            WARNING,
            LOCAL,
            "main.cf or master.cf was changed after Postfix last read it",
            "reload Postfix",
        )
    if state.dns_lacks:
        yield Finding(
            "",
            "dns",
            INFO,
            DNS,
            "nothing was judged by DNS, since Python's dnspython is missing",
            f"install {state.dns_lacks}",
        )
    yield from _fallback(state)


def _fallback(state: HostState) -> Iterator[Finding]:
    name = "smtp_fallback_relay" if state.knows("smtp_fallback_relay") else "fallback_relay"
    relay = next((one for one in state.services if (one.name, one.type) == ("relay", "unix")), None)
    if relay is None:
        yield Finding(
            "",
            "relay_service",
            ERROR,
            LOCAL,
            "master.cf has no service relay/unix, so that no relay domain's mail leaves",
            "add the service relay, type unix, command smtp",
        )
    elif expand(relay.overrides.get(name, state.value(name)), state.values):
        yield Finding(
            "",
            "fallback_relay",
            WARNING,
            LOCAL,
            f"{name} takes mail of relay domains that has to wait here",
            f"give the service relay/unix the override {name}=",
        )


def _tables(tables: Sequence[TableEvidence]) -> Iterator[Finding]:
    for table in tables:
        if table.index not in ("current", "none"):
            yield Finding(
                "",
                "index",
                ERROR,
                LOCAL,
                f"the index of {table.reference} ({table.parameter}) is {table.index}: lookups fail or are out of date",
                f"run the role again or postmap for this table, or take it out of {table.parameter}",
            )


def _local(domain: DomainEvidence, state: HostState) -> Iterator[Finding]:
    name = domain.name
    if not domain.relayed:
        yield Finding(name, "relay_domains", ERROR, LOCAL, "it is not in relay_domains", "run the role for it")
        return
    for parameter, member in domain.classes.items():
        yield Finding(
            name,
            "class",
            ERROR,
            LOCAL,
            f"{parameter} has it too ({member}), and a domain has one class",
            f"remove it from {parameter} or from relay_domains",
        )
    yield from _recipients(domain, state)
    proxies: list[str] = []
    if domain.nexthop and state.is_self(domain.nexthop, domain.nexthop_addresses, proxies):
        yield Finding(
            name,
            "own_nexthop",
            ERROR,
            LOCAL,
            f"its mail is sent to {domain.nexthop}, which is this host",
            "name the host that keeps its mailboxes in transport_maps",
        )
    if domain.nexthop_unknown:
        yield Finding(
            name,
            "mail_host",
            ERROR,
            LOCAL,
            f"its mail is sent to {domain.nexthop}, which DNS does not know: it is returned at once",
            "correct the name in transport_maps, or add it to DNS",
        )
    if not domain.answer and state.value("relayhost"):
        yield Finding(
            name,
            "relayhost",
            ERROR,
            LOCAL,
            f"relayhost {state.value('relayhost')} takes its mail instead of its MX",
            "add the transport row that sends it by relay:",
        )
    if not domain.nexthop and domain.exchangers:
        own = best_exchanger(domain.exchangers, state, proxies)
        if own:
            yield Finding(
                name,
                "best_mx",
                ERROR,
                LOCAL,
                f"this host ({own.host}) is its best MX and has no transport row for it",
                "name the host that keeps its mailboxes, or give the primary's MX record a lower preference",
            )


def _recipients(domain: DomainEvidence, state: HostState) -> Iterator[Finding]:
    name = domain.name
    if not split_items(state.value("relay_recipient_maps")):
        yield Finding(
            name,
            "accepts_any",
            WARNING,
            LOCAL,
            "relay_recipient_maps is empty: every recipient is accepted",
            "list the recipients",
        )
    elif domain.wildcard:
        yield Finding(name, "accepts_any", INFO, LOCAL, "a wildcard row accepts every recipient", "list the recipients")
    elif not domain.recipients and not domain.other_maps:
        yield Finding(
            name,
            "no_recipients",
            ERROR,
            LOCAL,
            "relay_recipient_maps has no recipient of it: all its mail is refused",
            "list the recipients",
        )


def _dns(domain: DomainEvidence, exchangers: Sequence[MxRecord], state: HostState) -> Iterator[Finding]:
    own = [one for one in exchangers if state.is_self(one.host, one.addresses, ())]
    if not own:
        yield Finding(
            domain.name,
            "mx_record",
            ERROR,
            DNS,
            "DNS names no MX of it that is this host, so that no mail arrives",
            f"add the record {domain.name}. IN MX 100 {state.value('myhostname')}.",
        )
    for one in own:
        known = [address for address in one.addresses if state.is_self(address, (), ())]
        if one.addresses and not known:
            yield Finding(
                domain.name,
                "proxy_interfaces",
                ERROR,
                LOCAL,
                f"the world reaches this host ({one.host}) at {', '.join(one.addresses)}, "
                "which it does not know as its own: mail can loop",
                "add the address to proxy_interfaces",
            )
