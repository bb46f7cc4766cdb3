# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several runs at once on one host: nothing is lost, and the end is what some order of them would give."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from faults import host
from faults.conftest import Extent
from faults.lists import in_neither, two_lists

ROWS = 1_000
RUNS = 5
EACH = 200


def digest(numbers: Iterable[int]) -> str:
    return hashlib.sha256("\n".join(sorted(host.address(number) for number in numbers)).encode()).hexdigest()


@pytest.mark.types(host.INDEXED, ("hash", "cdb"))
def test_five_runs_at_once_lose_nothing(kind: str, table_for: Callable[[str, str], host.Table], extent: Extent) -> None:
    """Three add addresses of their own, two remove some; every order of them gives the same table."""
    table = table_for(kind, "together")
    first, _other = two_lists("together", ROWS)
    kept = [host.address(number) for number in range(2 * EACH, ROWS)]
    for _round in range(extent.rounds):
        table.apply(first)
        runs = [by_entry(table, f"run-{number}", number) for number in range(RUNS)]
        with host.probed(table, kept[:40], in_neither(10 * ROWS)):
            ended = [host.said(ending) for ending in host.ask("run_together", runs=runs)]
        assert [(result["changed"], result["added"], result["removed"]) for result in ended] == [
            (True, 0, EACH),
            (True, 0, EACH),
            (True, EACH, 0),
            (True, EACH, 0),
            (True, EACH, 0),
        ]
        wanted = digest([*range(2 * EACH, ROWS), *range(ROWS + 2 * EACH, ROWS + 5 * EACH)])
        seen = table.look()
        assert (seen["live"], seen["source"], sorted(seen["files"])) == (wanted, wanted, table.files)


def by_entry(table: host.Table, name: str, number: int) -> dict[str, Any]:
    """Arguments that remove one slice of the old addresses (the first two runs) or add one of new ones."""
    start = number * EACH + (0 if number < 2 else ROWS)
    addresses = host.listing(name, range(start, start + EACH))
    return {
        "path": table.path,
        "type": table.kind,
        "recipients_file": [addresses.path],
        "remote_src": True,
        "state": "absent" if number < 2 else "present",
    }


@pytest.mark.types(host.INDEXED, ("btree", "lmdb"))
def test_five_runs_that_disagree_end_as_some_order_of_them(
    kind: str, table_for: Callable[[str, str], host.Table], extent: Extent
) -> None:
    """Each wants the domain to have its own list and nothing else, from a table that isn't there yet."""
    table = table_for(kind, "orders")
    lists = [host.listing(f"order-{number}", range(number * EACH, number * EACH + 2 * EACH)) for number in range(RUNS)]
    for _round in range(extent.rounds):
        host.sh(f"rm -f {table.directory}/* {table.directory}/.recipients.mxrelay")
        runs = [table.arguments(listing) for listing in lists]
        ended = [host.said(ending) for ending in host.ask("run_together", runs=runs)]
        seen = table.look()
        assert sorted(seen["files"]) == table.files
        assert seen["live"] == seen["source"]
        counts = [(result["added"], result["removed"]) for result in ended]
        assert any(
            counts_of(order, lists) == counts and seen["live"] == lists[order[-1]].digest
            for order in itertools.permutations(range(RUNS))
        ), counts


def counts_of(order: tuple[int, ...], lists: list[host.Listing]) -> list[tuple[int, int]]:
    """How many addresses each run adds and removes when they run in this order."""
    found = {}
    before: set[str] = set()
    for number in order:
        after = set(lists[number].addresses)
        found[number] = (len(after - before), len(before - after))
        before = after
    return [found[number] for number in range(len(lists))]
