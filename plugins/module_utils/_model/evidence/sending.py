# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services that send mail, and what of their parameters is right for a smarthost but wrong for relay domains.

See smtp(8): a parameter of main.cf holds for every service that runs it, a service's own override for that one alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address, plain_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import type_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import effective, service_named
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import KEYED_TYPES, UNSAFE_TYPES

RELAY = "relay"
CLIENTS = ("smtp", "lmtp")
NEW_RELAY = Service(RELAY, "unix", "-", "-", "-", "-", "-", "smtp", {})
TLS_LEVEL = "smtp_tls_security_level"
TLS_POLICY = "smtp_tls_policy_maps"
DNS_SUPPORT = "smtp_dns_support_level"
HOST_LOOKUP = "smtp_host_lookup"
# With these a mail host that offers no TLS gets no mail.
TLS_DEMANDED = ("encrypt", "dane-only", "fingerprint", "verify", "secure")
# Tables of which each entry is about a name that somebody wrote down.
_KEYED = (*KEYED_TYPES, *UNSAFE_TYPES, "inline")
REWRITING = tuple(f"smtp_{kind}_checks" for kind in ("header", "mime_header", "nested_header", "body"))
STATUS_FILTER = "smtp_delivery_status_filter"
_FILTERS = ("smtp_reply_filter", STATUS_FILTER, "smtp_dns_reply_filter")


@dataclass(frozen=True)
class Harm:
    """A parameter of a sending service that does harm to mail for relay domains.

    `instead` is the value that does none, None where only the administrator can tell. `own`: it is an override of the
    service itself, so somebody meant this service. `certain`: mail of every relay domain comes to harm by it.
    """

    name: str
    value: str
    what: str
    instead: str | None = None
    # The setting as main.cf has it, where that is another parameter.
    setting: str = ""
    own: bool = False
    certain: bool = True


def sending_service(host: HostState, agent: str) -> Service | None:
    """The service of this name that the queue manager hands mail to."""
    return service_named(host.services, f"{agent}/unix")


def find_relay_service(host: HostState) -> Service | None:
    """The service that sends mail for relay domains, unless relay_transport or a transport row names another."""
    return sending_service(host, RELAY)


def with_relay_service(host: HostState) -> HostState:
    """The host with a service relay/unix as Postfix ships it, if it has none: a run that relays something adds it."""
    return host if find_relay_service(host) else replace(host, services=[*host.services, NEW_RELAY])


def written_program(service: Service) -> str:
    """The program as master.cf has it, without its arguments: with a path in front Postfix finds no daemon."""
    return (service.command.split() or [""])[0]


def is_client(service: Service) -> bool:
    """Whether it sends mail to another host, as far as its program tells."""
    return written_program(service) in CLIENTS


def odd_arguments(service: Service) -> list[str]:
    """Arguments of smtp(8) or lmtp(8) that are neither overrides nor -v; with most of them it does not start."""
    return [word for word in service.command.split()[1:] if word.strip("v") != "-"]


def parameter_of(service: Service, name: str) -> str:
    """What the service calls a parameter of smtp(8), which lmtp(8) reads under a name of its own."""
    return name.replace("smtp_", "lmtp_", 1) if written_program(service) == "lmtp" else name


def client_value(host: HostState, service: Service, name: str) -> str:
    """The value by which the service goes of what smtp(8) calls `name`."""
    return effective(host, service, parameter_of(service, name))


def own_value(host: HostState, service: Service, name: str) -> str:
    """The same in lower case."""
    return client_value(host, service, name).lower()


def harms(host: HostState, service: Service) -> list[Harm]:
    """What the service's parameters would do to mail of a relay domain, each with the value that does not."""
    found = []
    for harm in _harms(host, service):
        name = parameter_of(service, harm.name)
        if host.knows(name) or name in service.overrides:
            own = name in service.overrides
            deliberate = own and harm.instead is not None
            found.append(replace(harm, name=name, own=own, certain=harm.certain and not deliberate))
    return found


def _harms(host: HostState, service: Service) -> Iterator[Harm]:
    """By the names of smtp(8)."""

    def value(name: str) -> str:
        return client_value(host, service, name)

    if value("smtp_tls_wrappermode").lower() == "yes":
        yield Harm("smtp_tls_wrappermode", "yes", "no mail host takes TLS at once on port 25, so mail waits", "no")
    yield from _tls_harms(host, service)
    if value("smtp_sasl_auth_enable").lower() == "yes" and _gives_password_away(host, service):
        yield Harm(
            "smtp_sasl_auth_enable", "yes", "a mail host that offers AUTH is sent the smarthost's password", "no"
        )
    generic = value("smtp_generic_maps")
    if generic:
        yield Harm("smtp_generic_maps", generic, "it rewrites addresses of mail that only passes through", "")
    port = value("smtp_tcp_port")
    if port not in ("", "smtp", "25"):
        yield Harm("smtp_tcp_port", port, "mail hosts are asked on that port, and mail waits", "smtp")
    yield from _bind_harms(host, service)
    for name in _FILTERS:
        if value(name) and not (name == STATUS_FILTER and puts_off(host, value(name))):
            yield Harm(
                name, value(name), "whether it makes an outage of a mail host a bounce can't be told", certain=False
            )
    for name in REWRITING:
        if value(name) and _rewrites(host, value(name)):
            yield Harm(name, value(name), "it changes mail that only passes through", certain=False)


def _tls_harms(host: HostState, service: Service) -> Iterator[Harm]:
    """An override of the service itself is what a setting of the roles, or an administrator, decided."""
    level = own_value(host, service, TLS_LEVEL)
    what = "a mail host without TLS, or without a certificate that can be verified, gets no mail"
    if parameter_of(service, TLS_LEVEL) not in service.overrides:
        if level in TLS_DEMANDED:
            yield Harm(TLS_LEVEL, level, what, "may", certain=False)
        elif not level and own_value(host, service, "smtp_enforce_tls") == "yes":
            yield Harm(TLS_LEVEL, "", what, "may", "smtp_enforce_tls = yes", certain=False)
    policy = client_value(host, service, TLS_POLICY)
    if any(member.startswith(f"static:{level}") for member in split_items(policy.lower()) for level in TLS_DEMANDED):
        yield Harm(TLS_POLICY, policy, "a mail host without TLS gets no mail", "")


def _gives_password_away(host: HostState, service: Service) -> bool:
    """Whether a host that no entry names would be sent a password: see SASL_README on smtp_sasl_password_maps."""
    maps = split_items(client_value(host, service, "smtp_sasl_password_maps"))
    by_sender = own_value(host, service, "smtp_sender_dependent_authentication") == "yes"
    return bool(maps) and (by_sender or any(type_of(member) not in _KEYED for member in maps))


def _bind_harms(host: HostState, service: Service) -> Iterator[Harm]:
    enforced = own_value(host, service, "smtp_bind_address_enforce") == "yes"
    protocols = split_items(host.value("inet_protocols").lower())
    ipv6 = not protocols or "all" in protocols or "ipv6" in protocols
    for name in ["smtp_bind_address", *(["smtp_bind_address6"] if ipv6 else [])]:
        address = client_value(host, service, name)
        if not address:
            continue
        plain = plain_address(address)
        if not is_address(plain):
            yield Harm(name, address, "that is not an address, so the service does not start")
        elif plain.startswith("127.") or plain == "::1":
            yield Harm(name, address, "from the loopback interface no other host can be reached")
        elif host.own_addresses and plain not in {plain_address(own) for own in host.own_addresses}:
            if enforced:
                yield Harm(name, address, "this host has no such address, so mail waits")
            else:
                yield Harm(name, address, "this host has no such address, so mail leaves from another", certain=False)


def puts_off(host: HostState, tables: str) -> bool:
    """Whether a filter of delivery statuses only ever makes of a final refusal one for now."""
    found = [host.rules.get(table) for table in split_items(tables)]
    listed = [rules.listed if rules else None for rules in found]
    return bool(listed) and all(results is not None and all(map(_for_now, results)) for results in listed)


def _for_now(result: str) -> bool:
    return result.startswith("4")


def _rewrites(host: HostState, tables: str) -> bool:
    """Whether a result of these tables changes the message, or can't be listed."""
    for table in split_items(tables):
        rules = host.rules.get(table)
        listed = rules.listed if rules else None
        if listed is None or any(result.split()[:1][0].upper() in ("IGNORE", "STRIP", "REPLACE") for result in listed):
            return True
    return False


def dns_is_off(host: HostState, service: Service) -> bool:
    """Whether it looks up no MX records: see postconf(5) on smtp_dns_support_level and disable_dns_lookups."""
    level = own_value(host, service, DNS_SUPPORT)
    return level == "disabled" or (not level and effective(host, service, "disable_dns_lookups").lower() == "yes")


def dns_overrides(host: HostState, service: Service, level: str) -> dict[str, str]:
    """The overrides by which a service that looks up no MX records does so, and finds names where it found them.

    `level` is its level of TLS as it is to be.
    """
    support, lookup = parameter_of(service, DNS_SUPPORT), parameter_of(service, HOST_LOOKUP)
    if not host.knows(support):
        return {"disable_dns_lookups": "no"}
    found = {support: "dnssec" if level.startswith("dane") else "enabled"}
    if host.knows(lookup) and "native" not in own_value(host, service, HOST_LOOKUP):
        found[lookup] = "dns,native"
    return found


def effective_level(host: HostState, service: Service) -> str:
    """Its level of TLS as it is."""
    return own_value(host, service, TLS_LEVEL)
