# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a result of an access table lets a client do. See access(5)."""

from __future__ import annotations

# What one result comes to: permission, none, or a list of restrictions that is to be looked at in its turn.
PERMITS = "permits"
NOTHING = "nothing"
LIST = "list"
UNKNOWN = "unknown"
# Actions that end or mark a request without permitting it anything.
_NO_PERMISSION = frozenset(
    {
        "BCC",
        "DEFER",
        "DEFER_IF_PERMIT",
        "DEFER_IF_REJECT",
        "DELAY",
        "DUNNO",
        "FILTER",
        "HOLD",
        "INFO",
        "PREPEND",
        "REJECT",
        "WARN",
    }
)
_PERMISSION = frozenset({"OK", "RELAY", "DISCARD", "REDIRECT"})


def comes_to(result: str) -> str:
    """What the result means. Text in which a match is put, such as $1, can mean anything."""
    words = result.replace(",", " ").split()
    if not words:
        return UNKNOWN
    first = words[0].upper()
    if "$" in result:
        return NOTHING if first in ("REJECT", "DEFER", "WARN", "INFO", "PREPEND", "DUNNO") else UNKNOWN
    if first.isdigit() and len(words) == 1:
        return PERMITS
    if len(first) == 3 and first.isdigit() and first[0] in "45":
        return NOTHING
    if first in _PERMISSION:
        return PERMITS
    return NOTHING if first in _NO_PERMISSION else LIST
