# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed anywhere leaves the old table or the new one, and the next run converges."""

from __future__ import annotations

import collections
import random
import statistics
from collections.abc import Callable
from typing import Any

import pytest

from faults import host
from faults.conftest import Extent
from faults.lists import in_both, in_neither, two_alike, two_lists

# Runs in a row that end before a moment drawn from an ever shorter time: not by chance.
TOO_MANY = 50
ROWS_FOR_CALLS = 200
# Of so many, two are few enough for each type.
ROWS_TO_COPY = 5_000
RENAMES = ("rename",)
EVERY_CALL = (
    *RENAMES,
    *("mkdir", "unlink", "unlinkat", "rmdir", "fchown", "fchmod", "fsync", "write", "sendfile", "flock", "close"),
)


def state_of(seen: dict[str, Any], old: host.Listing, new: host.Listing) -> str:
    """Whose table and whose source lie there after a kill; a third one, or a source ahead of its index, fails."""
    names = {old.digest: "old", new.digest: "new"}
    state = f"{names.get(seen['live'], seen['live'])} index, {names.get(seen['source'], seen['source'])} source"
    assert state in ("old index, old source", "new index, old source", "new index, new source")
    left = [name for name in seen["files"] if name.startswith(".mxrelay-table-")]
    return f"{state}, {'scratch left' if left else 'nothing left'}"


@pytest.mark.types(host.INDEXED, host.INDEXED)
@pytest.mark.parametrize("part", ["whole run", "while files change"])
def test_killed_at_random_moments(
    kind: str, part: str, table_for: Callable[[str, str], host.Table], extent: Extent, chance: random.Random
) -> None:
    """Anywhere in a run; and, since most of one only reads, anywhere between its first file and its end."""
    killed_at_random(table_for(kind, "kills"), two_lists("kills", extent.rows), part, extent, chance)


@pytest.mark.types(host.CHANGEABLE, host.CHANGEABLE)
def test_killed_at_random_moments_while_a_copy_is_changed(
    kind: str, table_for: Callable[[str, str], host.Table], extent: Extent, chance: random.Random
) -> None:
    table = table_for(kind, "copy-kills")
    assert killed_at_random(table, two_alike("copy-kills", extent.rows), "while files change", extent, chance) > 0


def killed_at_random(
    table: host.Table, lists: tuple[host.Listing, host.Listing], part: str, extent: Extent, chance: random.Random
) -> int:
    """Return how often at most the index was made by changing a copy."""
    copies = 0
    scratch = part == "while files change"
    old, new = lists
    table.apply(old)
    durations: list[float] = []
    states: collections.Counter[str] = collections.Counter()
    finished = 0
    with host.probed(table, in_both(extent.rows), in_neither(extent.rows)) as heard:
        for _kill in range(extent.kills):
            host.said(ended := host.ask("run_watched", arguments=table.arguments(new)))
            if ended["said"]["changed"]:
                durations.append(ended["scratch_seconds" if scratch else "seconds"])
            copies = max(copies, table.at_rest(new)["copies"])
            old, new = new, old
            # A moment that a run has outrun bounds the next one, so that soon one is hit.
            moment = statistics.median(durations[-9:])
            for _try in range(TOO_MANY):
                moment = chance.uniform(0, moment)
                ended = host.ask("kill_after", arguments=table.arguments(new), seconds=moment, scratch=scratch)
                if ended["code"] == -9:
                    break
                host.said(ended)
                finished += 1
                table.at_rest(new)
                old, new = new, old
            else:
                pytest.fail(f"{TOO_MANY} runs in a row were done {moment} s after their start")
            states[state_of(table.look(), old, new)] += 1
    print(
        f"\n{table.kind}, {extent.rows} rows, {part} ({statistics.median(durations):.2f} s): {extent.kills} kills,"
        f" {finished} finished first, {dict(states)},"
        f" {heard['probes']} probes in {heard['seconds']:.0f} s, slowest {heard['slowest']:.2f} s"
    )
    return copies


@pytest.mark.types(host.INDEXED, host.INDEXED)
def test_killed_at_each_system_call(kind: str, table_for: Callable[[str, str], host.Table], extent: Extent) -> None:
    """Random moments rarely fall between two renames; the tracer's do."""
    killed_at_calls(table_for(kind, "calls"), two_lists("calls", ROWS_FOR_CALLS), ROWS_FOR_CALLS, extent)


@pytest.mark.types(host.CHANGEABLE, host.CHANGEABLE)
def test_killed_at_each_system_call_while_a_copy_is_changed(
    kind: str, table_for: Callable[[str, str], host.Table], extent: Extent
) -> None:
    table = table_for(kind, "copy-calls")
    killed_at_calls(table, two_alike("copy-calls", ROWS_TO_COPY), ROWS_TO_COPY, extent)
    # The last run, which was not killed, began with a table at rest.
    assert table.look()["copies"]


def killed_at_calls(table: host.Table, lists: tuple[host.Listing, host.Listing], rows: int, extent: Extent) -> None:
    old, new = lists
    table.apply(old)
    states: collections.Counter[str] = collections.Counter()
    kills = dict.fromkeys(EVERY_CALL if extent.thorough else RENAMES, 0)
    with host.probed(table, in_both(rows), in_neither(rows)):
        for call in kills:
            while True:
                arguments = table.arguments(new)
                ended = host.ask("kill_at_call", arguments=arguments, call=call, number=kills[call] + 1)
                if ended["code"] != -9:
                    host.said(ended)
                    break
                kills[call] += 1
                states[state_of(table.look(), old, new)] += 1
                host.said(host.ask("run", arguments=arguments))
                table.at_rest(new)
                old, new = new, old
            table.at_rest(new)
            old, new = new, old
    print(f"\n{table.kind}: kills at each {kills}, {dict(states)}")
    # Record, index, source: a kill before each of the three, and in each of the states between them.
    assert kills["rename"] >= 3
    assert {state.rpartition(",")[0] for state in states} >= {"old index, old source", "new index, old source"}
