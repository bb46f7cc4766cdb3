# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the host as a whole: what main.cf, master.cf and the service say, those about strangers first."""

from __future__ import annotations

from typing import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    ARRIVAL,
    DEPARTURE,
    UNREADABLE,
    WHOLE_HOST,
    Register,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    DNS,
    INFO,
    LOCAL,
    MX,
    NEXTHOP,
    RECIPIENTS,
    SENDER,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import (
    RESTRICTION_LISTS,
    problem,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.strangers import world_member
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence import sending
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    LOOPBACK,
    NO_SMTP,
    RECIPIENT_RESTRICTIONS,
    RELAY_RESTRICTIONS,
    effective,
    open_services,
    overrides_for_strangers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

_SUBMISSION = ("submission", "587", "submissions", "smtps", "465")
_LOCAL_NAMES = ("localhost", "localhost.localdomain")

of_unreadable = Register(UNREADABLE)
check = Register(WHOLE_HOST)


@of_unreadable("main_cf", LOCAL, "Postfix can't read its parameters; nothing else was checked")
def main_cf(error: MxRelayError) -> Iterator[Fault]:
    """`error` is what Postfix, or the parser of this collection, says of main.cf or master.cf."""
    yield Fault(*error.cause_and_remedy("correct it"))


@check(
    "open_relay",
    LOCAL,
    "strangers may relay, through main.cf or a service's own restrictions",
    place=SENDER,
    refuses=True,
)
def open_relay(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if _is_open(state):
        names = [RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS]
        known = [name for name in names if name == RECIPIENT_RESTRICTIONS or state.knows(name)]
        yield Fault(
            "strangers can relay through this host, or smtpd does not start: "
            + " and ".join(f"{name} is {state.value(name) or 'empty'}" for name in known),
            f"end {known[0]} with reject_unauth_destination, after the restrictions that permit only your own clients",
        )
    for service in open_services(state.value(RELAY_RESTRICTIONS), state.value(RECIPIENT_RESTRICTIONS), state):
        yield Fault(
            f"strangers can relay through {service.key} of master.cf",
            f"end its {RELAY_RESTRICTIONS} with reject or reject_unauth_destination",
        )


def _is_open(state: HostState) -> bool:
    """Whether neither of main.cf's lists keeps strangers from relaying."""
    lists = [state.value(name) for name in (RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS)]
    return restrictions.CLOSED not in [restrictions.verdict(value, state.permitting) for value in lists]


@check("mynetworks", LOCAL, "everyone counts as one of this host's own clients", place=SENDER, refuses=True)
def mynetworks(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    main_cf_has = [("mynetworks", state.value("mynetworks"))]
    for where, networks in main_cf_has + overrides_for_strangers(state, "mynetworks"):
        network = world_member(networks, state.network_files, state.network_answers)
        if network:
            yield Fault(
                f"{where} contains {network}, so anyone may relay",
                f"remove {network} from {where}; only your own clients' networks belong there",
            )


@check("relay_deferred", LOCAL, "a relay attempt gets 454 instead of 554", place=SENDER)
def relay_deferred(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    names = (RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS)
    deferring = [name for name in names if restrictions.rejecting(state.value(name)) != state.value(name)]
    if deferring and not _is_open(state):
        yield Fault(
            "relay attempts are deferred (454) instead of refused, so senders keep retrying",
            f"replace defer_unauth_destination with reject_unauth_destination in {deferring[0]}",
            WARNING,
        )


@check("restriction", LOCAL, "a misspelled restriction: smtpd answers 451", place=SENDER)
def restriction(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for name, (wrong, remedy) in _restriction_lists(state).items():
        if wrong:
            yield Fault(
                f"{name}: {wrong}: smtpd answers 451 to every client that reaches it", f"correct {name}: {remedy}"
            )


@check(
    "permit_mx_backup",
    LOCAL,
    "anyone who names this host as MX can relay through it, to any recipient",
    place=SENDER,
)
def permit_mx_backup(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for name, (wrong, _remedy) in _restriction_lists(state).items():
        if not wrong and "permit_mx_backup" in restrictions.names(state.value(name)):
            yield Fault(
                f"{name} has permit_mx_backup: anyone who names this host as MX can relay through it, to any recipient",
                f"remove permit_mx_backup from {name}, and list the domains in relay_domains",
                WARNING,
            )


def _restriction_lists(state: HostState) -> dict[str, tuple[str, str]]:
    """What is wrong with the names in each list of restrictions and each restriction class, and the remedy."""
    classes = split_items(state.value("smtpd_restriction_classes"))
    version = ".".join(map(str, state.version))
    found = {}
    for name in sorted({*RESTRICTION_LISTS, *classes}):
        wrong, _separator, remedy = problem(state.value(name), classes, version).rpartition("; ")
        found[name] = (wrong, remedy)
    return found


@check("inet_interfaces", LOCAL, "Postfix listens on the loopback interface only", mark=ARRIVAL, refuses=True)
def inet_interfaces(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    interfaces = split_items(state.value("inet_interfaces"))
    if interfaces and all(interface.lower() in LOOPBACK for interface in interfaces):
        yield Fault(
            f"inet_interfaces is {', '.join(interfaces)}: no other host can deliver mail here",
            "set inet_interfaces to all (the roles' variable is *_inet_interfaces), then restart Postfix",
        )


@check(
    "smtp_service",
    LOCAL,
    "nothing listens on port 25; info if Postfix listens on another port only",
    mark=ARRIVAL,
    refuses=True,
)
def smtp_service(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    """A second instance may have another port, to which something leads."""
    disabled = [item for item in split_items(state.value("master_service_disable")) if item in NO_SMTP]
    ports = [port for port in map(_port_of_mail, state.services) if port]
    if disabled:
        yield Fault(
            f"master_service_disable contains {disabled[0]}: no other host can deliver mail here",
            f"remove {disabled[0]} from master_service_disable, which postmulti -e create sets for a new instance",
        )
    elif state.services and not ports:
        yield Fault(
            "master.cf has no smtpd or postscreen on port 25 (smtp/inet): no other host can deliver mail here",
            "add the service smtp, type inet, command smtpd",
        )
    elif state.services and not {"smtp", "25"}.intersection(ports):
        yield Fault(
            f"mail is accepted only on port {ports[0]}, so none arrives unless something forwards it there",
            f"check that port 25 of the address in DNS is forwarded to port {ports[0]}, or add the service smtp, type "
            "inet",
            INFO,
        )


def _port_of_mail(service: Service) -> str:
    """The port on which this service takes mail from other servers; empty if it does not."""
    port = service.name.rpartition(":")[2]
    words = service.command.split()
    takes = service.type == "inet" and bool(words) and words[0] in ("smtpd", "postscreen")
    return port if takes and port not in _SUBMISSION else ""


@check("myhostname", LOCAL, "the host calls itself localhost")
def myhostname(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    name = state.value("myhostname")
    if name.lower() in _LOCAL_NAMES:
        yield Fault(
            f"myhostname is {name}: other hosts refuse such a name, and mail loops go undetected",
            "set myhostname to the host's full name in DNS",
            WARNING,
        )


@check("service", LOCAL, "Postfix is not running", mark=ARRIVAL)
def service_stopped(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if state.service_active is False:
        yield Fault(f"the service {state.service_name} is not running", f"start {state.service_name}")


@check("reload", LOCAL, "Postfix has not read its files since they changed")
def reload(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if state.reload_pending and state.service_active is not False:
        yield Fault("main.cf or master.cf was changed after Postfix last read it", "reload Postfix", WARNING)


@check("reject_unlisted", LOCAL, "unlisted recipients are accepted", place=RECIPIENTS)
def reject_unlisted(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    rejected = any("reject_unlisted_recipient" in restrictions.names(state.value(name)) for name in RESTRICTION_LISTS)
    if state.value("smtpd_reject_unlisted_recipient").lower() == "no" and not rejected:
        yield Fault(
            "smtpd_reject_unlisted_recipient is no: unlisted recipients are accepted, and their mail bounces",
            "set smtpd_reject_unlisted_recipient to yes",
        )


@check("reject_code", LOCAL, "unknown recipients get a code other than 550", place=RECIPIENTS)
def reject_code(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    code = state.value("unknown_relay_recipient_reject_code")
    if code and code != "550":
        yield Fault(
            f"unknown_relay_recipient_reject_code is {code}: "
            + ("senders keep retrying mail for unknown recipients" if code.startswith("4") else "senders expect 550"),
            "set unknown_relay_recipient_reject_code to 550",
            WARNING,
        )


@check("soft_bounce", LOCAL, "permanent refusals become temporary", place=RECIPIENTS)
def soft_bounce(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if state.value("soft_bounce").lower() == "yes":
        yield Fault(
            "soft_bounce is yes: permanent refusals become temporary, so senders keep retrying",
            "set soft_bounce to no",
            WARNING,
        )


@check("relay_service", LOCAL, "master.cf has no relay service", place=NEXTHOP, mark=DEPARTURE, refuses=True)
def relay_service(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if sending.relay_service(state) is None:
        yield Fault(
            "master.cf has no service relay/unix, so no mail for relay domains leaves this host",
            "add the service relay, type unix, command smtp (module mxrelay.postfix.master_cf)",
        )


@check(
    "fallback_relay",
    LOCAL,
    "a fallback relay takes the mail that should wait here",
    place=NEXTHOP,
    mark=DEPARTURE,
)
def fallback_relay(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    name = "smtp_fallback_relay" if state.knows("smtp_fallback_relay") else "fallback_relay"
    relay = sending.relay_service(state)
    if relay is not None and effective(state, relay, name):
        yield Fault(
            f"{name} takes mail for relay domains that should wait here",
            f"add the override {name}= to the service relay/unix",
            WARNING,
        )


@check("defer_transports", LOCAL, "mail stays in the queue until someone flushes it", place=NEXTHOP)
def defer_transports(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    held = [name for name in split_items(state.value("defer_transports")) if name in ("relay", "smtp")]
    if held:
        yield Fault(
            f"defer_transports contains {held[0]}: mail stays in the queue until someone flushes it",
            f"remove {held[0]} from defer_transports",
        )


@check("queue_lifetime", LOCAL, "mail is returned before the outage is over", place=NEXTHOP)
def queue_lifetime(state: HostState, facts: HostFacts) -> Iterator[Fault]:
    lifetime = state.value("maximal_queue_lifetime")
    wanted, kept = seconds(facts.outage, "s"), seconds(lifetime, "d")
    if lifetime and kept is None:
        yield Fault(
            f"maximal_queue_lifetime is {lifetime}, which is not a time value: Postfix's daemons do not start",
            "set maximal_queue_lifetime to a value such as 10d",
        )
    elif wanted is not None and kept is not None and kept < wanted:
        yield Fault(
            f"maximal_queue_lifetime is {lifetime}: mail is returned before an outage of {facts.outage} is over",
            f"set maximal_queue_lifetime to {facts.outage} or more",
            WARNING,
        )


@check(
    "chroot",
    LOCAL,
    "daemons in the chroot see an old resolv.conf, or none",
    place=NEXTHOP,
)
def chroot(_state: HostState, facts: HostFacts) -> Iterator[Fault]:
    if facts.stale_copies:
        yield Fault(
            f"files in the chroot are missing or differ from the system's: {', '.join(facts.stale_copies)}",
            "restart Postfix if its start copies these files, or copy them yourself",
            WARNING,
        )


@check("dns", DNS, "DNS was not asked, as python3-dnspython is missing", place=MX)
def dns_unasked(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if state.dns_lacks:
        yield Fault("no DNS checks were made: Python's dnspython is missing", f"install {state.dns_lacks}", INFO)
