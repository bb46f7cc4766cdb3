# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the evidence about a host means, whoever asks: the planner or the findings."""

from __future__ import annotations

from typing import Iterable, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand, references
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, MxRecord

# Members of master_service_disable without which smtpd does not listen.
NO_SMTP = frozenset({"inet", "smtp.inet", "smtp/inet"})
LOOPBACK = frozenset({"loopback-only", "localhost", "127.0.0.1", "::1", "[::1]"})
RELAY_RESTRICTIONS = "smtpd_relay_restrictions"
RECIPIENT_RESTRICTIONS = "smtpd_recipient_restrictions"
OWN_CLIENTS = frozenset(
    {"permit_mynetworks", "permit_sasl_authenticated", "permit_tls_clientcerts", "permit_inet_interfaces"}
)
# The lists by which smtpd may refuse a client before, or when, it names a recipient.
UNTIL_RECIPIENT = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    RELAY_RESTRICTIONS,
    RECIPIENT_RESTRICTIONS,
)


def best_exchanger(records: Sequence[MxRecord], host: HostState, proxies: Sequence[str]) -> MxRecord | None:
    """This host's own record where no other exchanger is better than it, so that relayed mail has nowhere to go."""
    own = [one for one in records if host.is_self(one.host, one.addresses, proxies)]
    if not own:
        return None
    best = min(one.preference for one in own)
    others = [one for one in records if one not in own]
    return None if any(one.preference < best for one in others) else min(own, key=lambda one: one.preference)


def unknown_host(name: str, mx_lookup: bool, host: HostState) -> bool:
    """Whether DNS answered, and what it said leaves mail for this nexthop nowhere to go."""
    if not name or host.host_addresses.get(name) or name not in host.mx:
        return False
    return not (mx_lookup and host.mx[name])


def open_services(relay: str, recipient: str, host: HostState) -> list[Service]:
    """SMTP services whose own overrides let a stranger relay; `relay` and `recipient` are main.cf's lists."""
    found = []
    for service in host.services:
        overridden = {RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS} & set(service.overrides)
        lists = [
            expand(service.overrides.get(RELAY_RESTRICTIONS, relay), host.values),
            expand(service.overrides.get(RECIPIENT_RESTRICTIONS, recipient), host.values),
        ]
        closed = restrictions.CLOSED in [restrictions.verdict(one, host.permitting) for one in lists]
        if overridden and not closed and faces_strangers(service):
            found.append(service)
    return found


def effective(host: HostState, service: Service, name: str) -> str:
    """The value by which a service of master.cf goes, expanded: its overrides count, also through a $name.

    Text that cannot be expanded here, such as `${name?value}` of an overridden name, stays as it is.
    """
    if not service.overrides:
        return host.value(name)
    depending = {other: host.parameters[other] for other in _depending(service.overrides, host.parameters)}
    written = {**host.values, **depending, **service.overrides}
    return expand(written.get(name, ""), written)


def _depending(overrides: Iterable[str], parameters: Mapping[str, str]) -> set[str]:
    """The parameters that refer to an overridden one, directly or through others."""
    referring = {name: set(references(value)) for name, value in parameters.items() if "$" in value}
    found: set[str] = set()
    changed = set(overrides)
    while changed:
        changed = {name for name, named in referring.items() if named & changed} - found
        found |= changed
    return found


def overrides_for_strangers(host: HostState, parameter: str) -> list[tuple[str, str]]:
    """Where an SMTP service that strangers can reach overrides a parameter, and its value there, expanded."""
    return [
        (f"{parameter} of {service.key}", expand(service.overrides[parameter], host.values))
        for service in host.services
        if parameter in service.overrides and faces_strangers(service)
    ]


def faces_strangers(service: Service) -> bool:
    """Whether it is an SMTP server that more than this host itself can reach."""
    words = service.command.split()
    local = service.name.startswith(("127.", "localhost:", "[::1]:", "::1:"))
    return bool(words) and words[0] == "smtpd" and service.type in ("inet", "pass") and not local


def services_for_strangers(host: HostState) -> list[Service]:
    """SMTP services that take mail from strangers: those that they reach, and that do not refuse every one of them."""
    return [
        service
        for service in host.services
        if faces_strangers(service)
        and not any(_keeps_strangers_out(effective(host, service, name)) for name in UNTIL_RECIPIENT)
    ]


def _keeps_strangers_out(value: str) -> bool:
    """Whether a list of restrictions ends in a plain refusal before which nothing but own clients is let through."""
    for name in restrictions.names(value):
        if name in ("reject", "defer"):
            return True
        if name not in OWN_CLIENTS and not name.startswith("reject_"):
            return False
    return False


def values_for_strangers(host: HostState, name: str) -> dict[str, str]:
    """Each value of a parameter by which services go that take mail from strangers, and how to name its place."""
    key = ("strangers", name)
    if key not in host.worked_out:
        host.worked_out[key] = values_of(services_for_strangers(host), host, name)
    return host.worked_out[key]


def values_of(services: Iterable[Service], host: HostState, name: str) -> dict[str, str]:
    """Each value of a parameter by which some of these services go, and how to name its place: main.cf's, or theirs."""
    places: dict[str, list[str]] = {}
    for service in services:
        places.setdefault(effective(host, service, name), []).append(service.key)
    found = {value: f"{name} of {' and '.join(dict.fromkeys(keys))}" for value, keys in places.items()}
    usual = host.value(name)
    return {**found, usual: name} if usual in found or not found else found


def written_value(host: HostState, name: str) -> str:
    """The value as main.cf has it, else the effective default."""
    return host.explicit.get(name, host.value(name))
