# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of messages."""

from __future__ import annotations

from collections.abc import Sequence


def some_of(names: Sequence[str], most: int = 5) -> str:
    """The names, of many only the first and how many there are beside them."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
