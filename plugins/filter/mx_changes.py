# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says in a few lines what a run of a role changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

# Of these the members are counted, since they are as many as the domains.
COUNTED = ("relay_domains",)
_OVERRIDE = re.compile(r"-o\s*\{?\s*([^\s={]+)\s*=([^\n]*)")


def mx_changes(results: Sequence[Any]) -> list[str]:
    """A line for each table, configuration file or service that the results of tasks say was changed.

    Each is what a task of the role registered, whichever module it is of; what did not run is skipped.
    """
    return [line for result in _each(results) if result.get("changed") for line in _lines(result)]


def _each(results: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    for result in results:
        if isinstance(result, Mapping):
            yield from _each(result["results"]) if "results" in result else [result]


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    if "index_rebuilt" in result:
        yield f"{result['reference']}: {_of_table(result)}"
    for name, change in result.get("changed_parameters", {}).items():
        yield f"main.cf: {name}{_of_members(change) if name in COUNTED else ''}"
    for name, change in result.get("changed_services", {}).items():
        yield f"master.cf: {name}{_of_options(change)}"
    if "shared" in result:
        yield f"queue: {result['count']} returned to their senders"
    for name in result.get("taken_back", ()):
        yield f"main.cf: {name}, whose limit has expired"
    if "raise" in result:
        yield "maximal_queue_lifetime: its raise is forgotten"
    if "standby" in result:
        yield f"standby service: {result['standby']}"
    if "state" in result and "name" in result:
        yield f"service {result['name']}: started, reloaded or restarted"


def _of_table(result: Mapping[str, Any]) -> str:
    counts = {word: _number(result.get(word, 0)) for word in ("added", "updated", "removed")}
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f"{said or 'repaired'}, {result['total']} in all"


def _number(value: Any) -> int:
    return value if isinstance(value, int) else len(value)


def _of_members(change: Mapping[str, Any]) -> str:
    before, after = (set(re.findall(r"[^\s,]+", change[side] or "")) for side in ("before", "after"))
    return f" ({len(after - before)} added, {len(before - after)} removed)"


def _of_options(change: Mapping[str, Any]) -> str:
    """The names of the overrides that a service gained, lost or has otherwise."""
    before, after = (set(_OVERRIDE.findall(change[side] or "")) for side in ("before", "after"))
    names = sorted({name for name, _value in before ^ after})
    return f" ({', '.join(names)})" if names else ""


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"mx_changes": mx_changes}
