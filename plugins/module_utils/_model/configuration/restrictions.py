# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restriction lists of smtpd: the change that a relay host needs.

See postconf(5) on smtpd_relay_restrictions and SMTPD_ACCESS_README. A recipient has to pass both lists, so one
closed list is enough.
"""

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import ARGUMENTS

DEFERRING = "defer_unauth_destination"
REJECTING = "reject_unauth_destination"
VERIFYING = "reject_unverified_recipient"
SAFE_LIST = f"permit_mynetworks, permit_sasl_authenticated, {REJECTING}"
# Restrictions that stop whoever asks for a destination that is not ours.
_CLOSING = frozenset({REJECTING, DEFERRING, "reject", "defer", "check_relay_domains"})
# Restrictions that say yes to anybody, or to anybody who takes the trouble.
_OPENING = frozenset({"permit", "permit_naked_ip_address", "permit_tls_all_clientcerts"})
# Restrictions that say yes to mail for relay domains, so nothing behind them is asked about their recipients.
PERMITTING_RELAYED = frozenset({"permit_auth_destination", "permit_mx_backup"})
# Behind them nothing is asked about mail for relay domains.
_ENDING = _OPENING | PERMITTING_RELAYED | {"reject", "defer"}
_ABOUT_THE_NEXT = "warn_if_reject"


def restrictions_of(value: str) -> list[tuple[str, str]]:
    """Each restriction of a list with its argument, "" where it has none."""
    found: list[tuple[str, str]] = []
    words = iter(split_items(value))
    for word in words:
        name = word.lower()
        takes = bool(ARGUMENTS.get(name)) or (name.startswith("check_") and name.endswith("_access"))
        found.append((word, next(words, "") if takes else ""))
    return found


def parts(value: str) -> list[str]:
    """The restrictions of a list, each followed by its argument."""
    return [f"{word} {argument}" if argument else word for word, argument in restrictions_of(value)]


def rejecting(value: str) -> str:
    """The list with the deferral that closes it made a rejection, so a relay attempt is answered 554, not 454.

    Every other member stays, in its place.
    """
    deciding = next((name for name in names(value) if name in _CLOSING | _OPENING), "")
    if deciding != DEFERRING:
        return value
    return ", ".join(REJECTING if part.lower() == DEFERRING else part for part in parts(value))


def with_check(value: str, check: str) -> str:
    """The list with `check` (such as `check_recipient_access hash:/etc/postfix/x`) put where it can only restrict.

    That is after reject_unauth_destination if the list has it, else before what ends the list.
    """
    known = parts(value)
    if check in known:
        return value
    heads = names(value)
    if REJECTING in heads:
        place = heads.index(REJECTING) + 1
    else:
        ends = [position for position, name in enumerate(heads) if name in _CLOSING or name in _OPENING]
        place = ends[0] if ends else len(known)
    # Whoever relays mail for the domain permits it there.
    place = min([place, *(position for position, name in enumerate(heads) if name in PERMITTING_RELAYED)])
    return ", ".join(known[:place] + [check] + known[place:])


def end_of(value: str) -> str:
    """The restriction that ends the list for mail to relay domains, "" if none does."""
    return next((name for name in names(value) if name in _ENDING), "")


def with_last(value: str, last: str) -> str:
    """The list with `last`, which takes no argument, as the last member that is asked."""
    known, end = parts(value), end_of(value)
    place = names(value).index(end) if end else len(known)
    return ", ".join([*known[:place], last, *known[place:]])


def with_others(value: str, present: str) -> str:
    """The closed list with what `present` has besides, in its order.

    It comes behind what closes the list, since some of it may permit, and before what ends the list.
    """
    known = _units(value)
    others = [unit for unit in _units(present) if unit not in known]
    heads = [names(unit)[-1] for unit in known]
    closed = next((position for position, name in enumerate(heads) if name in _CLOSING), len(heads))
    behind = [position for position, name in enumerate(heads) if position > closed and name in _ENDING]
    place = min([len(heads), *behind])
    return ", ".join([*known[:place], *others, *known[place:]]) if others else value


def _units(value: str) -> list[str]:
    """The restrictions of a list, each with the warn_if_reject that is about it."""
    found: list[str] = []
    before = ""
    for part in parts(value):
        if part.lower() == _ABOUT_THE_NEXT:
            before += f"{part} "
        else:
            found.append(before + part)
            before = ""
    return found


def without_check(value: str, check: str) -> str:
    """The list without `check`; as it was if it is not in the list."""
    known = parts(value)
    return ", ".join(part for part in known if part != check) if check in known else value


def one_more(fewer: str, more: str) -> tuple[str, int] | None:
    """The one restriction that the second list has more than the first, and before which of the first's words.

    None if they differ by anything else.
    """
    known, others = parts(fewer), parts(more)
    place = next((number for number, part in enumerate(known) if others[number : number + 1] != [part]), len(known))
    if [*known[:place], *others[place : place + 1], *known[place:]] != others or len(others) == len(known):
        return None
    return others[place], sum(len(split_items(part)) for part in known[:place])


def uses_verification(value: str) -> list[str]:
    """The reject_unverified_* restrictions in an expanded list."""
    return [word for word in split_items(value) if word.lower().startswith("reject_unverified_")]


def names(value: str) -> list[str]:
    """The restrictions of a list without their arguments, in lower case."""
    return [word.lower() for word, _argument in restrictions_of(value)]


def access_tables(value: str) -> list[tuple[str, str]]:
    """Each access restriction of an expanded list with its table: `("check_client_access", "cidr:/clients")`."""
    return [
        (word.lower(), argument)
        for word, argument in restrictions_of(value)
        if argument and word.lower().endswith("_access")
    ]
