# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IP addresses as Postfix writes them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=4096)
def plain_address(text: str) -> str:
    """An IP address in its one canonical form, an IPv4 address within an IPv6 one as IPv4; other text in lower case."""
    bare = text.strip().strip("[]").lower()
    bare = bare[5:] if bare.startswith("ipv6:") else bare
    # A link-local address names its interface after a percent sign.
    address = _parsed(bare.partition("%")[0] if ":" in bare else bare)
    return bare if address is None else str(address)


def stays_here(text: str) -> bool:
    """Whether it is an address at which a host reaches nobody but itself: of the loopback networks, or none at all."""
    address = _parsed(plain_address(text))
    return address is not None and (address.is_loopback or address.is_unspecified)


def reaching_others(addresses: Iterable[str]) -> list[str]:
    """Those of the addresses at which other hosts can be reached, each in its one canonical form."""
    return [plain_address(address) for address in addresses if not stays_here(address)]


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_address(text: str) -> bool:
    """Whether it is an IP address, without brackets."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
