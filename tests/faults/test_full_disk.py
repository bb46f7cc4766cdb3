# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the file system fills up, the old table stays; with room again, the next run converges."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faults import host
from faults.conftest import Extent
from faults.lists import in_both, in_neither, two_alike, two_lists

ROWS = 400
MANY_ROWS = 8_000
# Into how many steps the room is divided that the larger table takes when it is at rest.
STEPS = 2
STEPS_WHEN_LONG = 16
LONGEST_MESSAGE = 1000
# How many rows are few enough to be added to MANY_ROWS in a copy of the index; they take up new pages of it.
ADDED = {"hash": 700, "btree": 700, "lmdb": 3}


def limit(table: host.Table, kilobytes: int) -> None:
    host.sh(f"mount -o remount,size={kilobytes}k {table.directory}")


def used(table: host.Table) -> int:
    """How many kB the file system of the table holds."""
    return int(host.sh(f"df --output=used {table.directory}").split()[-1])


@pytest.mark.types(host.SUFFIXES, host.SUFFIXES)
def test_full_disk(kind: str, table_for: Callable[[str, str], host.Table], extent: Extent) -> None:
    """From no room for anything more than a directory to room for nearly everything."""
    table = table_for(kind, "disk")
    few, _other = two_lists("few", ROWS)
    many, _other = two_lists("many", MANY_ROWS)
    table.apply(many)
    full = used(table)
    table.apply(few)
    room = used(table)
    before = table.at_rest(few)
    step = (full - room) // (STEPS_WHEN_LONG if extent.thorough else STEPS)
    problems = []
    with host.probed(table, in_both(ROWS), in_neither(MANY_ROWS)):
        limit(table, room)
        while (ended := host.ask("run", arguments=table.arguments(many)))["code"] != 0:
            message = host.refused(ended)
            assert message.startswith(f"{table.path}: ")
            assert "the table is as it was" in message
            assert len(message) < LONGEST_MESSAGE
            problems.append(message.removeprefix(f"{table.path}: ").partition(";")[0])
            assert table.look() == before
            room += step
            limit(table, room)
        host.said(ended)
        limit(table, host.ROOMY)
        table.converges(many)
    print(f"\n{kind}:", *problems, sep="\n")
    assert problems[0] == "can't be changed: No space left on device"
    # Only the read-back tells that lmdb's postmap, whose exit code is 0, has lost everything.
    assert (kind == "lmdb") == any(problem.startswith("the index that postmap built") for problem in problems)


@pytest.mark.types(host.CHANGEABLE, host.CHANGEABLE)
def test_full_disk_while_a_copy_is_changed(
    kind: str, table_for: Callable[[str, str], host.Table], extent: Extent
) -> None:
    """From no room for the copy to room for it, the changed rows and all else."""
    table = table_for(kind, "copy-disk")
    old, _other = two_lists("copy-disk", MANY_ROWS)
    new = host.listing("copy-disk-new", range(MANY_ROWS + ADDED[kind]))
    table.apply(old)
    size = used(table)
    step = size // (STEPS_WHEN_LONG if extent.thorough else STEPS) + 1
    problems = []
    with host.probed(table, in_both(MANY_ROWS), in_neither(2 * MANY_ROWS)):
        before = table.at_rest(old)
        room = size
        limit(table, room)
        while (ended := host.ask("run", arguments=table.arguments(new)))["code"] != 0:
            problems.append(host.refused(ended).removeprefix(f"{table.path}: "))
            assert "the table is as it was" in problems[-1]
            assert table.look() == before
            room += step
            limit(table, room)
        host.said(ended)
        assert table.at_rest(new)["copies"] in (0, 1)
        limit(table, host.ROOMY)
        table.converges(old)
        assert table.look()["copies"]
    print(f"\n{kind}:", *problems, sep="\n")
    assert problems[0].startswith("can't be changed: No space left on device")


@pytest.mark.types(host.CHANGEABLE, host.CHANGEABLE)
def test_index_is_built_where_there_is_no_room_for_a_copy(
    kind: str, table_for: Callable[[str, str], host.Table]
) -> None:
    """The live one has become longer than one that is built would be."""
    table = table_for(kind, "copy-room")
    old, new = two_alike("copy-room", MANY_ROWS)
    table.apply(old)
    limit(table, 4 * used(table))
    host.sh(f"truncate --size=+{host.ROOMY}k {table.index}")
    assert table.apply(new)["changed"] is True
    assert table.at_rest(new)["copies"] == 0
