# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether everybody on the Internet counts as one of this host's own clients.

Asked with addresses that nobody has (RFC 5737, RFC 3849, RFC 9637): a list or table that has all of one family has
everybody's. See postconf(5) on mynetworks and access(5).
"""

from __future__ import annotations

import ipaddress
from typing import Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    Member,
    TableAnswers,
    members_of,
)

STRANGERS = (("192.0.2.1", "198.51.100.1", "203.0.113.1"), ("2001:db8::1", "3fff::1"))
ADDRESSES = tuple(address for family in STRANGERS for address in family)
# Of nobody, at domains that are nobody's (RFC 2606).
RECIPIENTS = ("mxrelay-probe@mxrelay-probe.invalid", "mxrelay-probe@mxrelay-probe.example")
# The largest network that belongs to one owner; anything wider holds strangers.
WIDEST_IPV4 = 8


def world_member(value: str, files: Mapping[str, str], answers: TableAnswers) -> str:
    """The member through which an expanded `mynetworks` takes in everybody, "" if it does not.

    `files` and `answers` are the texts of its files, and the results of its tables for ADDRESSES.
    """
    members = members_of(value, files)
    for member in members:
        if member.kind == "pattern" and not member.negated and _is_wide(member.text):
            return member.text
    for family in STRANGERS:
        deciding = [_first(address, members, answers) for address in family]
        if all(member is not None and not member.negated for member in deciding):
            return deciding[0].text if deciding[0] else ""
    return ""


def welcomes(results: Mapping[str, str]) -> bool:
    """Whether a client access table's results for ADDRESSES permit all of one family."""
    return any(all(permits(results.get(address, "")) for address in family) for family in STRANGERS)


def permits(result: str) -> bool:
    """Whether a result of an access table means permission: OK, a number, or a list that begins with a permit."""
    words = result.replace(",", " ").split()
    return bool(words) and (words[0].upper() == "OK" or words[0].isdigit() or words[0].lower() == "permit")


def _first(address: str, members: Sequence[Member], answers: TableAnswers) -> Member | None:
    return next((member for member in members if _has(member, address, answers)), None)


def _has(member: Member, address: str, answers: TableAnswers) -> bool:
    if member.kind == "table":
        return address in answers.get(member.text, {})
    network = _network(member.text) if member.kind == "pattern" else None
    return network is not None and ipaddress.ip_address(address) in network


def _is_wide(text: str) -> bool:
    network = _network(text)
    return network is not None and network.prefixlen < (WIDEST_IPV4 if network.version == 4 else 1)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    plain = text.replace("[", "").replace("]", "")
    try:
        return ipaddress.ip_network("0.0.0.0/0" if plain == "0/0" else plain, strict=False)
    except ValueError:
        return None
