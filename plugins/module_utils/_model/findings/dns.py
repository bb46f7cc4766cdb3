# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What DNS, and what is published through it, tells the world of a domain's way to this host. RFC 5321, RFC 8461."""

from __future__ import annotations

from typing import Iterator, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address, plain_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    DNS,
    ERROR,
    LOCAL,
    MX,
    WARNING,
    Finding,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings.evidence import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.facts import LOOPBACK
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.host import HostState, MxRecord


def dns_findings(domain: DomainEvidence, state: HostState) -> Iterator[Finding]:
    """All of them; none where nothing was asked."""
    if domain.exchangers is None:
        if domain.asked and not state.dns_lacks:
            yield Finding(
                domain.name,
                "dns_silent",
                WARNING,
                DNS,
                "DNS gave no answer for its MX records",
                "check that the resolver (resolv.conf, or the option resolver) and the domain's name servers answer",
                MX,
            )
        return
    own = [one for one in domain.exchangers if state.is_self(one.host, one.addresses, ())]
    if not own:
        yield _no_record(domain, domain.exchangers, state)
    for one in own:
        yield from _own_record(domain, one, state)
    for one in domain.exchangers:
        yield from _any_record(domain, one)
    if own:
        yield from _order(domain, own, state)
        yield from _policy(domain, own)


def _no_record(domain: DomainEvidence, exchangers: Sequence[MxRecord], state: HostState) -> Finding:
    named = ", ".join(f"{one.host} [{', '.join(one.addresses) or 'no address'}]" for one in exchangers)
    return Finding(
        domain.name,
        "mx_record",
        ERROR,
        DNS,
        f"DNS does not name this host as an MX for it, so no mail arrives; it names {named or 'none'}",
        f"add the record {domain.name}. IN MX 100 {state.value('myhostname')}., or, if one of these is this "
        "host behind NAT, add its address to proxy_interfaces",
        MX,
    )


def _own_record(domain: DomainEvidence, record: MxRecord, state: HostState) -> Iterator[Finding]:
    family = {"ipv4": ":", "ipv6": "."}.get(state.value("inet_protocols").strip().lower(), "")
    unheard = [one for one in record.addresses if family and family in one]
    if unheard:
        yield Finding(
            domain.name,
            "inet_protocols",
            WARNING,
            LOCAL,
            f"its MX {record.host} has the address {unheard[0]}, but inet_protocols is "
            f"{state.value('inet_protocols')}: senders that try that address are turned away",
            f"set inet_protocols to all, or remove {unheard[0]} from DNS",
            MX,
        )
    known = [one for one in record.addresses if state.is_self(one, (), ())]
    # A name that several hosts share has their addresses as well.
    shared = record.host != state.value("myhostname").lower()
    strange = [one for one in record.addresses if one not in known and one not in unheard and not (shared and known)]
    if strange:
        yield Finding(
            domain.name,
            "proxy_interfaces",
            ERROR,
            LOCAL,
            f"DNS lists this host ({record.host}) at {', '.join(strange)}, "
            "which it does not recognise as its own: mail can loop",
            f"add {', '.join(strange)} to proxy_interfaces, or correct the address of {record.host} in DNS",
            MX,
        )
    deaf = [one for one in known if one not in unheard and not _listens(one, state)]
    if deaf:
        yield Finding(
            domain.name,
            "listens",
            ERROR,
            LOCAL,
            f"its MX {record.host} has the address {deaf[0]}, on which Postfix does not listen "
            f"(inet_interfaces is {state.value('inet_interfaces')})",
            f"add {deaf[0]} to inet_interfaces or set it to all, then restart Postfix",
            MX,
        )


def _listens(address: str, state: HostState) -> bool:
    """Whether inet_interfaces, a list of addresses, has it. With a name in it, such as `all`, it has every address."""
    interfaces = [plain_address(one) for one in split_items(state.value("inet_interfaces"))]
    proxied = [plain_address(one) for one in split_items(state.value("proxy_interfaces"))]
    if not all(is_address(one) for one in interfaces) or all(one in LOOPBACK for one in interfaces):
        # That it listens on loopback only is a finding about the whole host.
        return True
    return plain_address(address) in [*interfaces, *proxied]


def _any_record(domain: DomainEvidence, record: MxRecord) -> Iterator[Finding]:
    if record.alias:
        yield Finding(
            domain.name,
            "mx_cname",
            ERROR,
            DNS,
            f"its MX {record.host} is an alias (CNAME), which RFC 5321 forbids: some senders refuse it",
            f"point the MX record at the host itself, or give {record.host} address records",
            MX,
        )
    elif record.resolved and not record.addresses:
        yield Finding(
            domain.name,
            "mx_address",
            ERROR,
            DNS,
            f"its MX {record.host} has no address in DNS",
            f"add an A record for {record.host}, or remove the MX record",
            MX,
        )


def _order(domain: DomainEvidence, own: Sequence[MxRecord], state: HostState) -> Iterator[Finding]:
    """A gateway that the world passes by. That a secondary comes first is judged as a loop."""
    if not domain.nexthop or state.is_self(domain.nexthop, domain.nexthop_addresses, ()):
        return
    best = min(one.preference for one in own)
    better = [one for one in domain.exchangers or () if one.preference < best]
    ours = [
        one
        for one in better
        if one.host == domain.nexthop
        or set(one.addresses) & set(domain.nexthop_addresses)
        or domain.nexthop in one.addresses
    ]
    if better and not ours:
        yield Finding(
            domain.name,
            "mx_order",
            WARNING,
            DNS,
            f"{better[0].host} (preference {better[0].preference}) comes before this host ({best}) and is not its "
            f"mail host {domain.nexthop}: mail bypasses this host",
            f"give this host's MX record a lower preference than {better[0].preference}, or send its mail to "
            f"{better[0].host}",
            MX,
        )


def _policy(domain: DomainEvidence, own: Sequence[MxRecord]) -> Iterator[Finding]:
    if domain.policy is None:
        return
    fields = [line.partition(":") for line in domain.policy.splitlines()]
    values = [(name.strip().lower(), value.strip().lower()) for name, _colon, value in fields]
    mode = next((value for name, value in values if name == "mode"), "")
    patterns = [value for name, value in values if name == "mx"]
    if not mode:
        yield Finding(
            domain.name,
            "mta_sts",
            WARNING,
            DNS,
            f"its MTA-STS policy, announced by _mta-sts.{domain.name}, can't be fetched",
            f"serve https://mta-sts.{domain.name}/.well-known/mta-sts.txt, or remove the record _mta-sts.{domain.name}",
            MX,
        )
        return
    unnamed = [one.host for one in own if not any(_names(pattern, one.host) for pattern in patterns)]
    if unnamed and mode != "none":
        yield Finding(
            domain.name,
            "mta_sts",
            ERROR if mode == "enforce" else WARNING,
            DNS,
            f"its MTA-STS policy (mode {mode}) does not list this host ({unnamed[0]}): senders that honour it will "
            "skip this host",
            f"add the line mx: {unnamed[0]} to the policy, and change the id in _mta-sts.{domain.name}",
            MX,
        )


def _names(pattern: str, host: str) -> bool:
    """RFC 8461, 4.1: a wildcard stands for exactly one label."""
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:]
    return host == pattern
