# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MX hosts that a mail host is to trust, and the addresses from which they come."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address, plain_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, Problems
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import as_list, words_in

OPTION = "hosts"
VARIABLE = "trust_mx_addresses"


@dataclass(frozen=True)
class MxHost:
    """An MX host: its name in the inventory, or its address where only that was given, and all its addresses."""

    name: str
    addresses: tuple[str, ...]


def read_hosts(items: Sequence[Mapping[str, Any]]) -> list[MxHost]:
    """The hosts of the option `hosts`. Raises InvalidInput that says all that is wrong with them.

    The addresses of a host of the inventory are those that it says itself (`addresses`), else those from which it
    reaches the world (`facts`) with those by which the world knows it (`proxy_interfaces`), else its `ansible_host`.
    One that the inventory names by an address has that one besides, unless it says its own.
    One that is `lost` just now would be trusted by fewer addresses than before, and is refused.
    """
    problems = Problems()
    found: list[MxHost] = []
    for item in items:
        with problems.kept():
            found.append(_host(item))
    problems.tell("MX hosts")
    return list({host.name: host for host in found}.values())


def _host(item: Mapping[str, Any]) -> MxHost:
    name = str(item.get("name") or "").strip()
    if not name:
        raise InvalidInput(f"trust_mx: an item of {OPTION} has no name; give a host of the inventory, or an address")
    if not item.get("in_inventory"):
        if "/" in name or is_address(name.strip("[]")):
            return MxHost(single_address(name, OPTION), (single_address(name, OPTION),))
        raise InvalidInput(
            f'trust_mx: "{name}" ({OPTION}) is neither an address nor a host of the inventory; give the address from '
            "which it connects"
        )
    told = as_list(item.get("addresses"), f"{VARIABLE} of {name}", words_in, "write one address an item")
    if told:
        return MxHost(name, _unique(single_address(str(address), f"{VARIABLE} of {name}") for address in told))
    known = [*map(str, item.get("proxy_interfaces") or ()), *([name] if _connects_from(name) else [])]
    outside = [address for address in known if is_address(address.strip("[]"))]
    seen = [str(address) for address in item.get("facts") or () if address]
    if seen:
        return MxHost(name, _unique(single_address(address, f"addresses of {name}") for address in [*seen, *outside]))
    if item.get("lost"):
        raise InvalidInput(
            f"trust_mx: {name} did not answer, so the addresses from which it connects are not known; run again when "
            f"it does, or set {VARIABLE} for it in the inventory"
        )
    reached = str(item.get("ansible_host") or name)
    if is_address(reached.strip("[]")):
        return MxHost(name, _unique(single_address(address, f"addresses of {name}") for address in [reached, *outside]))
    raise InvalidInput(
        f"trust_mx: no address of {name} is known: it has not told its own, and its ansible_host is not an address; "
        f"set {VARIABLE} for it in the inventory, to the addresses from which it connects"
    )


def single_address(text: str, place: str) -> str:
    """One address that a client of another host can have. Raises InvalidInput."""
    bare = text.strip()
    address = plain_address(bare)
    if not is_address(address):
        what = "is a network" if "/" in bare else "is not an address"
        raise InvalidInput(
            f'trust_mx: "{bare}" ({place}) {what}; give single addresses, since a network takes in strangers'
        )
    if not _connects_from(address):
        raise InvalidInput(
            f'trust_mx: "{bare}" ({place}) is not an address from which another host connects; give that address'
        )
    return address


def _connects_from(address: str) -> bool:
    """Whether it is an address that a client of another host can have."""
    bare = address.strip("[]")
    if not is_address(bare):
        return False
    known = ipaddress.ip_address(bare)
    return not (known.is_loopback or known.is_unspecified or known.is_multicast or known.is_link_local)


def _unique(addresses: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(addresses))
