# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one type of table to another, while somebody asks all the time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faults import host
from faults.lists import in_both, in_neither, two_lists

ROWS = 1_000


def stays(table: host.Table, old: str, new: str) -> str:
    return (
        f"{table.path}{host.SUFFIXES[old]} is kept, since Postfix is configured to read {old}:{table.path}; "
        f"name {new}:{table.path} instead, reload, and run again"
    )


@pytest.mark.types(("hash", "btree"), ("hash",))
def test_other_type_takes_over_without_a_failed_lookup(kind: str, table_for: Callable[[str, str], host.Table]) -> None:
    table = table_for(kind, "migration")
    wanted = two_lists("migration", ROWS)[0]
    table.apply(wanted)
    old = kind
    with host.probed(table, in_both(ROWS), in_neither(ROWS)):
        for new in ("lmdb", "cdb", "texthash", kind):
            built = table.apply(wanted, type=new, remove_old_index=True)
            assert (built["changed"], built["reference"]) == (new != "texthash", f"{new}:{table.path}")
            seen = host.ask("look", kind=new, path=table.path)
            assert (seen["live"], seen["source"]) == (wanted.digest, wanted.digest)
            if host.SUFFIXES[old]:
                assert stays(table, old, new) in str(built["warnings"])
                assert f"recipients{host.SUFFIXES[old]}" in seen["files"]
            host.sh(
                f"postconf -P {table.port}/inet/relay_recipient_maps={new}:{table.path}; postfix reload 2>/dev/null"
            )
            done = table.apply(wanted, type=new, remove_old_index=True)
            assert done["changed"] is bool(host.SUFFIXES[old])
            assert table.apply(wanted, type=new, remove_old_index=True)["changed"] is False
            left = set(host.ask("look", kind=new, path=table.path)["files"]) - {".recipients.mxrelay"}
            assert left == {"recipients", f"recipients{host.SUFFIXES[new]}"}
            old = new


@pytest.mark.types(("hash", "btree"), ("hash",))
def test_index_of_the_same_name_is_not_overwritten(kind: str, table_for: Callable[[str, str], host.Table]) -> None:
    table = table_for(kind, "namesake")
    wanted = two_lists("namesake", ROWS)[0]
    table.apply(wanted)
    before = table.at_rest(wanted)
    other = {"hash": "btree", "btree": "hash"}[kind]
    with host.probed(table, in_both(ROWS), in_neither(ROWS)):
        message = host.refused(host.ask("run", arguments=table.arguments(wanted, type=other)))
    assert message.startswith(f"{table.index} is the index of {kind}:{table.path}, which Postfix is configured to read")
    assert table.look() == before
