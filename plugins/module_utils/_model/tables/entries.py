# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes the entries of any lookup table valid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import invalid, plain_text, shown
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.pattern_table import (
    PATTERN_TYPES,
    checked_pattern,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits, checked_entry, fold


def checked_value(value: object, place: str, secret: bool = False) -> str:
    """The right-hand side of an entry: some text on one line, without white space around it. Raises InvalidInput.

    The error does not show a `secret` value.
    """
    if not secret:
        return _checked_value(value, place)
    try:
        return _checked_value(value, place)
    except InvalidInput as error:
        raise InvalidInput(error.message.replace(shown(value), "the secret value", 1)) from None


def _checked_value(value: object, place: str) -> str:
    text = plain_text(value, place, "a value of at least one character")
    if text != text.strip():
        raise invalid(text, place, "has white space around it", "remove it")
    return text


def merged(rows: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """Keys to values; equal rows are merged. `rows` are key, value and place.

    Raises InvalidInput if a key, upper and lower case being the same, is given two values.
    """
    found: dict[str, str] = {}
    first: dict[str, str] = {}
    for key, value, place in rows:
        known = first.setdefault(fold(key, True), key)
        if found.setdefault(known, value) != value:
            raise _two_values(key, place)
    return found


def _two_values(key: str, place: str) -> InvalidInput:
    return invalid(key, place, "is given twice with different values", "give it once")


def entry_rows(
    entries: Sequence[Mapping[str, Any]],
    table_type: str,
    with_values: bool = True,
    secret: bool = False,
    place: str = "entries",
) -> dict[str, str]:
    """Key to value of entries of a table of any type, each made sure to be read back by Postfix as it is given.

    Without `with_values` (entries to be removed) their values are not looked at. Raises InvalidInput.
    """
    patterns = table_type in PATTERN_TYPES
    found = []
    for number, entry in enumerate(entries):
        here = f"{place}[{number}]"
        key = plain_text(entry.get("key"), f"{here}.key", "a key")
        value = checked_value(entry.get("value"), f"{here}.value", secret) if with_values else "x"
        if patterns:
            checked_pattern(key, value, table_type, f"{here}.key")
        else:
            checked_entry(key, value, f"{here}.key")
        found.append((key, value, f"{here}.key"))
    return _merged_patterns(found) if patterns else merged(found)


def _merged_patterns(rows: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """Like merged, for keys of which nothing is folded."""
    found: dict[str, str] = {}
    for key, value, place in rows:
        if found.setdefault(key, value) != value:
            raise _two_values(key, place)
    return found


def edits(wanted: Mapping[str, str], state: str, purge: bool) -> Edits:
    """Edits that set these entries, or with state absent remove their keys. Raises InvalidInput."""
    if state == "absent":
        if purge:
            raise InvalidInput("purge can't be used with state: absent; list the entries to keep with state: present")
        return Edits(remove=tuple(wanted))
    if purge and not wanted:
        raise InvalidInput("purge with an empty list of entries would empty the table; list the entries to keep")
    return Edits(set=wanted, purge=purge)
