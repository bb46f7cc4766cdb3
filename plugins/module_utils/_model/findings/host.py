# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What main.cf, master.cf, the tables and the service say of the host as a whole."""

from __future__ import annotations

from typing import Iterator, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    DNS,
    ERROR,
    INFO,
    LOCAL,
    MX,
    NEXTHOP,
    RECIPIENTS,
    SENDER,
    WARNING,
    Finding,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import (
    RESTRICTION_LISTS,
    problem,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.strangers import world_member
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings.evidence import HostFacts, TableEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.facts import (
    LOOPBACK,
    NO_SMTP,
    RECIPIENT_RESTRICTIONS,
    RELAY_RESTRICTIONS,
    open_services,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.index_states import (
    GOOD_STATES,
    NO_SUCH_TYPE,
)

_SUBMISSION = ("submission", "587", "submissions", "smtps", "465")
_LOCAL_NAMES = ("localhost", "localhost.localdomain")


def host_findings(state: HostState, facts: HostFacts) -> Iterator[Finding]:
    """All of them, those about strangers first."""
    yield from _strangers(state)
    yield from _restriction_names(state)
    yield from _listening(state)
    yield from _service(state)
    yield from _refusing(state)
    yield from _relaying(state)
    yield from _waiting(state, facts)
    if state.dns_lacks:
        yield Finding(
            "",
            "dns",
            INFO,
            DNS,
            "nothing was judged by DNS, since Python's dnspython is missing",
            f"install {state.dns_lacks}",
            MX,
        )


def _strangers(state: HostState) -> Iterator[Finding]:
    """Who may relay."""
    relay = state.value(RELAY_RESTRICTIONS)
    recipient = state.value(RECIPIENT_RESTRICTIONS)
    name = RELAY_RESTRICTIONS if state.knows(RELAY_RESTRICTIONS) else RECIPIENT_RESTRICTIONS
    if restrictions.CLOSED not in [restrictions.verdict(one, state.permitting) for one in (relay, recipient)]:
        yield Finding(
            "",
            "open_relay",
            ERROR,
            LOCAL,
            f"strangers can relay through this host, or smtpd does not start: {name} is "
            f"{relay or recipient or 'empty'}",
            f"end {name} with reject_unauth_destination, after what permits your own clients and nobody else",
            SENDER,
        )
    elif restrictions.rejecting(relay) != relay or restrictions.rejecting(recipient) != recipient:
        yield Finding(
            "",
            "relay_deferred",
            WARNING,
            LOCAL,
            "a relay attempt is deferred (454), and so tried again and again",
            "replace defer_unauth_destination by reject_unauth_destination in "
            + (RELAY_RESTRICTIONS if restrictions.rejecting(relay) != relay else RECIPIENT_RESTRICTIONS),
            SENDER,
        )
    for service in open_services(relay, recipient, state):
        yield Finding(
            "",
            "open_relay",
            ERROR,
            LOCAL,
            f"strangers can relay through {service.key} of master.cf",
            f"end its {RELAY_RESTRICTIONS} with reject or reject_unauth_destination",
            SENDER,
        )
    network = world_member(state.value("mynetworks"), state.network_files, state.network_answers)
    if network:
        yield Finding(
            "",
            "mynetworks",
            ERROR,
            LOCAL,
            f"mynetworks contains {network}, so that everybody may relay",
            f"take {network} out of mynetworks; only networks of your own clients belong there",
            SENDER,
        )


def _restriction_names(state: HostState) -> Iterator[Finding]:
    classes = split_items(state.value("smtpd_restriction_classes"))
    version = ".".join(map(str, state.version))
    for name in sorted({*RESTRICTION_LISTS, *classes}):
        wrong, _separator, remedy = problem(state.value(name), classes, version).rpartition("; ")
        if wrong:
            yield Finding(
                "",
                "restriction",
                ERROR,
                LOCAL,
                f"{name}: {wrong}: smtpd answers 451 to everybody whom it comes to",
                f"correct {name}: {remedy}",
                SENDER,
            )
        elif "permit_mx_backup" in restrictions.names(state.value(name)):
            yield Finding(
                "",
                "permit_mx_backup",
                WARNING,
                LOCAL,
                f"{name} has permit_mx_backup: whoever names this host as MX relays through it, to any recipient",
                f"take permit_mx_backup out of {name}, and name the domains in relay_domains",
                SENDER,
            )


def _listening(state: HostState) -> Iterator[Finding]:
    interfaces = split_items(state.value("inet_interfaces"))
    if interfaces and all(one.lower() in LOOPBACK for one in interfaces):
        yield Finding(
            "",
            "inet_interfaces",
            ERROR,
            LOCAL,
            f"inet_interfaces is {', '.join(interfaces)}: no mail arrives",
            "set inet_interfaces to all, and restart Postfix",
        )
    disabled = [one for one in split_items(state.value("master_service_disable")) if one in NO_SMTP]
    if disabled:
        yield Finding(
            "",
            "smtp_service",
            ERROR,
            LOCAL,
            f"master_service_disable has {disabled[0]}: no mail arrives",
            f"take {disabled[0]} out of master_service_disable",
        )
    elif state.services:
        yield from _ports(state)
    if state.value("myhostname").lower() in _LOCAL_NAMES:
        yield Finding(
            "",
            "myhostname",
            WARNING,
            LOCAL,
            f"myhostname is {state.value('myhostname')}: other hosts refuse such a name, and loops are not seen",
            "set myhostname to the host's full name in DNS",
        )


def _ports(state: HostState) -> Iterator[Finding]:
    """Whether mail from outside finds a port; a second instance may have another one, to which something leads."""
    ports = [port for port in map(_port_of_mail, state.services) if port]
    if not ports:
        yield Finding(
            "",
            "smtp_service",
            ERROR,
            LOCAL,
            "master.cf has no smtpd or postscreen on port 25 (smtp/inet): no mail arrives",
            "add the service smtp, type inet, command smtpd",
        )
    elif not {"smtp", "25"}.intersection(ports):
        yield Finding(
            "",
            "smtp_service",
            INFO,
            LOCAL,
            f"mail is taken on port {ports[0]} alone, so that none arrives but what something passes on to it",
            f"see that port 25 of the address in DNS leads to port {ports[0]}, or add the service smtp, type inet",
        )


def _port_of_mail(service: Service) -> str:
    """The port on which this service takes mail from other servers; empty if it does not."""
    port = service.name.rpartition(":")[2]
    words = service.command.split()
    takes = service.type == "inet" and bool(words) and words[0] in ("smtpd", "postscreen")
    return port if takes and port not in _SUBMISSION else ""


def _service(state: HostState) -> Iterator[Finding]:
    if state.service_active is False:
        yield Finding(
            "", "service", ERROR, LOCAL, f"the service {state.service_name} does not run", f"start {state.service_name}"
        )
    elif state.reload_pending:
        yield Finding(
            "",
            "reload",
            WARNING,
            LOCAL,
            "main.cf or master.cf was changed after Postfix last read it",
            "reload Postfix",
        )


def _refusing(state: HostState) -> Iterator[Finding]:
    """What becomes of mail that is to be refused."""
    if state.value("smtpd_reject_unlisted_recipient").lower() == "no" and not any(
        "reject_unlisted_recipient" in restrictions.names(state.value(name)) for name in RESTRICTION_LISTS
    ):
        yield Finding(
            "",
            "reject_unlisted",
            ERROR,
            LOCAL,
            "smtpd_reject_unlisted_recipient is no: recipients that are not listed are accepted, and bounce",
            "set smtpd_reject_unlisted_recipient to yes",
            RECIPIENTS,
        )
    code = state.value("unknown_relay_recipient_reject_code")
    if code and code != "550":
        yield Finding(
            "",
            "reject_code",
            WARNING,
            LOCAL,
            f"unknown_relay_recipient_reject_code is {code}: "
            + (
                "mail for unknown recipients is tried again and again" if code.startswith("4") else "senders expect 550"
            ),
            "set unknown_relay_recipient_reject_code to 550",
            RECIPIENTS,
        )
    if state.value("soft_bounce").lower() == "yes":
        yield Finding(
            "",
            "soft_bounce",
            WARNING,
            LOCAL,
            "soft_bounce is yes: whatever is refused for good is refused for now only, and tried again and again",
            "set soft_bounce to no",
            RECIPIENTS,
        )


def _relaying(state: HostState) -> Iterator[Finding]:
    """How mail for relay domains leaves."""
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
            NEXTHOP,
        )
    elif expand(relay.overrides.get(name, state.value(name)), state.values):
        yield Finding(
            "",
            "fallback_relay",
            WARNING,
            LOCAL,
            f"{name} takes mail of relay domains that has to wait here",
            f"give the service relay/unix the override {name}=",
            NEXTHOP,
        )
    held = [one for one in split_items(state.value("defer_transports")) if one in ("relay", "smtp")]
    if held:
        yield Finding(
            "",
            "defer_transports",
            ERROR,
            LOCAL,
            f"defer_transports has {held[0]}: mail stays in the queue until someone flushes it",
            f"take {held[0]} out of defer_transports",
            NEXTHOP,
        )


def _waiting(state: HostState, facts: HostFacts) -> Iterator[Finding]:
    """How long mail waits, and whether it then finds its way."""
    lifetime = state.value("maximal_queue_lifetime")
    wanted, kept = seconds(facts.outage, "s"), seconds(lifetime, "d")
    if lifetime and kept is None:
        yield Finding(
            "",
            "queue_lifetime",
            ERROR,
            LOCAL,
            f"maximal_queue_lifetime is {lifetime}, which is no time value: Postfix's daemons do not start",
            "write maximal_queue_lifetime like 10d",
            NEXTHOP,
        )
    elif wanted is not None and kept is not None and kept < wanted:
        yield Finding(
            "",
            "queue_lifetime",
            WARNING,
            LOCAL,
            f"maximal_queue_lifetime is {lifetime}: mail is returned before an outage of {facts.outage} is over",
            f"set maximal_queue_lifetime to {facts.outage} or more",
            NEXTHOP,
        )
    if facts.stale_copies:
        yield Finding(
            "",
            "chroot",
            WARNING,
            LOCAL,
            f"services in the chroot see other files than the system has: {', '.join(facts.stale_copies)}",
            "restart Postfix where its start copies these files, else copy them yourself",
            NEXTHOP,
        )


def unreadable(error: MxRelayError) -> Finding:
    """What is wrong where Postfix, or we, can't read main.cf or master.cf."""
    return Finding(
        "",
        "main_cf",
        ERROR,
        LOCAL,
        *error.cause_and_remedy("correct it"),
    )


def table_findings(tables: Sequence[TableEvidence]) -> Iterator[Finding]:
    """What is wrong with tables, whatever is in them."""
    for table in tables:
        place = NEXTHOP if table.parameter == "transport_maps" else RECIPIENTS
        where = f"{table.reference} ({table.parameter})"
        if table.index == NO_SUCH_TYPE:
            kind = table.reference.partition(":")[0]
            yield Finding(
                "",
                "table_type",
                ERROR,
                LOCAL,
                f"tables of type {kind} do not work here, and {where} is one: smtpd answers 451",
                f"install what {kind} needs, or write the table in a type of postconf -m and name that in "
                f"{table.parameter}",
                place,
            )
        elif table.index not in GOOD_STATES:
            yield Finding(
                "",
                "index",
                ERROR,
                LOCAL,
                f"the index of {where} is {table.index}: lookups fail or are out of date",
                f"run the role again or postmap {table.reference}, or take it out of {table.parameter}",
                place,
            )
        elif table.unreadable_for:
            yield Finding(
                "",
                "table_mode",
                ERROR,
                LOCAL,
                f"{table.unreadable_for} can't read {where}, which proxymap opens for smtpd: smtpd answers 451",
                f"let {table.unreadable_for} read the table, as with mode 0644, or take proxy: off it",
                place,
            )
