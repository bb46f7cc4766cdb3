# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists to change a table from and to, and whom to ask for meanwhile."""

from __future__ import annotations

from faults import host

LISTED = 40


def two_lists(name: str, rows: int) -> tuple[host.Listing, host.Listing]:
    """Lists of which a tenth differs; every tenth number is in the first alone."""
    first = host.listing(f"{name}-a", range(rows))
    return first, host.listing(f"{name}-b", (number + rows if number % 10 == 0 else number for number in range(rows)))


def two_alike(name: str, rows: int) -> tuple[host.Listing, host.Listing]:
    """Lists of which one address differs: so few that an index is changed in a copy, not built."""
    first = host.listing(f"{name}-a", range(rows))
    return first, host.listing(f"{name}-b", [*range(1, rows), rows])


def in_both(rows: int) -> list[str]:
    step = max(10, rows // LISTED // 10 * 10)
    return [host.address(number) for number in range(1, rows, step)]


def in_neither(rows: int) -> list[str]:
    return [host.address(number) for number in range(2 * rows, 2 * rows + LISTED)]
