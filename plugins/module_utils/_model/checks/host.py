# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the host as a whole: what main.cf, master.cf and the service say, those about strangers first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address, plain_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    ARRIVAL,
    DEPARTURE,
    UNREADABLE,
    WHOLE_HOST,
    Register,
)
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
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_limits import beyond
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import (
    TIME,
    Kind,
    seconds,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import (
    RESTRICTION_LISTS,
    problem,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence import sending
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    EVERY_ADDRESS,
    LOOPBACK,
    NO_SMTP,
    RECIPIENT_RESTRICTIONS,
    RELAY_RESTRICTIONS,
    address_of,
    effective,
    on_loopback,
    port_of_mail,
    restriction_classes,
    stranger_services,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import FAIL, HostFacts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.passage import CLAIMED, Doubt
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.servers import (
    MAIN_CF,
    Server,
    doubtful,
    relaying,
)

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
    acceptable=False,
)
def open_relay(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for server in relaying(state).servers:
        for opening in server.openings:
            through = "this host" if server.key == MAIN_CF else f"{server.key} of master.cf"
            where = opening.where if server.key == MAIN_CF else f"{opening.where} of {server.key}"
            member = f"{opening.member} in {where}: " if opening.member else f"{where}: "
            yield Fault(
                f"strangers can relay through {through}, or smtpd does not start: {member}{opening.why}",
                _closed_by(server, opening, where),
                subject=subject_of(server, opening),
            )


def _closed_by(server: Server, opening: Doubt, where: str) -> str:
    if opening.why == CLAIMED:
        whom = "the services with the PROXY protocol" if server.key == MAIN_CF else server.key
        return f"give {whom} the override smtpd_relay_restrictions=reject_unauth_destination, or a loopback address"
    if opening.member:
        return f"remove {opening.member} from {where}, or put it after reject_unauth_destination"
    return f"end {where} with reject_unauth_destination, after the restrictions that permit only your own clients"


def subject_of(server: Server, doubt: Doubt) -> str:
    """What `accepted` names it by: the service, the parameter and its member."""
    return " ".join(filter(None, (server.key, doubt.where, doubt.member)))


@check(
    "mynetworks",
    LOCAL,
    "everyone counts as one of this host's own clients",
    place=SENDER,
    acceptable=False,
)
def mynetworks(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for server in relaying(state).servers:
        if server.everybody:
            where = "mynetworks" if server.key == MAIN_CF else f"mynetworks of {server.key}"
            networks = ", ".join(server.everybody)
            yield Fault(
                f"{where} contains {networks}, so anyone may relay",
                f"remove {networks} from {where}; only your own clients' networks belong there",
                subject=f"{server.key} mynetworks",
            )


@check(
    "foreign_domains",
    LOCAL,
    "this host takes mail for domains that nobody listed",
    place=SENDER,
    acceptable=False,
)
def foreign_domains(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for opening in relaying(state).destinations.doubts:
        if opening.proven:
            yield Fault(
                f"mail to foreign domains is accepted: {opening.member} in {opening.where}: {opening.why}",
                f"remove {opening.member} from {opening.where}, and list the domains instead",
                subject=f"{MAIN_CF} {opening.where} {opening.member}",
            )


@check(
    "relay_unproven",
    LOCAL,
    "it cannot be shown that this member of a list keeps strangers from relaying",
    place=SENDER,
)
def relay_unproven(state: HostState, facts: HostFacts) -> Iterator[Fault]:
    judged = relaying(state)
    of_destinations = [(MAIN_CF, doubt) for doubt in judged.destinations.doubts if not doubt.proven]
    of_servers = [(server.key, doubt) for server, doubt in doubtful(judged.servers)]
    for key, doubt in dict.fromkeys([*of_destinations, *of_servers]):
        subject = " ".join(filter(None, (key, doubt.where, doubt.member)))
        yield Fault(
            f"cannot show that strangers are kept from relaying: {subject}: {doubt.why}",
            f"list what it permits in a table of keys, put it after reject_unauth_destination, or accept the finding "
            f'with accepted: [{{check: relay_unproven, subject: "{subject}", reason: ..., until: ...}}]',
            ERROR if facts.unproven == FAIL else WARNING,
            subject=subject,
        )


@check("relay_deferred", LOCAL, "a relay attempt gets 454 instead of 554", place=SENDER)
def relay_deferred(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    names = (RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS)
    deferring = [name for name in names if restrictions.rejecting(state.value(name)) != state.value(name)]
    if deferring and not relaying(state).servers[0].openings:
        yield Fault(
            "relay attempts are deferred (454) instead of refused, so senders keep retrying",
            f"replace defer_unauth_destination with reject_unauth_destination in {deferring[0]}",
            WARNING,
        )


@check("restriction", LOCAL, "a misspelled restriction: smtpd answers 451", place=SENDER)
def restriction(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    found = dict(_restriction_lists(state))
    for service in stranger_services(state):
        own = replace(state, values={**state.values, **service.overrides})
        known = _restriction_lists(own)
        found.update({f"{name} of {service.key}": known[name] for name in sorted({*known} & {*service.overrides})})
    for name, (wrong, remedy) in found.items():
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
    classes = restriction_classes(state)
    version = ".".join(map(str, state.version))
    found = {}
    for name in sorted({*RESTRICTION_LISTS, *classes}):
        wrong, _separator, remedy = problem(state.value(name), classes, version).rpartition("; ")
        found[name] = (wrong, remedy)
    return found


@check("inet_interfaces", LOCAL, "Postfix listens on the loopback interface only", mark=ARRIVAL)
def inet_interfaces(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    interfaces = split_items(state.value("inet_interfaces"))
    # A service with an address in front of its port listens there, whatever inet_interfaces says.
    elsewhere = any(
        port_of_mail(service) and address_of(service) and not on_loopback(service) for service in state.services
    )
    if interfaces and all(interface.lower() in LOOPBACK for interface in interfaces) and not elsewhere:
        yield Fault(
            f"inet_interfaces is {', '.join(interfaces)}: no other host can deliver mail here",
            "set inet_interfaces to all (the roles' variable is *_inet_interfaces), then restart Postfix",
        )


@check(
    "smtp_service",
    LOCAL,
    "nothing listens on port 25; info if Postfix listens on another port only",
    mark=ARRIVAL,
)
def smtp_service(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    """A second instance may have another port, to which something leads."""
    disabled = [item for item in split_items(state.value("master_service_disable")) if item in NO_SMTP]
    serving = [service for service in state.services if port_of_mail(service)]
    heard = [service for service in serving if not on_loopback(service)]
    ports = [port_of_mail(service) for service in heard]
    foreign = [service.key for service in heard if state.own_addresses and _is_elsewhere(address_of(service), state)]
    if disabled:
        yield Fault(
            f"master_service_disable contains {disabled[0]}: no other host can deliver mail here",
            f"remove {disabled[0]} from master_service_disable, which postmulti -e create sets for a new instance",
        )
    elif foreign:
        yield Fault(
            f"{foreign[0]} of master.cf has an address that this host does not have: Postfix does not start",
            "remove the address in front of the port, so that inet_interfaces decides, then restart Postfix",
        )
    elif serving and not heard:
        yield Fault(
            f"{serving[0].key} of master.cf listens on a loopback address: no other host can deliver mail here",
            "remove the address in front of the port, so that inet_interfaces decides, then restart Postfix",
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


def _is_elsewhere(address: str, state: HostState) -> bool:
    """Whether it is an address, and none of this host's: neither one of its own nor all of them."""
    known = {plain_address(own) for own in state.own_addresses} | EVERY_ADDRESS
    return is_address(address) and plain_address(address) not in known


@check("myhostname", LOCAL, "the host calls itself localhost, or by a name without a dot")
def myhostname(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    name = state.value("myhostname")
    right = state.full_name if state.full_name.lower() not in ("", *_LOCAL_NAMES) else "the host's full name in DNS"
    if name.lower() in _LOCAL_NAMES:
        yield Fault(
            f"myhostname is {name}: other hosts refuse such a name, and mail loops go undetected",
            f"set myhostname to {right}",
            WARNING,
        )
    elif name and "." not in name:
        yield Fault(
            f"myhostname is {name}, without a domain: other hosts refuse such a name, and DNS does not have it",
            f"set myhostname to {right}",
            WARNING,
        )


@check("service", LOCAL, "Postfix is not running", mark=ARRIVAL)
def service_stopped(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if state.service_active is False and state.service_unit:
        yield Fault(f"the service {state.service_name} is not running", f"start {state.service_name}")
    elif state.service_active is False:
        directory = state.value("config_directory")
        yield Fault(f"the instance in {directory} is not running", f"run postfix -c {directory} start")


@check("reload", LOCAL, "Postfix has not read its files since they changed")
def reload(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if state.reload_pending and state.service_active is not False:
        yield Fault("main.cf or master.cf was changed after Postfix last read it", "reload Postfix", WARNING)


@check("old_master", LOCAL, "Postfix was upgraded, and the old release is still running")
def old_master(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if state.service_replaced and state.service_active is not False:
        release = ".".join(map(str, state.version))
        yield Fault(
            f"the Postfix that is running is not the installed one ({release}), and a reload may stop it",
            f"restart {state.service_name}",
            WARNING,
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


@check("relay_service", LOCAL, "master.cf has no relay service", place=NEXTHOP, mark=DEPARTURE)
def relay_service(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if sending.find_relay_service(state) is None:
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
    relay = sending.find_relay_service(state)
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


@check("queue_lifetime", LOCAL, "mail is returned before the outage is over, or at once", place=NEXTHOP)
def queue_lifetime(state: HostState, facts: HostFacts) -> Iterator[Fault]:
    lifetime = state.value("maximal_queue_lifetime")
    wanted, kept = seconds(facts.outage, "s"), seconds(lifetime, "d")
    taken = beyond("maximal_queue_lifetime", Kind(TIME, "d"), lifetime)
    remedy = "set maximal_queue_lifetime to a value such as 10d (the roles' variable is *_queue_lifetime)"
    if lifetime and (kept is None or taken):
        what = "not a time value" if kept is None else f"not {taken}"
        yield Fault(f"maximal_queue_lifetime is {lifetime}, which is {what}: Postfix's daemons do not start", remedy)
    elif kept is not None and kept < (seconds(state.value("minimal_backoff_time"), "s") or 1):
        yield Fault(f"maximal_queue_lifetime is {lifetime}: mail is returned before it is tried again", remedy)
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
