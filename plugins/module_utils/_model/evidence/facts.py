# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the evidence about a host means, whoever asks: the planner or the findings."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    references,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    expand,
    lookup_keys,
    type_of,
    without_proxy,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import KEYED_TYPES

# Members of master_service_disable without which smtpd does not listen.
NO_SMTP = frozenset({"inet", "smtp.inet", "smtp/inet"})
SMTP_PORTS = ("smtp", "25")
# Ports for this host's own users.
SUBMISSION = ("submission", "587", "submissions", "smtps", "465")
CERTIFICATE_FILES = (
    "smtpd_tls_cert_file",
    "smtpd_tls_chain_files",
    "smtpd_tls_dcert_file",
    "smtpd_tls_eccert_file",
)
# What smtpd and cleanup ask about every message; without an answer they defer it.
MESSAGE_TABLES = (
    "smtpd_command_filter",
    "canonical_maps",
    "recipient_canonical_maps",
    "sender_canonical_maps",
    "virtual_alias_maps",
    "recipient_bcc_maps",
    "sender_bcc_maps",
    "header_checks",
    "body_checks",
)
EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})
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
    own = [record for record in records if host.is_self(record.host, record.addresses, proxies)]
    if not own:
        return None
    best = min(record.preference for record in own)
    others = [record for record in records if record not in own]
    if any(record.preference < best for record in others):
        return None
    return min(own, key=lambda record: record.preference)


def best_other_exchanger(records: Sequence[MxRecord], host: HostState) -> str:
    """The name of the first of these records that does not name this host, "" if there is none."""
    others = (record.host for record in records if not host.is_self(record.host, record.addresses, ()))
    return next(others, "")


def unknown_host(name: str, mx_lookup: bool, host: HostState) -> bool:
    """Whether DNS answered, and what it said leaves mail for this nexthop nowhere to go."""
    if not name or host.host_addresses.get(name) or name not in host.mx:
        return False
    return not (mx_lookup and host.mx[name])


def relayed_by(name: str, host: HostState) -> str:
    """The member of relay_domains that has the domain, "" where none has. See parent_domain_matches_subdomains."""
    keys = lookup_keys(name, host.relay_parents)
    return next((host.relayed[key] for key in keys if key in host.relayed), "")


def effective(host: HostState, service: Service, name: str) -> str:
    """The value by which a service of master.cf goes, expanded: its overrides count, also through a $name.

    Text that cannot be expanded here, such as a comparison with an overridden name, stays as it is.
    """
    if not service.overrides:
        return host.value(name)
    key = ("depending", " ".join(sorted(service.overrides)))
    depending = host.once(key, lambda: depending_on(service.overrides, host.parameters))
    affected = {other: host.parameters[other] for other in depending}
    written = {**host.values, **affected, **service.overrides}
    return expand(written.get(name, ""), written)


def depending_on(names: Iterable[str], parameters: Mapping[str, str]) -> set[str]:
    """The parameters that refer to one of `names`, directly or through others."""
    referring = {name: references(value) for name, value in parameters.items() if "$" in value}
    found: set[str] = set()
    changed = set(names)
    while changed:
        changed = {name for name, named in referring.items() if named & changed} - found
        found |= changed
    return found


def values_with(host: HostState, parameters: Mapping[str, str], written: set[str]) -> dict[str, str]:
    """The values once `parameters` hold, of which those `written` are new: all that refer to them change with them."""
    # Of what depends on a condition Postfix alone knows the value; it is taken as it was read.
    plain = {name: value for name, value in parameters.items() if "?" not in value}
    stale = written | depending_on(written, plain)
    known = {**host.values, **{name: parameters[name] for name in stale}}
    return {name: expand(value, known) if name in stale else value for name, value in known.items()}


def service_named(services: Sequence[Service], key: str) -> Service | None:
    """The service of this name and type, such as smtp/inet. Of several entries Postfix uses the last."""
    return {service.key: service for service in services}.get(key)


def stranger_services(host: HostState) -> list[Service]:
    """The SMTP servers to which the world's mail comes: those on port 25, and those to which a postscreen there hands.

    Without any, those on another port, to which something may lead.
    """
    return host.once(("services", "strangers"), lambda: _stranger_services(host))


def _stranger_services(host: HostState) -> list[Service]:
    open_ports = _open_ports(host)
    usual = [service for service in open_ports if port_of_mail(service) in SMTP_PORTS] or open_ports
    names = {pass_name(host, service) for service in usual if program(service) == "postscreen"}
    behind = [
        service
        for service in host.services
        if service.type == "pass" and service.name in names and program(service) == "smtpd"
    ]
    return [service for service in usual if program(service) == "smtpd"] + behind


def screens_for_strangers(host: HostState) -> list[Service]:
    """The entries of postscreen that meet strangers."""
    return [service for service in _open_ports(host) if program(service) == "postscreen"]


def _open_ports(host: HostState) -> list[Service]:
    return [service for service in host.services if port_of_mail(service) and not on_loopback(service)]


def takes_proxy_protocol(host: HostState, service: Service) -> bool:
    """Whether an smtpd or postscreen is told by whoever connects which address the client has.

    Who comes to it without a load balancer is not greeted.
    """
    return bool(effective(host, service, f"{program(service)}_upstream_proxy_protocol"))


def pass_name(host: HostState, screen: Service) -> str:
    """The name of the service to which a postscreen hands its clients."""
    return effective(host, screen, "smtpd_service_name") or "smtpd"


def port_of_mail(service: Service) -> str:
    """The port on which this service takes mail from other servers; empty if it does not."""
    port = port_of(service)
    takes = service.type == "inet" and program(service) in ("smtpd", "postscreen")
    return port if takes and port not in SUBMISSION else ""


def port_of(service: Service) -> str:
    """The port of its name, in figures or by name, whether an address is in front of it or not."""
    return service.name.rpartition(":")[2]


def address_of(service: Service) -> str:
    """The address or name in front of a service's port, "" where inet_interfaces decides."""
    return service.name.rpartition(":")[0].strip("[]")


def reaches_strangers(service: Service, state: HostState) -> bool:
    """Whether more than this host itself can talk to the service over the network, or is handed on to it."""
    if service.type not in ("inet", "pass"):
        return False
    if disabled_by(service.name, service.type, state.value("master_service_disable")):
        return False
    return service.type != "inet" or not on_loopback(service)


def disabled_by(name: str, kind: str, members: str) -> list[str]:
    """Those members of master_service_disable that keep master from running a service of this name and type."""
    return [member for member in split_items(members) if member in (kind, f"{name}.{kind}", f"{name}/{kind}")]


def interface_names(members: Iterable[str]) -> list[str]:
    """Those members of inet_interfaces and proxy_interfaces that have to be resolved."""
    names = [member for member in members if not is_address(member.strip("[]")) and "$" not in member]
    return list(dict.fromkeys(name for name in names if name not in ("all", "loopback-only")))


def ports_for_strangers(host: HostState) -> dict[str, bool]:
    """The ports at which strangers can talk SMTP, by figure or name, and whether TLS is from the first byte there."""
    return {
        port_of(service): effective(host, service, "smtpd_tls_wrappermode").lower() == "yes"
        for service in host.services
        if service.type == "inet" and program(service) in ("smtpd", "postscreen") and reaches_strangers(service, host)
    }


def own_mail_domain(host: HostState) -> str:
    """A mail domain of this host's own, at which a sender is not forged; "" where it has none that it does not relay.

    It is not myorigin: that is often a domain whose SPF record is about other hosts than this one.
    """
    names = (host.value("myhostname").lower(), host.value("mydomain").lower())
    delivered = [name for name in names if "mydestination" in host.classes.get(name, {})]
    return next((name for name in names if "." in name and (name in delivered or not relayed_by(name, host))), "")


def is_loopback(host: str) -> bool:
    """Whether it is an address that only this host reaches. A name is not trusted to be one, except localhost."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def on_loopback(service: Service) -> bool:
    """Whether only this host itself can reach it, by the address in front of its port."""
    return is_loopback(address_of(service))


def program(service: Service) -> str:
    """The daemon that it runs."""
    return next(iter(service.command.split()), "").rpartition("/")[2]


def restriction_classes(host: HostState) -> dict[str, str]:
    """The restriction classes of main.cf, each with its list."""
    return {name: host.value(name) for name in split_items(host.value("smtpd_restriction_classes"))}


def sasl_endpoint(host: HostState, service: Service) -> str:
    """Where smtpd asks Dovecot about passwords, as `unix:path` or `inet:host:port`; "" where it does not."""
    enabled = effective(host, service, "smtpd_sasl_auth_enable").lower() == "yes"
    path = effective(host, service, "smtpd_sasl_path")
    if not enabled or effective(host, service, "smtpd_sasl_type").lower() != "dovecot" or not path:
        return ""
    return path if path.startswith(("inet:", "unix:")) else f"unix:{path}"


def servers_that_strangers_reach(host: HostState) -> list[Service]:
    """The SMTP servers that more than this host itself can talk to."""
    return [service for service in host.services if program(service) == "smtpd" and reaches_strangers(service, host)]


def services_for_strangers(host: HostState) -> list[Service]:
    """SMTP services that take mail from strangers: those that they reach, and that do not refuse every one of them."""
    return [
        service
        for service in servers_that_strangers_reach(host)
        if not any(_keeps_strangers_out(effective(host, service, name)) for name in UNTIL_RECIPIENT)
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
    return host.once(("strangers", name), lambda: values_of(services_for_strangers(host), host, name))


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


def has_other_maps(host: HostState) -> bool:
    """Whether relay_recipient_maps has members whose rows can't be listed."""
    members = [without_proxy(member) for member in split_items(host.value("relay_recipient_maps"))]
    return any(type_of(member) not in KEYED_TYPES for member in members)


def offers_smtputf8(host: HostState) -> bool:
    """Whether this host takes addresses that are not ASCII."""
    return host.value("smtputf8_enable").lower() == "yes"
