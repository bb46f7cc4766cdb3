# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in smtpd's restriction lists an exemption belongs, and what it exempts from.

A permit ends only its own list, so each list that may refuse needs one, in front of what refuses and behind what has to
hold for everybody: the check of recipients. See SMTPD_ACCESS_README.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.logical_lines import words
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    LIST_SEPARATORS,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import (
    is_table_name,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restrictions import parts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.reading import ListReading, is_for_everybody

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


def distrusting(name: str, found: Sequence[str], reading: ListReading) -> list[str]:
    """The restrictions that may refuse an MX host, also by a class to which their rows lead.

    Those about which smtpd only warns are left out.
    """
    told: list[str] = []
    for place, part in enumerate(found):
        if place and found[place - 1].lower() == "warn_if_reject":
            continue
        if distrusts(name, part):
            told.append(part)
            continue
        rows = reading.rows(part)
        leads_to = [member for member in rows.leads_to if distrusts(name, member)]
        if leads_to:
            how = "its rows lead to" if rows.listed else "its rows cannot be listed, and may lead to"
            told.append(f"{part} ({how} {', '.join(leads_to)})")
    return told


def may_check_recipients(name: str, part: str, reading: ListReading) -> bool:
    """Whether a restriction of the list `name` checks recipients, or one to which its rows lead, or if none can tell.

    What the rows of a table lead to that can't be listed is not known: it may be reject_unverified_recipient.
    """
    rows = reading.rows(part)
    found = (part, *rows.leads_to)
    return not rows.listed or any("$" in member or checks_recipients(name, member) for member in found)


def place_in_list(name: str, value: str, element: str, reading: ListReading) -> int:
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
        closes = place and any(_closes(member, reading) for member in members)
        if closes or any(may_check_recipients(name, member, reading) for member in members):
            place = count
    return place


def _closes(member: str, reading: ListReading) -> bool:
    found = (member, *reading.rows(member).leads_to)
    return is_for_everybody(member) or any(part.lower() in _CLOSING for part in found)


def before_and_behind(name: str, value: str, element: str, reading: ListReading) -> tuple[list[str], list[str]]:
    """What of the list may still refuse an MX host, and from what the element exempts it; all is before if it is not
    there."""
    found = reading.parts(value)
    place = found.index(element) if element in found else len(found)
    behind = [part for part in found[place:] if part != element]
    return distrusting(name, found[:place], reading), distrusting(name, behind, reading)


def why_not_first(name: str, value: str, element: str, reading: ListReading) -> str:
    """The remedy if what may still refuse an MX host is in front of a check of recipients, or leads to one by rows.

    It is about the last of what keeps the element from its place; "" if nothing does.
    """
    found = reading.parts(value)
    place = found.index(element) if element in found else len(found)
    checks = [part for part in found[:place] if may_check_recipients(name, part, reading)]
    if not checks:
        return ""
    last = checks[-1]
    if "$" in last or checks_recipients(name, last):
        exempts = before_and_behind(name, value, element, reading)[1]
        return "; it is in front of a check of recipients, so put that check first" if exempts else ""
    if reading.rows(last).listed:
        return f"; rows of {last} lead to a check of recipients, so MX hosts are exempt only behind it: put it first"
    return (
        f"; rows of {last} cannot be listed and may lead to a check of recipients, so MX hosts are exempt only behind "
        "it: put it first, or use a table whose rows can be listed"
    )


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
