# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What edits make of the source of a table, in the form that a plan needs, whatever the size of the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Callable, Union

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.pattern_table import (
    PATTERN_TYPES,
    PatternTable,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.plain_table import PlainTable
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import Rows, rows_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits, Table

AnyTable = Union[Table, PatternTable]


class SameValue(Mapping[str, str]):
    """Keys of which all have the same value, for looking at all of them. A dict of a million takes 40 MB."""

    def __init__(self, keys: Sequence[str], value: str) -> None:
        self._keys = keys
        self._value = value
        self._known: frozenset[str] | None = None

    def __getitem__(self, key: str) -> str:
        if self._known is None:
            self._known = frozenset(self._keys)
        if key not in self._known:
            raise KeyError(key)
        return self._value

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


@dataclass(frozen=True)
class TableEdit:
    """The source before and after, `content` being its new text.

    `added` and so on are keys as Postfix folds them; `old` has the values of the removed and the updated, `new` of the
    added and the updated. `rows_before` and `rows_after` make what the index must hold.
    """

    content: bytes
    changed: bool
    old_total: int
    total: int
    rows_before: Callable[[], Rows]
    rows_after: Callable[[], Rows]
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    old: Mapping[str, str] = field(default_factory=dict)
    new: Mapping[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def edit(data: bytes, table_type: str, want: Edits, utf8: bool) -> TableEdit:
    """What `want` makes of the source `data` of a table of this type."""
    if want.text is not None:
        return _replaced(data, want.text, table_type, utf8)
    found = None if table_type in PATTERN_TYPES else _edited_as_text(data, want, utf8)
    if found is not None:
        return found
    if table_type in PATTERN_TYPES:
        patterns = PatternTable.parse(data, table_type)
        keys = [entry.key for entry in patterns.entries]
        removals = [key for key in keys if key not in want.set and (want.purge or key in want.remove)]
        return _edit(patterns, data, want, removals, utf8)
    table = Table.parse(data)
    return _edit(table, data, want, want.removals(table, utf8), utf8)


def _replaced(data: bytes, text: bytes, table_type: str, utf8: bool) -> TableEdit:
    """The source with this text in place of its own."""
    old, new = (mapping_of(source, table_type, utf8) for source in (data, text))
    return _difference(old, new, text, text != data)


def mapping_of(data: bytes, table_type: str, utf8: bool) -> dict[str, str]:
    """What the source of a table maps to what, keys as Postfix folds them."""
    if table_type in PATTERN_TYPES:
        return PatternTable.parse(data, table_type).mapping(utf8)
    plain = PlainTable.parse(data)
    found = plain.mapping() if plain else None
    return Table.parse(data).mapping(utf8) if found is None else found


def unchanged(data: bytes, total: int, utf8: bool) -> TableEdit:
    """A source of `total` entries of which it is known that there is nothing to edit."""
    return TableEdit(data, False, total, total, lambda: rows_in(data, utf8), lambda: rows_in(data, utf8))


def rows_in(data: bytes, utf8: bool) -> Rows:
    """The rows that the index of the source `data` must hold."""
    plain = PlainTable.parse(data)
    return plain.rows if plain and plain.distinct() else rows_of(Table.parse(data).mapping(utf8))


def _edited_as_text(data: bytes, want: Edits, utf8: bool) -> TableEdit | None:
    in_order = PlainTable.edited_in_order(data, want, utf8)
    before, change = in_order or (PlainTable.parse(data), None)
    if before is not None and change is None:
        change = before.edited(want, utf8)
    if before is None or change is None:
        return None
    after, added, removed, updated, old, value = change
    return TableEdit(
        content=data if after is before else after.render(),
        changed=after is not before,
        old_total=before.count,
        total=after.count,
        rows_before=lambda: before.rows,
        rows_after=lambda: after.rows,
        added=added,
        removed=removed,
        updated=updated,
        old=old,
        new=SameValue([*updated, *added], value),
    )


def _edit(before: AnyTable, data: bytes, want: Edits, removals: list[str], utf8: bool) -> TableEdit:
    after = before.edited(want.set, removals, utf8)
    old = before.mapping(utf8)
    if after is before:
        found = _difference(old, old, data, False)
    else:
        found = _difference(old, after.mapping(utf8), after.render(), True)
    return replace(found, warnings=[*before.warnings, *before.duplicates(utf8)])


def _difference(old: dict[str, str], new: dict[str, str], content: bytes, changed: bool) -> TableEdit:
    """The edit that makes `new` of `old`, with `content` as its text."""
    added = [key for key in new if key not in old]
    removed = [key for key in old if key not in new]
    updated = [key for key in new if key in old and old[key] != new[key]]
    return TableEdit(
        content=content,
        changed=changed,
        old_total=len(old),
        total=len(new),
        rows_before=lambda: rows_of(old),
        rows_after=lambda: rows_of(new),
        added=added,
        removed=removed,
        updated=updated,
        old=_only(old, {*removed, *updated}),
        new=_only(new, {*added, *updated}),
    )


def _only(mapping: dict[str, str], keys: set[str]) -> dict[str, str]:
    return {key: value for key, value in mapping.items() if key in keys}
