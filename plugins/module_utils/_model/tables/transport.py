# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes entries valid for a transport table: patterns and results of transport(5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import (
    address,
    domain_name,
    hops_of,
    invalid,
    is_hop,
    plain_text,
    transport_result,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.entries import checked_value, merged

DEFAULT_TRANSPORT = "relay"
EVERYTHING = "*"
# The services that run smtp(8) unless somebody changed that.
_SMTP = ("relay", "smtp")
_FIELDS = ("transport", "nexthop", "port", "mx_lookup")


def pattern(text: object, place: str) -> str:
    """A pattern as the key that Postfix looks up: `*`, a full address, a domain, or a domain with a leading dot."""
    value = plain_text(text, place, "a domain, .domain, address or *")
    if value == EVERYTHING:
        return value
    return address(value, place) if "@" in value else domain_name(value, place, allow_subdomains=True)


def transport_rows(
    entries: Sequence[Mapping[str, Any]], with_results: bool = True, place: str = "entries"
) -> dict[str, str]:
    """Pattern to result of all entries; `subdomains` adds the row of the leading dot. Raises InvalidInput.

    Without `with_results` (rows to be removed) the results are empty and what an entry says of them is not looked at.
    """
    found: list[tuple[str, str, str]] = []
    for number, entry in enumerate(entries):
        here = f"{place}[{number}]"
        key = pattern(entry.get("pattern"), f"{here}.pattern")
        result = _result(entry, here) if with_results else ""
        if with_results and key.startswith("*@"):
            raise invalid(key, f"{here}.pattern", "is no address", f'write "{key[2:]}" for every address of the domain')
        found.append((key, result, f"{here}.pattern"))
        if entry.get("subdomains"):
            if key.startswith(".") or key == EVERYTHING or "@" in key:
                raise invalid(key, f"{here}.pattern", "has no subdomains", "give a domain, or remove subdomains")
            found.append((f".{key}", result, f"{here}.pattern"))
    return merged(found)


def _result(entry: Mapping[str, Any], place: str) -> str:
    given = [field for field in _FIELDS if entry.get(field) not in (None, False)]
    if entry.get("result") is not None:
        if given:
            raise InvalidInput(
                f"{place} gives result and {' and '.join(given)}; give result alone, or the fields alone"
            )
        return checked_result(entry["result"], f"{place}.result")
    if entry.get("nexthop") == "":
        # A survey left blank; MX records, in which this host stands, would send the mail back here.
        raise invalid(
            "",
            f"{place}.nexthop",
            "is empty",
            "give the mail host, or leave out nexthop to use the domain's MX records",
        )
    return transport_result(
        entry.get("transport") or DEFAULT_TRANSPORT,
        entry.get("nexthop"),
        entry.get("port"),
        bool(entry.get("mx_lookup")),
        place,
    )


def checked_result(value: object, place: str) -> str:
    """A whole right-hand side of transport(5), `transport:nexthop`, of which either may be empty."""
    text = checked_value(value, place)
    if ":" not in text:
        raise invalid(text, place, "has no colon", "write transport:nexthop, such as smtp:[mail.x.example]")
    if any(character.isspace() for character in text) and not text.startswith("error:"):
        raise invalid(text, place, "contains white space", "write transport:nexthop without spaces")
    service, _colon, nexthop = text.partition(":")
    bad = [hop for hop in hops_of(nexthop) if service in _SMTP and not is_hop(hop)]
    if bad:
        raise invalid(
            text,
            place,
            f"has {bad[0]}, at which smtp would stop, and with it the mail of all domains",
            "write each host as [host] or [host]:port, with commas between them",
        )
    return text
