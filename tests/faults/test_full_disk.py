# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the file system fills up, the old table stays; with room again, the next run converges."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faults import host
from faults.conftest import Extent
from faults.lists import in_both, in_neither, two_lists

ROWS = 400
MANY_ROWS = 20_000
STEPS = 4
STEPS_WHEN_LONG = 16
LONGEST_MESSAGE = 1000


def limit(table: host.Table, size: str) -> None:
    host.sh(f"mount -o remount,size={size} {table.directory}")


def used(table: host.Table) -> int:
    """How many kB the file system of the table holds."""
    return int(host.sh(f"df --output=used {table.directory}").split()[-1])


@pytest.mark.parametrize("kind", host.SUFFIXES)
def test_full_disk(kind: str, table_for: Callable[[str, str], host.Table], extent: Extent) -> None:
    """From no room for anything more than a directory to room for nearly everything."""
    table = table_for(kind, "disk")
    few, _other = two_lists("few", ROWS)
    many, _other = two_lists("many", MANY_ROWS)
    table.apply(few)
    empty = used(table)
    table.apply(many)
    needed = used(table)
    table.apply(few)
    before = table.at_rest(few)
    steps = STEPS_WHEN_LONG if extent.every_call else STEPS
    messages = set()
    with host.probed(table, in_both(ROWS), in_neither(MANY_ROWS)):
        for step in range(steps):
            limit(table, f"{empty + (needed - empty) * step // steps}k")
            message = host.refused(host.ask("run", arguments=table.arguments(many)))
            assert message.startswith(f"{table.path}: ")
            assert "the table is as it was" in message
            assert len(message) < LONGEST_MESSAGE
            messages.add(message.removeprefix(f"{table.path}: "))
            assert table.look() == before
        limit(table, host.ROOMY)
        table.converges(many)
    print("", *sorted(messages), sep="\n")
