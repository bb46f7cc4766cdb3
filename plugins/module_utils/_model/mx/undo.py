# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inverse of an MX plan: what takes back what was carried out of it, and leaves everything else as it is by now.

Three states are compared: before the run, as planned, and now. What is now as before needs nothing, what is as planned
goes back, and what is neither was touched by somebody else: it stays, and stands against undoing anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    join_items,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import rows_differ
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import rows_by_domain
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import ABSENT, DomainItem
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_of

KeyedRows = Mapping[str, str]


@dataclass
class Undo:
    """Values to set again, names to take away, and what somebody else has touched since."""

    set: dict[str, str] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)

    @property
    def needed(self) -> bool:
        return bool(self.set or self.remove)

    def back(self, name: str, value: str | None) -> None:
        if value is None:
            self.remove.append(name)
        else:
            self.set[name] = value


def undo_rows(before: KeyedRows, now: KeyedRows, planned: Mapping[str, str | None]) -> Undo:
    """The inverse for rows, or overrides, that were to get the planned values; None is one that was to go."""
    undo = Undo()
    for key, value in planned.items():
        if now.get(key) == before.get(key):
            continue
        if now.get(key) == value:
            undo.back(key, before.get(key))
        else:
            undo.touched.append(key)
    return undo


def undo_recipients(before: KeyedRows, now: KeyedRows, planned: Sequence[Mapping[str, Any]]) -> Undo:
    """The inverse for whole domains, given as mx_plan returns them. A domain stands or falls with all its rows."""
    undo = Undo()
    wide = frozenset(one["name"] for one in planned if one["subdomains"])
    named = frozenset(one["name"] for one in planned)
    rows = rows_by_domain(now, frozenset(), wide, named)
    for one in planned:
        old, new = (_rows_of(one, table, named) for table in (before, now))
        if old == new:
            continue
        if not _as_planned(one, new, rows):
            undo.touched.append(one["name"])
            continue
        undo.set.update({key: value for key, value in old.items() if new.get(key) != value})
        undo.remove += [key for key in new if key not in old]
    return undo


def _rows_of(planned: Mapping[str, Any], rows: KeyedRows, named: frozenset[str]) -> dict[str, str]:
    name = planned["name"]

    def is_own(domain: str) -> bool:
        below = planned["subdomains"] and domain.endswith("." + name) and domain not in named
        return domain == name or below

    return {key: value for key, value in rows.items() if "@" in key and is_own(domain_of(key))}


def _as_planned(planned: Mapping[str, Any], new: KeyedRows, rows: Mapping[str, Any]) -> bool:
    if planned["state"] == ABSENT:
        return not new
    item = DomainItem(
        index=0,
        name=planned["name"],
        role="",
        policy=planned["recipients_policy"],
        digest=planned["digest"],
        lists_postmaster=planned["lists_postmaster"],
    )
    found = rows.get(planned["name"])
    return found is not None and not rows_differ(item, found, bool(planned["postmaster"]))


def undo_parameters(before: KeyedRows, now: KeyedRows, planned: Mapping[str, Any], defaults: KeyedRows) -> Undo:
    """The inverse for main.cf. `before` and `now` are what it sets itself, `defaults` what a parameter means unset.

    `planned` has the options of the module main_cf. Members of lists go back one by one, so that those which others
    have added or removed meanwhile stay so.
    """
    values = {**planned["parameters"], **dict.fromkeys(planned["absent"])}
    undo = Undo()
    for name, value in values.items():
        if _same(now.get(name), before.get(name)):
            continue
        if _same(now.get(name), value):
            undo.back(name, before.get(name))
        else:
            undo.touched.append(name)
    for name in dict.fromkeys([*planned["add_items"], *planned["remove_items"]]):
        if now.get(name) == before.get(name):
            continue
        if name not in now:
            undo.touched.append(name)
            continue
        old = split_items(before.get(name, defaults.get(name, "")))
        back = _list_back(old, split_items(now[name]), planned["add_items"].get(name, ()))
        back += [one for one in planned["remove_items"].get(name, ()) if one in old and one not in back]
        if sorted(back) == sorted(old):
            undo.back(name, before.get(name))
        elif back != split_items(now[name]):
            undo.set[name] = join_items(back)
    return undo


def _list_back(old: Sequence[str], now: Sequence[str], added: Sequence[str]) -> list[str]:
    ours = {one for one in added if one not in old}
    return [one for one in now if one not in ours]


def _same(left: str | None, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    return split_items(left) == split_items(str(right))


def planned_rows(entries: Sequence[Mapping[str, str]], removed: Sequence[Mapping[str, str]]) -> dict[str, str | None]:
    """KeyedRows as they were to be, from the entries that mx_plan returns for a table and for its removal."""
    found: dict[str, str | None] = {}
    for entry in entries:
        key, value = (entry[one] for one in (("pattern", "result") if "pattern" in entry else ("key", "value")))
        found[key] = value
    for entry in removed:
        found[entry.get("pattern") or entry["key"]] = None
    return found
