# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what DNS, and what is published through it, tells the world of a domain's way to this host.

RFC 5321, RFC 8461. None of them finds anything if the domain is not relayed, or DNS was not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address, plain_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.certificate_problems import why_not_verified
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    ARRIVAL,
    DOMAIN_IN_DNS,
    Register,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    DNS,
    ERROR,
    LOCAL,
    MX,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, each_hop
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    EVERY_ADDRESS,
    LOOPBACK,
    SMTP_PORTS,
    address_of,
    on_loopback,
    port_of_mail,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.words import some_of

check = Register(DOMAIN_IN_DNS)


@check("dns_silent", DNS, "DNS did not answer about the domain, or about an MX host", place=MX)
def dns_silent(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    if domain.relayed and domain.exchangers is None and domain.asked and not state.dns_lacks:
        yield Fault(
            "DNS gave no answer for its MX records",
            "check that the resolver (resolv.conf, or the option resolver) and the domain's name servers answer",
            WARNING,
            domain.name,
        )
    unresolved = _unresolved(domain)
    if unresolved:
        yield Fault(
            f"DNS gave no answer for the addresses of its MX hosts {some_of(unresolved)}",
            "check that the resolver (resolv.conf, or the option resolver) and their name servers answer",
            WARNING,
            domain.name,
        )


def _unresolved(domain: DomainEvidence) -> list[str]:
    """Its MX hosts of which DNS did not say where they are: any of them may be this host."""
    return [record.host for record in _records(domain) if not record.resolved]


@check("mx_record", DNS, "no MX record names this host", place=MX, mark=ARRIVAL)
def mx_record(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    if not domain.relayed or domain.exchangers is None or _own_records(domain, state) or _unresolved(domain):
        return
    named = ", ".join(f"{record.host} [{', '.join(record.addresses) or 'no address'}]" for record in domain.exchangers)
    yield Fault(
        f"DNS does not name this host as an MX for it, so no mail arrives; it names {named or 'none'}",
        f"add the record {domain.name}. IN MX 100 "
        + (f"{state.full_name}." if state.full_name else "and this host's full name in DNS")
        + ", or, if one of these is this host behind NAT, add its address to proxy_interfaces",
        domain=domain.name,
    )


def _records(domain: DomainEvidence) -> Sequence[MxRecord]:
    return domain.exchangers or () if domain.relayed else ()


def _own_records(domain: DomainEvidence, state: HostState) -> list[MxRecord]:
    """The MX records that are this host, none if DNS was not asked or did not answer."""
    return [record for record in _records(domain) if state.is_self(record.host, record.addresses, ())]


@check("inet_protocols", LOCAL, "Postfix does not use the address family of the address in DNS", place=MX, mark=ARRIVAL)
def inet_protocols(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    for record in _own_records(domain, state):
        unheard = _unheard(record, state)
        if unheard:
            yield Fault(
                f"its MX {record.host} has the address {unheard[0]}, but inet_protocols is "
                f"{state.value('inet_protocols')}: senders that try that address are turned away",
                f"set inet_protocols to all, or remove {unheard[0]} from DNS",
                WARNING,
                domain.name,
            )


def _unheard(record: MxRecord, state: HostState) -> list[str]:
    """Its addresses of the family that Postfix does not use."""
    other = {"ipv4": ":", "ipv6": "."}.get(state.value("inet_protocols").strip().lower(), "")
    return [address for address in record.addresses if other and other in address]


@check(
    "proxy_interfaces",
    LOCAL,
    "the world reaches this host at an address that it does not know as its own",
    place=MX,
    mark=ARRIVAL,
)
def proxy_interfaces(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    for record in _own_records(domain, state):
        known = _known(record, state)
        # A name that several hosts share has their addresses as well.
        if known and record.host != state.value("myhostname").lower():
            continue
        settled = [*known, *_unheard(record, state)]
        strange = [address for address in record.addresses if address not in settled]
        if strange:
            yield Fault(
                f"this host ({record.host}) is looked for at {', '.join(strange)}, "
                "which it does not recognise as its own: mail can loop",
                f"add {', '.join(strange)} to proxy_interfaces, or correct the address of {record.host} in DNS "
                "and in /etc/hosts",
                domain=domain.name,
            )


def _known(record: MxRecord, state: HostState) -> list[str]:
    """Its addresses that this host knows as its own."""
    return [address for address in record.addresses if state.is_self(address, (), ())]


@check("listens", LOCAL, "nothing listens on port 25 of the address in DNS", place=MX, mark=ARRIVAL)
def listens(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    for record in _own_records(domain, state):
        silent = next((address for address in record.addresses if address in domain.silent), "")
        if silent:
            yield Fault(
                f"its MX {record.host} has the address {silent}, on whose port 25 nothing takes a connection "
                f"({domain.silent[silent]}): Postfix is on another port",
                "add the service smtp, type inet, command smtpd, or accept the finding if the network leads port 25 to "
                "that port",
                domain=domain.name,
            )
        unheard = _unheard(record, state)
        deaf = [
            address for address in _known(record, state) if address not in unheard and not _listens_on(address, state)
        ]
        if deaf:
            bound = _bound_services(state)
            why = f"master.cf has {bound[0].key}" if bound else f"inet_interfaces is {state.value('inet_interfaces')}"
            remedy = f"add {deaf[0]} to inet_interfaces or set it to all"
            if bound:
                remedy = "remove the address in front of the port, so that inet_interfaces decides"
            yield Fault(
                f"its MX {record.host} has the address {deaf[0]}, on which Postfix does not listen ({why})",
                f"{remedy}, then restart Postfix",
                domain=domain.name,
            )


def _bound_services(state: HostState) -> list[Service]:
    """The services that take mail on port 25, if each has an address of this host in front of its port."""
    serving = [
        service for service in state.services if port_of_mail(service) in SMTP_PORTS and not on_loopback(service)
    ]
    own = {*map(plain_address, state.own_addresses), *EVERY_ADDRESS}
    return serving if all(plain_address(address_of(service)) in own for service in serving) else []


def _listens_on(address: str, state: HostState) -> bool:
    """Whether inet_interfaces, a list of addresses, has it. With a name in it, such as `all`, it has every address.

    Where each service has an address in front of its port, those count instead.
    """
    bound = [plain_address(address_of(service)) for service in _bound_services(state)]
    if bound:
        return plain_address(address) in bound or bool(EVERY_ADDRESS.intersection(bound))
    interfaces = [plain_address(item) for item in split_items(state.value("inet_interfaces"))]
    proxied = [plain_address(item) for item in split_items(state.value("proxy_interfaces"))]
    if not all(map(is_address, interfaces)) or all(interface in LOOPBACK for interface in interfaces):
        # That it listens on loopback only is a fault of the whole host.
        return True
    return plain_address(address) in [*interfaces, *proxied]


@check("mx_cname", DNS, "an MX record names an alias", place=MX)
def mx_cname(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    for record in _records(domain):
        if record.alias:
            yield Fault(
                f"its MX {record.host} is an alias (CNAME), which RFC 5321 forbids: some senders refuse it",
                f"point the MX record at the host itself, or give {record.host} address records",
                domain=domain.name,
            )


@check("mx_address", DNS, "an MX host has no address", place=MX)
def mx_address(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    for record in _records(domain):
        if record.resolved and not record.addresses and not record.alias:
            yield Fault(
                f"its MX {record.host} has no address in DNS",
                f"add an A record for {record.host}, or remove the MX record",
                domain=domain.name,
            )


@check("mx_order", DNS, "another host comes before this gateway", place=MX)
def mx_order(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    """A gateway that the world passes by. That a secondary comes first is judged as a loop."""
    own = _own_records(domain, state)
    if (
        not own
        or not domain.answer
        or not domain.nexthop
        or state.is_self(domain.nexthop, domain.nexthop_addresses, ())
    ):
        return
    best = min(record.preference for record in own)
    better = [record for record in _records(domain) if record.preference < best]
    if better and not any(_is_mail_host(record, domain) for record in better):
        yield Fault(
            f"{better[0].host} (preference {better[0].preference}) comes before this host ({best}) and is not its "
            f"mail host {domain.nexthop}: mail bypasses this host",
            f"give this host's MX record a lower preference than {better[0].preference}, or send its mail to "
            f"{better[0].host}",
            WARNING,
            domain.name,
        )


def _is_mail_host(record: MxRecord, domain: DomainEvidence) -> bool:
    """Whether the exchanger is a host that this one sends the domain's mail to."""
    return any(
        record.host == hop.nexthop or bool(set(record.addresses) & {hop.nexthop, *hop.nexthop_addresses})
        for hop in each_hop([domain])
    )


@check("mta_sts", DNS, "the MTA-STS policy does not fit this host, or can't be fetched", place=MX)
def mta_sts(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    own = _own_records(domain, state)
    if not own or domain.policy is None:
        return
    fields = [line.partition(":") for line in domain.policy.split("\n")]
    values = [(name.strip().lower(), value.strip().lower()) for name, _colon, value in fields]
    mode = next((value for name, value in values if name == "mode"), "")
    patterns = [value for name, value in values if name == "mx"]
    unnamed = [record.host for record in own if not any(_covers(pattern, record.host) for pattern in patterns)]
    if not mode:
        yield Fault(
            f"its MTA-STS policy, announced by _mta-sts.{domain.name}, can't be fetched",
            f"serve https://mta-sts.{domain.name}/.well-known/mta-sts.txt, or remove the record _mta-sts.{domain.name}",
            WARNING,
            domain.name,
        )
    elif unnamed and mode != "none":
        yield Fault(
            f"its MTA-STS policy (mode {mode}) does not list this host ({unnamed[0]}): senders that honour it will "
            "skip this host",
            f"add the line mx: {unnamed[0]} to the policy, and change the id in _mta-sts.{domain.name}",
            ERROR if mode == "enforce" else WARNING,
            domain.name,
        )
    elif mode != "none":
        yield from _unverified(domain, state, own, mode)


def _unverified(domain: DomainEvidence, state: HostState, own: Sequence[MxRecord], mode: str) -> Iterator[Fault]:
    """What senders that honour the policy do not take of this host's certificate."""
    evidence = state.certificates
    reasons = (
        (record.host, why_not_verified(served, record.host, evidence.now))
        for record in own
        for served in evidence.served
    )
    host, why = next(((host, why) for host, why in reasons if why), ("", ""))
    if why:
        yield Fault(
            f"its MTA-STS policy (mode {mode}) demands a certificate that can be verified of this host ({host}), but "
            f"{why}: senders that honour it " + ("will skip this host" if mode == "enforce" else "report that"),
            f"give this host a certificate for {host} of a CA that everybody trusts",
            ERROR if mode == "enforce" else WARNING,
            domain.name,
        )


def _covers(pattern: str, host: str) -> bool:
    """RFC 8461, 4.1: a wildcard stands for exactly one label."""
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return host == pattern
