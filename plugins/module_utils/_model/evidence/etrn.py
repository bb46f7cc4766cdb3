# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who alone may ask for a domain's queue by ETRN: how main.cf says it. See ETRN_README and RESTRICTION_CLASS_README.

smtpd asks a restriction class of ours first. A row for each domain leads to the class of its clients, which ends in a
refusal. Whatever has no row is judged by what comes behind.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Union

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
# The class that smtpd asks first; those of the clients have a number behind.
CLASS = "mxrelay_etrn"
CLASSES = "smtpd_restriction_classes"
# For other domains than these smtpd answers 459, whoever asks.
FLUSHED = "fast_flush_domains"
# A domain below one with clients that has none itself is judged by what comes behind.
NOBODYS = "DUNNO"
# So many rows of the longest names fit into an argument of postmap.
ROWS = 400
_ROW = re.compile(r"[{,]\s*([^\s,{}=]+)\s*=\s*(\w+)")
_CLIENT = re.compile(r"[{,]\s*([0-9a-f.:/]+)\s*(?:=\s*| )OK\b")
_OCTET = 8
_OCTETS = 4


def etrn_clients(host: HostState) -> Mapping[str, Sequence[str]]:
    """The domains for whose queue only some clients may ask, with these, as main.cf has it."""
    rows = {
        domain: name
        for domain, name in _ROW.findall(host.value(CLASS))
        if name != NOBODYS and not domain.startswith(".")
    }
    clients = {name: read_clients(host.value(name)) for name in set(rows.values())}
    return {domain: clients[name] for domain, name in rows.items()}


def etrn_class(rows: Mapping[str, str]) -> str:
    """The class that smtpd asks first: `rows` are domains, each with the class of its clients.

    Of many domains it has several tables. One of a parent domain must not be found before that of the domain itself.
    """
    nobodys = [name for name, result in rows.items() if result == NOBODYS]
    others = sorted(rows.keys() - set(nobodys), key=lambda name: (-name.lstrip(".").count("."), name))
    tables = [others[place : place + ROWS] for place in range(0, len(others), ROWS)]
    return ", ".join(f"check_etrn_access inline:{{{_written(rows, [*names, *nobodys])}}}" for names in tables)


def _written(rows: Mapping[str, str], names: Iterable[str]) -> str:
    return ", ".join(f"{name}={rows[name]}" for name in names)


def clients_class(clients: Sequence[str], patterns: bool) -> str:
    """The class of these addresses and networks; without `patterns` Postfix has no inline tables of networks."""
    if patterns:
        return f"check_client_access cidr:{{{', '.join(f'{{{client} OK}}' for client in clients)}}}, reject"
    keys = [key for client in clients for key in _keys(ipaddress.ip_network(client))]
    return f"check_client_access inline:{{{', '.join(f'{key}=OK' for key in keys)}}}, reject"


def read_clients(value: str) -> tuple[str, ...]:
    """The addresses and networks that a class of clients has."""
    return plain_networks(_network(found) for found in _CLIENT.findall(value))


def plain_networks(networks: Iterable[Network]) -> tuple[str, ...]:
    """The networks in one canonical form: none within another, and single addresses without their length."""
    given = list(networks)
    fours = [network for network in given if isinstance(network, ipaddress.IPv4Network)]
    sixes = [network for network in given if isinstance(network, ipaddress.IPv6Network)]
    merged: list[Network] = [*ipaddress.collapse_addresses(fours), *ipaddress.collapse_addresses(sixes)]
    return tuple(str(network if network.num_addresses > 1 else network.network_address) for network in merged)


def _network(text: str) -> Network:
    """A network as a class names it: whole, or by its first octets."""
    if ":" in text or "/" in text:
        return ipaddress.ip_network(text)
    octets = text.split(".")
    return ipaddress.ip_network(f"{'.'.join([*octets, *['0'] * (_OCTETS - len(octets))])}/{_OCTET * len(octets)}")


def _keys(network: Network) -> list[str]:
    """The keys by which smtpd finds an address in an indexed table: an IPv4 network's first octets, see access(5)."""
    if isinstance(network, ipaddress.IPv6Network):
        return [str(network.network_address)]
    octets = max(1, -(-network.prefixlen // _OCTET))
    return [
        ".".join(str(part.network_address).split(".")[:octets]) for part in network.subnets(new_prefix=_OCTET * octets)
    ]
