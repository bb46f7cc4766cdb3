# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restriction lists of smtpd: the change that a relay host needs.

See postconf(5) on smtpd_relay_restrictions and SMTPD_ACCESS_README. A recipient has to pass both lists, so one
closed list is enough.
"""

from __future__ import annotations

from typing import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items

DEFERRING = "defer_unauth_destination"
REJECTING = "reject_unauth_destination"
VERIFYING = "reject_unverified_recipient"
SAFE_LIST = f"permit_mynetworks, permit_sasl_authenticated, {REJECTING}"
# Restrictions that stop whoever asks for a destination that is not ours.
_CLOSING = frozenset({REJECTING, DEFERRING, "reject", "defer", "check_relay_domains"})
# Restrictions that say yes to anybody, or to anybody who takes the trouble.
_OPENING = frozenset({"permit", "permit_naked_ip_address", "permit_tls_all_clientcerts"})
# Restrictions that say yes to mail for relay domains, so nothing behind them is asked about their recipients.
_PERMITTING_RELAYED = frozenset({"permit_auth_destination", "permit_mx_backup"})
# The next word is their argument, not a restriction.
_WITH_ARGUMENT = frozenset(
    {
        "check_policy_service",
        "permit_dnswl_client",
        "permit_rhswl_client",
        "reject_rbl_client",
        "reject_rhsbl_client",
        "reject_rhsbl_helo",
        "reject_rhsbl_recipient",
        "reject_rhsbl_reverse_client",
        "reject_rhsbl_sender",
        "sleep",
    }
)


def refuses_everybody(value: str) -> bool:
    """Whether an expanded list of client restrictions lets no stranger in, whoever they are."""
    words = split_items(value)
    place = 0
    while place < len(words):
        word = words[place].lower()
        if word in ("reject", "defer"):
            return True
        if word in _OPENING or (_width(words, place) == 2 and word.startswith(("check_", "permit_"))):
            return False
        place += 1 + _width(words, place + 1) if word == "warn_if_reject" else _width(words, place)
    return False


def rejecting(value: str) -> str:
    """The list with the deferral that closes it made a rejection, so a relay attempt is answered 554, not 454.

    Every other member stays, in its place.
    """
    words = split_items(value)
    deciding = next((name for name in names(value) if name in _CLOSING | _OPENING), "")
    if deciding != DEFERRING:
        return value
    return ", ".join(_joined([REJECTING if word.lower() == DEFERRING else word for word in words]))


def with_check(value: str, check: str) -> str:
    """The list with `check` (such as `check_recipient_access hash:/etc/postfix/x`) put where it can only restrict.

    That is after reject_unauth_destination if the list has it, else before what ends the list.
    """
    parts = _joined(split_items(value))
    if check in parts:
        return value
    names = [part.split()[0].lower() for part in parts]
    if REJECTING in names:
        place = names.index(REJECTING) + 1
    else:
        ends = [position for position, name in enumerate(names) if name in _CLOSING or name in _OPENING]
        place = ends[0] if ends else len(parts)
    # Whoever relays mail for the domain permits it there.
    place = min([place, *(position for position, name in enumerate(names) if name in _PERMITTING_RELAYED)])
    return ", ".join(parts[:place] + [check] + parts[place:])


def without_check(value: str, check: str) -> str:
    """The list without `check`; as it was if it is not in the list."""
    parts = _joined(split_items(value))
    return ", ".join(part for part in parts if part != check) if check in parts else value


def uses_verification(value: str) -> list[str]:
    """The reject_unverified_* restrictions in an expanded list."""
    return [word for word in split_items(value) if word.lower().startswith("reject_unverified_")]


def _width(words: Sequence[str], place: int) -> int:
    """How many words the restriction at `place` takes."""
    if place >= len(words):
        return 0
    word = words[place].lower()
    takes_argument = word in _WITH_ARGUMENT or (word.startswith("check_") and word.endswith("_access"))
    return 2 if takes_argument else 1


def names(value: str) -> list[str]:
    """The restrictions of a list without their arguments, in lower case."""
    return [part.split()[0].lower() for part in _joined(split_items(value))]


def access_tables(value: str) -> list[tuple[str, str]]:
    """Each access restriction of an expanded list with its table: `("check_client_access", "cidr:/clients")`."""
    parts = [part.split(" ", 1) for part in _joined(split_items(value))]
    return [(part[0].lower(), part[1]) for part in parts if len(part) == 2 and part[0].lower().endswith("_access")]


def _joined(words: Sequence[str]) -> list[str]:
    """The restrictions of a list, each with its argument."""
    parts: list[str] = []
    place = 0
    while place < len(words):
        width = _width(words, place)
        parts.append(" ".join(words[place : place + width]))
        place += width
    return parts
