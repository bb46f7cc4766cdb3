# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what strangers need: that each service which takes their mail lets an ordinary one in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address, plain_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    ARRIVAL,
    WHOLE_HOST,
    Register,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    ERROR,
    LOCAL,
    SENDER,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.admission import (
    ETRN_RESTRICTIONS,
    LISTS,
    STRANGERS,
    Access,
    ListContext,
    ListResult,
    Stranger,
    accesses,
    evaluate_list,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import member_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_limits import beyond
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import (
    BOOLEAN,
    CHOICES,
    INTEGER,
    TIME,
    Kind,
    is_number,
    kind_of,
    seconds,
    without_comment,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_values import (
    address_problem,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.policy import (
    default_action,
    endpoint_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    CERTIFICATE_FILES,
    MESSAGE_TABLES,
    SMTP_PORTS,
    effective,
    port_of_mail,
    program,
    restriction_classes,
    sasl_endpoint,
    stranger_services,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import SOCKET
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import INDEXED_TYPES, UNSAFE_TYPES

# Below these, ordinary senders are cut off. RFC 5321, 4.5.3.1, wants messages of 64 kB and 100 recipients to be taken;
# mail servers open up to 20 connections at once, and send on when an outage is over.
LEAST: Mapping[str, int] = {
    "message_size_limit": 65536,
    "smtpd_client_connection_count_limit": 5,
    "smtpd_client_connection_rate_limit": 10,
    "smtpd_client_message_rate_limit": 10,
    "smtpd_client_new_tls_session_rate_limit": 10,
    "smtpd_client_recipient_rate_limit": 100,
    "smtpd_hard_error_limit": 5,
    "smtpd_junk_command_limit": 5,
    "smtpd_recipient_limit": 100,
}
_PER_CLIENT = "smtpd_client_"
_AT_ONCE = "smtpd_client_connection_count_limit"
# By default the same, for postscreen(8).
_AT_ONCE_BEFORE = "postscreen_client_connection_count_limit"
_RATE_UNIT = "anvil_rate_time_unit"
_MINUTE = 60
_LEAST_SECONDS = 10
_LEAST_PROCESSES = 5
# Domains of this host's own mailboxes, and the limit of those.
_MAILBOXES = {"mydestination": "mailbox_size_limit", "virtual_mailbox_domains": "virtual_mailbox_limit"}
_JUDGED_ELSEWHERE = frozenset({"maximal_queue_lifetime"})
_DECIDING_ON_DESTINATIONS = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
_PROXY_PROTOCOLS = ("smtpd_upstream_proxy_protocol", "postscreen_upstream_proxy_protocol")

check = Register(WHOLE_HOST)


@dataclass(frozen=True)
class _Refused:
    """Strangers whom a service refuses, and the list that does."""

    service: Service
    name: str
    result: ListResult


@check(
    "refuses_strangers",
    LOCAL,
    "restrictions refuse every stranger, or all mail for a domain (warning: perhaps)",
    place=SENDER,
)
def refuses_strangers(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    services = stranger_services(state)
    family = "ipv6" if state.value("inet_protocols").strip().lower() == "ipv6" else "ipv4"
    closed = {service.key: _refusal(state, service, STRANGERS[family]) for service in services}
    lets_in = any(refused is None for refused in closed.values())
    for service in services:
        refused = closed[service.key]
        if refused:
            yield _everyone(state, refused, lets_in)
        else:
            yield from _of_domains(state, service, STRANGERS[family])
            if family == "ipv4" and state.value("inet_protocols").strip().lower() == "all":
                yield from _of_ipv6(state, service)


def _refusal(state: HostState, service: Service, strangers: Sequence[Stranger]) -> _Refused | None:
    """What refuses these strangers, if it refuses all of them."""
    found = [_first_refusal(state, service, stranger) for stranger in strangers]
    return found[0] if all(found) else None


def _first_refusal(state: HostState, service: Service, stranger: Stranger) -> _Refused | None:
    for name, value, context in restriction_lists(state, service):
        through = evaluate_list(name, value, stranger, context)
        if through.refused_by:
            return _Refused(service, name, through)
        if through.settled:
            break
    return None


def restriction_lists(state: HostState, service: Service) -> Iterator[tuple[str, str, ListContext]]:
    """Each list between a connection and an accepted message, its value for the service, and what it refers to."""
    context = ListContext(
        classes=restriction_classes(state),
        answers=state.admission.answers,
        delayed=effective(state, service, "smtpd_delay_reject").lower() != "no",
        peer_names=effective(state, service, "smtpd_peername_lookup").lower() != "no",
    )
    for name in LISTS:
        yield name, effective(state, service, name), context


def _everyone(state: HostState, refused: _Refused, lets_in: bool) -> Fault:
    through = refused.result
    where = parameter_place(state, refused.service, refused.name)
    if through.perhaps:
        return Fault(
            f"{where} refuses, by {_by(through)}, every stranger whom {through.perhaps[0]} does not let through: "
            "whether mail from other hosts arrives can't be told from here",
            f"remove {through.refused_by} from {through.within or where}, or probe from outside (verify_probe)",
            WARNING,
        )
    if lets_in:
        return Fault(
            f"{where} refuses every stranger, by {_by(through)}, while another service lets them in",
            f"check that DNS names no address of {refused.service.key}, or {_without(state, refused)}",
            WARNING,
        )
    return Fault(
        f"{where} refuses every stranger, by {_by(through)}: no mail from other hosts arrives",
        _without(state, refused),
    )


def _of_ipv6(state: HostState, service: Service) -> Iterator[Fault]:
    refused = _refusal(state, service, STRANGERS["ipv6"])
    if refused:
        yield Fault(
            f"{parameter_place(state, service, refused.name)} refuses every stranger that comes by IPv6, by "
            f"{_by(refused.result)}",
            f"{_without(state, refused)}, or remove this host's IPv6 addresses from DNS",
            WARNING,
        )


def _of_domains(state: HostState, service: Service, strangers: Sequence[Stranger]) -> Iterator[Fault]:
    """Domains of which all mail is refused."""
    tables = {access.argument for stranger in strangers[:1] for access in _met(state, service, stranger)}
    domains = {domain for table in tables for domain in state.admission.answers.get(table, {}) if "." in domain}
    for domain in sorted(domains & {*state.relayed}):
        refused = _refusal(state, service, [replace(stranger, domain=domain) for stranger in strangers])
        if refused:
            yield Fault(
                f"{parameter_place(state, service, refused.name)} refuses all mail for it, by {_by(refused.result)}",
                f"remove what refuses it from the table, or {_without(state, refused)}",
                domain=domain,
            )


def _met(state: HostState, service: Service, stranger: Stranger) -> list[Access]:
    """The tables and policy services that the stranger comes to."""
    found: list[Access] = []
    for name, value, context in restriction_lists(state, service):
        through = evaluate_list(name, value, stranger, context)
        found += through.met
        if through.refused_by:
            break
    return list(dict.fromkeys(found))


def parameter_place(state: HostState, service: Service, name: str) -> str:
    """The parameter, with its service where that has a value of its own."""
    return name if effective(state, service, name) == state.value(name) else f"{name} of {service.key}"


def _by(through: ListResult) -> str:
    return through.refused_by + (f" (in the restriction class {through.within})" if through.within else "")


def _without(state: HostState, refused: _Refused) -> str:
    """The remedy. A list that decides on destinations must still refuse those of others."""
    where = parameter_place(state, refused.service, refused.name)
    holder = refused.result.within or where
    plain = refused.result.refused_by.lower() in ("reject", "defer")
    others = effective(state, refused.service, refused.name).lower()
    if plain and refused.name in _DECIDING_ON_DESTINATIONS and "reject_unauth_destination" not in others:
        return f"replace {refused.result.refused_by} by reject_unauth_destination in {holder}"
    return f"remove {refused.result.refused_by} from {holder}"


@check("demands_tls", LOCAL, "senders without TLS are refused (warning), or everyone is", place=SENDER)
def demands_tls(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for service in stranger_services(state):
        fault = _tls_fault(state, service)
        if fault:
            yield fault


def _tls_fault(state: HostState, service: Service) -> Fault | None:
    if effective(state, service, "smtpd_tls_wrappermode").lower() == "yes":
        where = parameter_place(state, service, "smtpd_tls_wrappermode")
        return Fault(
            f"{where} is yes, but other mail servers start without TLS: no mail from them arrives",
            f"set {where} to no; wrapper mode is for port 465",
        )
    offered, demanded_by = _tls(state, service)
    if not demanded_by:
        return None
    where = demanded_by[0]
    lacking = _certificate_problem(state, service)
    if not offered or lacking:
        return Fault(
            f"{where} is {demanded_by[1]}: senders have to use TLS, but {lacking or 'this host does not offer it'}, "
            "so no mail from other hosts arrives",
            f"{demanded_by[2]}, or give this host a certificate in smtpd_tls_chain_files and offer TLS",
        )
    if demanded_by[1] != "may" and effective(state, service, "smtpd_tls_req_ccert").lower() == "yes":
        certificate = parameter_place(state, service, "smtpd_tls_req_ccert")
        if demanded_by[1] in ("encrypt", "yes"):
            return Fault(
                f"{certificate} is yes: senders have to show a certificate of their own, which few have",
                f"set {certificate} to no",
            )
    return Fault(
        f"{where} is {demanded_by[1]}: mail from senders that do not use TLS is refused (RFC 3207, 4)",
        demanded_by[2],
        WARNING,
    )


def _tls(state: HostState, service: Service) -> tuple[bool, tuple[str, str, str] | None]:
    """Whether TLS is offered, and what demands it: the parameter, its value, and how to stop that."""
    level = effective(state, service, "smtpd_tls_security_level").strip().lower()
    # The older parameters count only where the newer one is empty.
    deciding = ("smtpd_tls_security_level", "encrypt", "may") if level else ("smtpd_enforce_tls", "yes", "no")
    name, wanted, harmless = deciding
    if effective(state, service, name).strip().lower() == wanted:
        where = parameter_place(state, service, name)
        return True, (where, wanted, f"set {where} to {harmless}")
    offered = level == "may" or (not level and effective(state, service, "smtpd_use_tls").lower() == "yes")
    stranger = replace(STRANGERS["ipv4"][0], encrypted=False)
    for name, value, context in restriction_lists(state, service):
        through = evaluate_list(name, value, stranger, context)
        if through.refused_by.lower() == "reject_plaintext_session":
            where = parameter_place(state, service, name)
            remedy = f"remove {through.refused_by} from {through.within or where}"
            return offered, (where, f"one that has {through.refused_by}", remedy)
    return offered, None


def _certificate_problem(state: HostState, service: Service) -> str:
    paths = [path for name in CERTIFICATE_FILES for path in split_items(effective(state, service, name))]
    paths = [path for path in paths if path.lower() != "none"]
    missing = [path for path in paths if path in state.admission.missing_files]
    if not paths:
        return "no certificate is named"
    return f"{missing[0]} is missing" if len(missing) == len(paths) else ""


@check("strangers_limited", LOCAL, "rates or limits that cut ordinary senders off", place=SENDER)
def strangers_limited(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for service in stranger_services(state):
        for name, least in LEAST.items():
            yield from _limited(state, service, name, least)
        yield from _slow(state, service)
        yield from _few(state, service)
    for service in state.services:
        named = _AT_ONCE_BEFORE in service.overrides or _AT_ONCE_BEFORE in state.explicit
        if named and program(service) == "postscreen" and port_of_mail(service):
            yield from _limited(state, service, _AT_ONCE_BEFORE, LEAST[_AT_ONCE])
    yield from _behind_a_proxy(state)


def _limited(state: HostState, service: Service, name: str, least: int) -> Iterator[Fault]:
    value = effective(state, service, name).strip()
    # No client, and no message, is limited by 0.
    unlimited = name.startswith((_PER_CLIENT, "message_")) or name == _AT_ONCE_BEFORE
    period = max(_MINUTE, seconds(state.value(_RATE_UNIT)) or 0) if name.endswith("_rate_limit") else _MINUTE
    least = -(-least * period // _MINUTE)
    if is_number(value) and int(value) < least and not (int(value) <= 0 and unlimited):
        where = parameter_place(state, service, name)
        per = f" in {state.value(_RATE_UNIT)}" if period > _MINUTE else ""
        yield Fault(
            f"{where} is {value}{per}: ordinary senders are cut off",
            f"set {where} to {least} or more" + (", or to 0 for no limit" if unlimited else ""),
            WARNING,
        )


def _slow(state: HostState, service: Service) -> Iterator[Fault]:
    value = effective(state, service, "smtpd_timeout").strip()
    period = seconds(value)
    if period is not None and period < _LEAST_SECONDS:
        where = parameter_place(state, service, "smtpd_timeout")
        yield Fault(
            f"{where} is {value}: senders on slow links are cut off",
            f"set {where} to 300s, as RFC 5321 (4.5.3.2.7) asks",
            WARNING,
        )


def _few(state: HostState, service: Service) -> Iterator[Fault]:
    own = service.process_limit
    value = state.value("default_process_limit") if own == "-" else own
    if is_number(value) and 0 < int(value) < _LEAST_PROCESSES:
        where = "default_process_limit" if own == "-" else f"the process limit of {service.key}"
        yield Fault(
            f"{where} is {value}: other senders wait while {value} of them are served",
            f"set {where} to {_LEAST_PROCESSES} or more",
            WARNING,
        )


def _behind_a_proxy(state: HostState) -> Iterator[Fault]:
    """A service for balancers alone, on a port of its own beside port 25, turns nobody away who comes by DNS."""
    serving = [service for service in state.services if port_of_mail(service)]
    usual = [service for service in serving if port_of_mail(service) in SMTP_PORTS] or serving
    for name in _PROXY_PROTOCOLS:
        for service in usual:
            value = effective(state, service, name).strip()
            if value and program(service) == name.partition("_")[0]:
                where = parameter_place(state, service, name)
                yield Fault(
                    f"{where} is {value}: whoever does not come through a proxy that says so gets 421",
                    f"empty {where} if DNS names this host itself, not the proxy",
                    WARNING,
                )


@check(
    "restriction_table",
    LOCAL,
    "a table that a restriction names can't be asked: smtpd answers 451",
    place=SENDER,
)
def restriction_table(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for where, access in _met_by_strangers(state):
        problem = state.admission.unread.get(access.argument)
        if problem:
            yield Fault(
                f"{where} has {access.action} {access.argument}, which can't be asked ({problem}): smtpd answers 451",
                f"{_made(access.argument)}, or remove that restriction from {where}",
            )


def _met_by_strangers(state: HostState) -> Iterator[tuple[str, Access]]:
    """Whom strangers come to in which list, as far as they get in it; of ETRN's, which few get to, all members."""
    found: dict[tuple[str, Access], None] = {}
    for service in stranger_services(state):
        for name, value, context in restriction_lists(state, service):
            for family in STRANGERS.values():
                for access in evaluate_list(name, value, family[0], context).met:
                    found[parameter_place(state, service, name), access] = None
        value = effective(state, service, ETRN_RESTRICTIONS)
        for access in accesses(ETRN_RESTRICTIONS, value, restriction_classes(state)):
            found[parameter_place(state, service, ETRN_RESTRICTIONS), access] = None
    yield from found


def _made(table: str) -> str:
    kind, _colon, path = table.partition(":")
    if kind in (*INDEXED_TYPES, *UNSAFE_TYPES):
        return f"run postmap {table}"
    return f"create {path}" if path.startswith("/") else f"make {table} answer"


@check(
    "message_table",
    LOCAL,
    "a table that Postfix asks about every message can't be asked: all mail is deferred",
    place=SENDER,
)
def message_table(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for name in MESSAGE_TABLES:
        for text in split_items(state.value(name)):
            table = member_of(text).text
            problem = state.admission.unread.get(table)
            if problem:
                yield Fault(
                    f"{table} ({name}) can't be asked ({problem}): mail from every stranger is deferred (451)",
                    f"{_made(table)}, or remove it from {name}",
                )


@check(
    "policy_service",
    LOCAL,
    "a policy service does not answer: smtpd answers 451 (warning: it lets all pass)",
    place=SENDER,
)
def policy_service(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for where, access in _met_by_strangers(state):
        if access.action != "check_policy_service":
            continue
        endpoint = endpoint_of(access.argument)
        if endpoint == f"unix:{SOCKET}":
            # Of the standby's own there is a check.
            continue
        why = state.admission.silent.get(endpoint)
        usual = state.value("smtpd_policy_service_default_action") or "451"
        action = default_action(access.argument, usual)
        passing = action.upper().startswith(("DUNNO", "OK", "PERMIT"))
        if why:
            yield Fault(
                f"{where} asks the policy service {endpoint}, which does not answer ({why}): smtpd answers {action}",
                f"start it, or remove check_policy_service {access.argument} from {where}",
                WARNING if passing else ERROR,
            )


@check("sasl_socket", LOCAL, "smtpd ends at each connection, as no SASL server answers", mark=ARRIVAL)
def sasl_socket(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for service in stranger_services(state):
        endpoint = sasl_endpoint(state, service)
        why = state.admission.silent.get(endpoint) if endpoint else ""
        if why:
            where = parameter_place(state, service, "smtpd_sasl_auth_enable")
            yield Fault(
                f"{where} is yes, but no SASL server answers at {endpoint} ({why}): smtpd ends before it can take mail",
                f"start Dovecot with that socket, or set {where} to no",
            )


@check(
    "parameter_value",
    LOCAL,
    "a value with which a daemon of Postfix does not start (warning: a comment behind another value)",
    mark=ARRIVAL,
)
def parameter_value(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    yield from _interfaces(state)
    yield from _mailboxes(state)
    values = {name: state.value(name) for name in state.explicit}
    for service in state.services:
        own = {name: effective(state, service, name) for name in service.overrides}
        values.update({f"{name} of {service.key}": value for name, value in own.items()})
    for where, value in values.items():
        name = where.partition(" ")[0]
        wanted = _wanted(name, value, state.admission.defaults)
        before, comment = without_comment(value)
        if comment and not _wanted(name, before, state.admission.defaults):
            yield Fault(
                f"{where} is {value}: Postfix takes {comment} for a part of the value"
                + (", and a daemon that reads it does not start" if wanted else ""),
                f"set {where} to {before}, and write the comment on a line of its own",
                ERROR if wanted else WARNING,
            )
        elif wanted and name not in _JUDGED_ELSEWHERE:
            yield Fault(
                f"{where} is {value or 'empty'}: a daemon that reads it does not start, and port 25 may stay silent",
                f"set {where} to {wanted}",
            )


def _interfaces(state: HostState) -> Iterator[Fault]:
    """Members of the lists of addresses that Postfix looks up, and ends where it does not find them."""
    for name, others in (("inet_interfaces", ("all", "loopback-only")), ("proxy_interfaces", ())):
        for member in split_items(state.value(name)):
            wrong = "" if member in others else _interface_problem(name, member, state)
            if wrong:
                yield Fault(
                    f"{name} has {member}, which {wrong}: a daemon that reads it does not start",
                    f"remove {member} from {name}, or correct it",
                )


def _mailboxes(state: HostState) -> Iterator[Fault]:
    """Delivery agents of this host's own mailboxes end where a message may be larger than a mailbox."""
    largest = state.value("message_size_limit")
    for domains, name in _MAILBOXES.items():
        limit = state.value(name)
        if not (is_number(limit) and is_number(largest) and state.value(domains)) or int(limit) <= 0:
            continue
        if int(largest) <= 0 or int(limit) < int(largest):
            yield Fault(
                f"{name} is {limit}, but message_size_limit {largest}: mail for this host's own mailboxes stays in the "
                "queue, as the delivery agent does not start",
                f"set {name} to 0 for no limit, or message_size_limit to {limit}",
                WARNING,
            )


def _interface_problem(name: str, member: str, state: HostState) -> str:
    known = state.interface_addresses
    bare = member.strip("[]")
    found = [bare] if is_address(bare) else known.get(member) if known is not None else None
    if found is None or "$" in member:
        return address_problem(member) and "is neither an address nor the name of a host"
    unheard = {"ipv4": ":", "ipv6": "."}.get(state.value("inet_protocols").strip().lower(), "/")
    found = [address for address in found if unheard not in address]
    if not found:
        return "has no address that Postfix uses, or does not resolve"
    own = {plain_address(address) for address in state.own_addresses}
    if name == "inet_interfaces" and own and not own.issuperset(map(plain_address, found)):
        return "is no address of this host"
    return ""


def _wanted(name: str, value: str, defaults: Mapping[str, str]) -> str:
    """What Postfix wants instead, "" if it takes the value, or only Postfix can tell."""
    if "$" in value:
        return ""
    kind = kind_of(name, defaults) if name in defaults else Kind("")
    text = value.strip()
    if name in CHOICES:
        known = text.lower() in CHOICES[name] or (not text and not name.endswith("_action"))
        return "" if known else " or ".join(CHOICES[name])
    if kind.name == BOOLEAN and text.lower() not in ("yes", "no"):
        return "yes or no"
    if kind.name == INTEGER and not is_number(text):
        return "a whole number"
    if kind.name == TIME and seconds(text) is None:
        return "a time such as 300s"
    return beyond(name, kind, text)
