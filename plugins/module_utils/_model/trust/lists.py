# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in smtpd's restriction lists an exemption belongs, and what it exempts from.

A permit ends only its own list, so each list that may refuse needs one, in front of what refuses and behind what has to
hold for everybody: the check of recipients. See SMTPD_ACCESS_README.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.logical_lines import words
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    LIST_SEPARATORS,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import (
    is_table_name,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restrictions import parts

RECIPIENT_LIST = "smtpd_recipient_restrictions"
# Those in which an MX host may be refused for what it is, or for whose mail it brings. A bare table is about that.
LISTS = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    RECIPIENT_LIST,
    "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
)
# What says whether a recipient exists, or may have mail: it holds for MX hosts as well.
_RECIPIENT_CHECKS = frozenset(
    {"reject_unlisted_recipient", "reject_unverified_recipient", "check_recipient_access", "check_recipient_maps"}
)
# What refuses, behind a check of recipients, those that it did not let through.
_CLOSING = frozenset({"reject", "defer", "defer_if_permit"})
# What refuses no host for its mail: destinations that are not ours, addresses without a domain, broken protocol.
_HARMLESS = frozenset(
    {
        "check_relay_domains",
        "defer_unauth_destination",
        "reject_multi_recipient_bounce",
        "reject_non_fqdn_recipient",
        "reject_unauth_destination",
        "reject_unauth_pipelining",
        "reject_unknown_recipient_domain",
        "sleep",
        "warn_if_reject",
    }
)


@dataclass(frozen=True)
class Reading:
    """How the lists of one service are read: `expand` replaces its $names, `classes` are the restriction classes."""

    expand: Callable[[str], str]
    classes: Mapping[str, str]

    def parts(self, value: str) -> list[str]:
        """The restrictions that smtpd finds in the value, those of classes in their place."""
        return _flat(parts(self.expand(value)), self.classes, frozenset())


def _flat(found: Sequence[str], classes: Mapping[str, str], within: frozenset[str]) -> list[str]:
    flat: list[str] = []
    for part in found:
        if part in classes and part not in within:
            flat += _flat(parts(classes[part]), classes, within | {part})
        else:
            flat.append(part)
    return flat


def checks_recipients(name: str, part: str) -> bool:
    """Whether a restriction of the list `name` says whether a recipient exists, or may have mail."""
    head = part.partition(" ")[0].lower()
    return head in _RECIPIENT_CHECKS or (name == RECIPIENT_LIST and is_table_name(part))


def distrusts(name: str, part: str) -> bool:
    """Whether a restriction of the list `name` may refuse an MX host that brings mail for a recipient of ours."""
    head = part.partition(" ")[0].lower()
    if head in _HARMLESS or head.startswith(("permit", "check_recipient_", "check_etrn_")):
        return False
    return not checks_recipients(name, part)


def distrusting(name: str, found: Sequence[str]) -> list[str]:
    """The restrictions that may refuse an MX host; not those about which smtpd only warns."""
    return [
        part
        for place, part in enumerate(found)
        if distrusts(name, part) and (not place or found[place - 1].lower() != "warn_if_reject")
    ]


def place_in_list(name: str, value: str, element: str, reading: Reading) -> int:
    """At which of the words of the value, as it is written, the element belongs: behind the last check of recipients,
    with what closes the list for those that it did not let through, and behind what can't be read here.

    Words of the element itself, wherever it is, are not counted.
    """
    place = count = 0
    for part in parts(value):
        if part == element:
            continue
        count += len(split_items(part))
        members = reading.parts(part)
        closes = place and any(member.lower() in _CLOSING for member in members)
        if closes or any("$" in member or checks_recipients(name, member) for member in members):
            place = count
    return place


def before_and_behind(name: str, value: str, element: str, reading: Reading) -> tuple[list[str], list[str]]:
    """What of the list may still refuse an MX host, and from what the element exempts it; all is before if it is not
    there."""
    found = reading.parts(value)
    place = found.index(element) if element in found else len(found)
    behind = [part for part in found[place:] if part != element]
    return distrusting(name, found[:place]), distrusting(name, behind)


def inserted(value: str, element: str, place: int) -> str:
    """The value of an override with the element at that word; without blanks if it has none."""
    spans = words(value, LIST_SEPARATORS)
    comma, item = (", ", element) if any(blank in value for blank in " \t") else (",", ",".join(split_items(element)))
    if place >= len(spans):
        return f"{value}{comma}{item}" if value else item
    start = spans[place][0]
    return f"{value[:start]}{item}{comma}{value[start:]}"


def removed(value: str, element: str) -> str:
    """The value of an override without the element, wherever it is; what `inserted` made of another becomes that."""
    wanted = split_items(element)
    while True:
        spans = words(value, LIST_SEPARATORS)
        found = [value[start:end] for start, end in spans]
        places = [place for place in range(len(found)) if found[place : place + len(wanted)] == wanted]
        if not places:
            return value
        first, behind = places[0], places[0] + len(wanted)
        if behind < len(spans):
            value = value[: spans[first][0]] + value[spans[behind][0] :]
        else:
            value = value[: spans[first - 1][1] if first else 0] + value[spans[-1][1] :]
