# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stranger's message comes by on this host before it is sent on: tables of rules, filters, milters, policies.

See SMTPD_ACCESS_README, SMTPD_POLICY_README, MILTER_README, FILTER_README, SMTPD_PROXY_README and header_checks(5).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.admission import STRANGERS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import level, split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import (
    ARGUMENTS,
    TABLE,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restrictions import restrictions_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    effective,
    program,
    services_for_strangers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    CLIENTS,
    sending_service,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import supports

LISTS = ("client", "helo", "sender", "relay", "recipient", "data", "end_of_data")
CHECKS = ("header_checks", "mime_header_checks", "nested_header_checks", "body_checks", "milter_header_checks")
CANONICAL = ("canonical_maps", "sender_canonical_maps")
# Of nobody, in lines as every message has them.
STRANGER = "mxrelay-probe@mxrelay-probe.invalid"
# Addresses (RFC 5737, RFC 3849, RFC 9637) and names that nobody has: what knows all of one kind knows everybody.
NAMES = (*(stranger.name for stranger in STRANGERS["ipv4"]), STRANGER.partition("@")[2])
FAMILIES = (("192.0.2.1", "198.51.100.1", "203.0.113.1"), ("2001:db8::1", "3fff::1"), NAMES)
HOSTS = tuple(host for family in FAMILIES for host in family)
HEADERS = (
    "Received: from mxrelay-probe.invalid (unknown [192.0.2.1])",
    f"From: {STRANGER}",
    "Subject: mxrelay-probe",
    f"Message-ID: <{STRANGER}>",
)
BODY = ("mxrelay-probe",)
LOCAL_PART = "mxrelay-probe"
_PORTS = {"smtp": "25", "lmtp": "24"}
# Asked about the servers of a name: those of any name can have any name and address.
_OF_SERVERS = ("_a_access", "_mx_access", "_ns_access")
_ENDING = frozenset({"permit", "reject", "defer"})
# In these lists mail for a relay domain is permitted by it, and nothing behind it is asked.
_PERMITS_RELAYED = "permit_auth_destination"


@dataclass(frozen=True)
class RuleTable:
    """A table of rules, and the parameter that names it. `keys` are what a stranger's message would ask it."""

    where: str
    table: str
    keys: Sequence[str]
    # About recipients, so that what it says of one domain holds for that domain.
    recipients: bool = False


@dataclass(frozen=True)
class Helper:
    """A program that mail is handed to before it is accepted or sent on, and where it listens ("": that isn't known).

    `problem` is why it can't work at all. `action` is what Postfix does without it, "" where mail then waits or is put
    off.
    """

    where: str
    what: str
    endpoints: Sequence[str] = ()
    problem: str = ""
    action: str = ""


def rule_tables(host: HostState, domains: Sequence[str]) -> list[RuleTable]:
    """The tables that decide what becomes of a stranger's message for these domains, each named once."""
    found: dict[tuple[str, str], RuleTable] = {}
    for service in services_for_strangers(host):
        for rules in [*_access_tables(host, service, domains), *_content_tables(host, service)]:
            found.setdefault((rules.table, rules.where), rules)
    return list(found.values())


def _access_tables(host: HostState, service: Service, domains: Sequence[str]) -> Iterator[RuleTable]:
    by_recipient = [key for name in domains for key in (name, f"{LOCAL_PART}@{name}")]
    for kind in LISTS:
        name = f"smtpd_{kind}_restrictions"
        for action, table in reached(effective(host, service, name), _classes(host, service), kind):
            subject = action[len("check_") :] if action.startswith("check_") else kind
            if subject.startswith("policy_service"):
                continue
            keys: Sequence[str] = ()
            if subject.startswith("client_access") or subject == "client":
                keys = (*HOSTS, "unknown")
            elif subject.startswith("sender_access") or subject == "sender":
                keys = (STRANGER,)
            elif subject in ("helo_access", "helo", "reverse_client_hostname_access"):
                keys = NAMES
            elif subject.endswith(_OF_SERVERS):
                keys = HOSTS
            recipients = subject.startswith("recipient_access") or subject in ("recipient", "relay")
            yield RuleTable(_place(name, service), table, by_recipient if recipients else keys, recipients)


def _classes(host: HostState, service: Service) -> Mapping[str, str]:
    names = split_items(effective(host, service, "smtpd_restriction_classes"))
    return {name: effective(host, service, name) for name in names}


def reached(value: str, classes: Mapping[str, str], kind: str = "", depth: int = 0) -> list[tuple[str, str]]:
    """Each restriction of an expanded list that takes an argument, with it, as far as a stranger's mail comes.

    A table that stands alone is what `check_<kind>_access` is. Classes are followed.
    """
    found: list[tuple[str, str]] = []
    for word, argument in restrictions_of(value):
        name = word.lower()
        if name in _ENDING or (name == _PERMITS_RELAYED and kind in ("relay", "recipient")):
            break
        if word in classes and depth < len(classes):
            found += reached(classes[word], classes, kind, depth + 1)
        elif name == "check_policy_service" or ARGUMENTS.get(name) == TABLE:
            found += [(name, argument)] if argument else []
        elif ":" in name and not name.startswith("{"):
            found.append((kind, word))
    return found


def _content_tables(host: HostState, service: Service) -> Iterator[RuleTable]:
    if "no_header_body_checks" in receive_overrides(host, service):
        return
    values = cleanup_values(host, service, CHECKS)
    for name, value in values.items():
        # Those of MIME headers are those of headers unless they are set.
        if name == "header_checks" or value != values["header_checks"]:
            for table in split_items(value):
                yield RuleTable(name, table, BODY if name == "body_checks" else HEADERS)


def canonical_tables(host: HostState) -> list[RuleTable]:
    """The tables that rewrite senders' addresses."""
    found: dict[str, RuleTable] = {}
    for service in services_for_strangers(host):
        if "no_address_mappings" not in receive_overrides(host, service):
            for name, value in cleanup_values(host, service, CANONICAL).items():
                for table in split_items(value):
                    keys = (STRANGER, "@" + STRANGER.partition("@")[2])
                    found.setdefault(table, RuleTable(name, table, keys))
    return list(found.values())


def receive_overrides(host: HostState, service: Service) -> list[str]:
    """What is left out of what cleanup(8) does with the mail of this SMTP server."""
    return split_items(effective(host, service, "receive_override_options").lower())


def cleanup_values(host: HostState, service: Service, names: Sequence[str]) -> dict[str, str]:
    """The values of parameters of cleanup(8), by the service that this SMTP server hands mail to."""
    cleanup = sending_service(host, effective(host, service, "cleanup_service_name") or "cleanup")
    return {name: effective(host, cleanup, name) if cleanup else host.value(name) for name in names}


def _place(name: str, service: Service) -> str:
    return f"{name} of {service.key}" if name in service.overrides else name


def helpers(host: HostState) -> list[Helper]:
    """The filters and milters that a stranger's mail is handed to. Policy services are asked with the restrictions."""
    found: dict[tuple[str, str], Helper] = {}
    for service in services_for_strangers(host):
        for helper in [
            *_content_filters(host, service),
            *_proxy_filter(host, service),
            *_milters(host, service, "smtpd_milters"),
        ]:
            found.setdefault((helper.where.partition(" of ")[0], helper.what), helper)
    for pickup in [service for service in host.services if program(service) == "pickup"]:
        cleanup = sending_service(host, effective(host, pickup, "cleanup_service_name") or "cleanup")
        for helper in _milters(host, cleanup or pickup, "non_smtpd_milters"):
            found.setdefault((helper.where, helper.what), helper)
    return list(found.values())


def _content_filters(host: HostState, service: Service) -> Iterator[Helper]:
    destination = effective(host, service, "content_filter")
    if destination:
        yield _filter(host, _place("content_filter", service), destination)
    for rules in rule_tables(host, ()):
        known = host.rules.get(rules.table)
        for result in known.listed or () if known else ():
            words = result.split(None, 1)
            if words[:1] and words[0].upper() == "FILTER" and len(words) == 2:
                yield _filter(host, f"{rules.table} in {rules.where}", words[1])


def _filter(host: HostState, where: str, destination: str) -> Helper:
    agent, _colon, nexthop = destination.partition(":")
    service = sending_service(host, agent)
    if service is None:
        return Helper(where, destination, problem=f"master.cf has no service {agent}/unix")
    runs = program(service)
    if runs in ("error", "retry", "discard"):
        return Helper(where, destination, problem=f"{service.key} runs {runs}, which sends nothing on")
    if runs == "pipe":
        return Helper(where, destination, _argv(service))
    if runs not in CLIENTS:
        return Helper(where, destination)
    several = [_endpoint(text, _PORTS[runs], service, host) for text in split_items(nexthop)]
    return Helper(where, destination, [endpoint for endpoint in several if endpoint])


def _proxy_filter(host: HostState, service: Service) -> Iterator[Helper]:
    destination = effective(host, service, "smtpd_proxy_filter")
    if destination:
        endpoint = _endpoint(destination, "", service, host)
        yield Helper(_place("smtpd_proxy_filter", service), destination, [endpoint] if endpoint else [])


def _milters(host: HostState, service: Service, parameter: str) -> Iterator[Helper]:
    for member in split_items(effective(host, service, parameter)):
        where, options = _with_options(member)
        action = options.get("default_action", effective(host, service, "milter_default_action"))
        endpoint = _endpoint(where, "", service, host)
        yield Helper(
            _place(parameter, service),
            where,
            [endpoint] if endpoint else [],
            action="" if action.lower() != "accept" else "accept",
        )


def _with_options(member: str) -> tuple[str, Mapping[str, str]]:
    """`{ inet:host:port, name=value, ... }` as what comes first and the rest."""
    if not member.startswith("{"):
        return member, {}
    first, *rest = (part.strip() for part in member[1:].rstrip("} ").split(","))
    first, *more = first.split(None, 1) or [""]
    pairs = [part.strip("{} ").partition("=") for part in [*more, *rest]]
    return first, {name.strip(): value.strip() for name, _equals, value in pairs}


def _argv(service: Service) -> Sequence[str]:
    """The program that a service of pipe(8) or spawn(8) runs."""
    words = [word[len("argv=") :] for word in service.command.split() if word.startswith("argv=")]
    return [f"program:{word}" for word in words if word.startswith("/")]


def _endpoint(text: str, port: str, service: Service, host: HostState) -> str:
    """`inet:host:port` or `unix:/path` as this host can reach it; "" where it can't be told."""
    kind, colon, rest = text.partition(":")
    if kind == "unix":
        queue = host.value("queue_directory")
        if not queue:
            return ""
        return "unix:" + posixpath.join(queue, rest.lstrip("/") if _in_chroot(service, host) else rest)
    if kind == "inet" and colon:
        text = rest
    if text.startswith("["):
        name, _bracket, after = text[1:].partition("]")
        number = after.lstrip(":") or port
    else:
        name, _colon, number = text.rpartition(":") if ":" in text else ("", "", text)
        # Without a port, a host outside of brackets is a domain whose MX records decide.
        name = name or ("localhost" if number.isdigit() else "")
    name = name[5:] if name.lower().startswith("ipv6:") else name
    return f"inet:{name}:{number}" if name and number else ""


def _in_chroot(service: Service, host: HostState) -> bool:
    if service.chroot != "-":
        return service.chroot == "y"
    modern = supports(host.version, "chroot_off_by_default") and level(host.value("compatibility_level")) >= (1, 0, 0)
    return not modern


def endpoints(host: HostState) -> list[str]:
    """Where the filters, milters and policy services listen."""
    return list(dict.fromkeys(endpoint for helper in helpers(host) for endpoint in helper.endpoints))
