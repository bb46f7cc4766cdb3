# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of the Internet a set of networks takes in.

Networks that no stranger can have an address of, such as those of RFC 1918, do not count.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TypeVar, Union

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
_Family = TypeVar("_Family", ipaddress.IPv4Network, ipaddress.IPv6Network)

# The most that belongs to one owner: a /8 of IPv4, a /18 of IPv6. Whatever takes in more takes in strangers.
_MOST_IPV4 = 2 ** (32 - 8)
_MOST_IPV6 = 2 ** (128 - 18)
_PRIVATE_IPV4 = tuple(
    ipaddress.IPv4Network(text)
    for text in ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12")
    + ("192.168.0.0/16", "224.0.0.0/3")
)
_PRIVATE_IPV6 = tuple(ipaddress.IPv6Network(text) for text in ("::/127", "fc00::/7", "fe80::/10", "ff00::/8"))


def network_of(text: str) -> Network | None:
    """An address or network as Postfix writes it (192.0.2.0/24, [2001:db8::]/32), None for other text."""
    plain = text.replace("[", "").replace("]", "")
    try:
        network = ipaddress.ip_network("0.0.0.0/0" if plain == "0/0" else plain, strict=False)
    except ValueError:
        return None
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped is not None and network.prefixlen >= 96:
        return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


def network_of_key(key: str) -> Network | None:
    """The network that a key of an access table stands for: whole octets from the left, or groups of IPv6."""
    found = network_of(key)
    if found is not None:
        return found
    octets = key.rstrip(".").split(".")
    if 1 <= len(octets) <= 3 and all(octet.isdigit() for octet in octets):
        return network_of(f"{'.'.join(octets + ['0'] * (4 - len(octets)))}/{8 * len(octets)}")
    groups = key.rstrip(":").split(":")
    if len(groups) > 1 or key.endswith(":"):
        return network_of(f"{':'.join(groups)}::/{16 * len(groups)}") if len(groups) < 8 else None
    return None


def takes_in_strangers(networks: Iterable[Network]) -> bool:
    """Whether the networks together hold more public addresses of a family than anybody has."""
    known = list(networks)
    ipv4 = [network for network in known if isinstance(network, ipaddress.IPv4Network)]
    ipv6 = [network for network in known if isinstance(network, ipaddress.IPv6Network)]
    return _public(ipv4, _PRIVATE_IPV4) > _MOST_IPV4 or _public(ipv6, _PRIVATE_IPV6) > _MOST_IPV6


def widest(networks: Iterable[Network]) -> list[Network]:
    """The networks without which the others take in no strangers, the largest first."""
    rest = sorted(set(networks), key=lambda network: (network.prefixlen, str(network)))
    found: list[Network] = []
    while takes_in_strangers(rest):
        found.append(rest.pop(0))
    return found


def _public(networks: Sequence[_Family], private: Sequence[_Family]) -> int:
    """How many addresses the networks have that are in none of the private ones."""
    disjoint = list(ipaddress.collapse_addresses(networks))
    return sum(network.num_addresses for network in disjoint) - sum(
        min(network.num_addresses, other.num_addresses)
        for network in disjoint
        for other in private
        if network.overlaps(other)
    )
