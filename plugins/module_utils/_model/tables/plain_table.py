# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source of a table in its plainest form, edited as text: what a list of a million recipients is.

Of such a source it says what table.Table says, in a tenth of its time and memory, since nothing is done for each line.
What it is not sure of it leaves to Table.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import Rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits

PIECE_BYTES = 1 << 20
PIECE_KEYS = 1 << 15
# In the order of a list a table is compared with it in pieces of this length.
_COMPARED_BYTES = 1 << 16
_LINES_LOOKED_FOR = 5
_PRINTABLE = bytes(range(0x21, 0x7F))
# Neither upper case, which is folded, nor what starts a comment or may quote white space.
_KEY_BYTES = _PRINTABLE.translate(None, b'ABCDEFGHIJKLMNOPQRSTUVWXYZ"\\#')
_LINES = re.compile(rb"(?:[%s]+ [!-~]+\n)*" % re.escape(_KEY_BYTES))


class PlainChange(NamedTuple):
    """The edited table, the keys added, removed and updated, and the values that the last two had.

    `after` is the table itself if there are none; `value` is that of the added and the updated.
    """

    after: PlainTable
    added: list[str]
    removed: list[str]
    updated: list[str]
    old: dict[str, str]
    value: str


class _Piece(NamedTuple):
    """Some whole lines of a body: their text, keys and values."""

    text: memoryview
    keys: Sequence[str]
    values: Sequence[str]


@dataclass(frozen=True)
class PlainTable:
    """A `head` of comments and empty lines, and a `body` of lines of a folded ASCII key, one space and a value that is
    one ASCII word."""

    head: bytes
    body: bytes

    @classmethod
    def parse(cls, data: bytes) -> PlainTable | None:
        """The table, or None if the source is not of this form. Whether no key is there twice is not looked at."""
        table = cls._taken_apart(data)
        return table if table and _is_plain(table.body) else None

    @classmethod
    def _taken_apart(cls, data: bytes) -> PlainTable | None:
        """The table without a look at its lines; None if the source ends in a comment."""
        start = 0
        while data[start : start + 1] in (b"#", b"\n"):
            start = data.find(b"\n", start) + 1
            if not start:
                return None
        return cls(data[:start], data[start:])

    @classmethod
    def edited_in_order(cls, data: bytes, want: Edits, utf8: bool) -> tuple[PlainTable, PlainChange] | None:
        """The table and what `edited` makes of it, by comparing texts, if it lists what is wanted and in that order.

        None if it has more to it than some places where they differ.
        """
        table = cls._taken_apart(data)
        value = _common_value(want.set)
        # A last line that was cut short could be taken for the beginning of one that is wanted.
        if table is None or value is None or not (table.body.endswith(b"\n") and _are_plain(want.set)):
            return None
        wanted = cls(table.head, _lines(want.set, value))
        had: dict[str, str] = {}
        gets: dict[str, str] = {}
        staying: set[str] = set()
        lines = 0
        for there, here in _differences(table.body, wanted.body):
            if max(len(there), len(here)) > max(len(table.body) // 2, _COMPARED_BYTES) or not _is_plain(there):
                return None
            lines += there.count(b"\n")
            old_here, new_here = dict(cls(b"", there)._entries()), dict(cls(b"", here)._entries())
            # Rows that are there and wanted keep their order, so none of them moves from one place to another.
            if [key for key in old_here if key in new_here] != [key for key in new_here if key in old_here]:
                return None
            staying.update(old_here.keys() & new_here.keys())
            had.update(old_here)
            gets.update(new_here)
        if had.keys() & gets.keys() != staying:
            return None
        gone = had.keys() - gets.keys()
        # A key that goes here and is wanted stands elsewhere too; of those that stay, there is no order.
        if len(had) != lines or any(key in want.set for key in gone) or want.going(utf8)(gone) != gone:
            return None
        removed = [key for key in had if key in gone]
        added = sorted(gets.keys() - had.keys())
        updated = [key for key in gets if key in had and had[key] != value]
        after = wanted if removed or added or updated else table
        old = {key: has for key, has in had.items() if key in gone or has != value}
        return table, PlainChange(after, added, removed, updated, old, value)

    @property
    def count(self) -> int:
        return self.body.count(b"\n")

    @property
    def rows(self) -> Rows:
        return Rows(self.body, b" ")

    def render(self) -> bytes:
        return self.head + self.body

    def distinct(self) -> bool:
        """Whether no key is there twice."""
        seen: set[str] = set()
        for piece in self._pieces():
            seen.update(piece.keys)
        return len(seen) == self.count

    def mapping(self) -> dict[str, str] | None:
        """Each key with its value; None if some key is there twice."""
        found = dict(self._entries())
        return found if len(found) == self.count else None

    def edited(self, want: Edits, utf8: bool) -> PlainChange | None:
        """What Table.edited makes of the same source and edits; None if this form can't hold it, or some key is
        there twice.

        But a table that comes to hold what is wanted and nothing else gets each row at its place among those, if the
        rows that it has are in that order.
        """
        value = _common_value(want.set)
        if value is None or not _are_plain(want.set):
            return None
        going = want.going(utf8)
        missing = set(want.set)
        others: set[str] = set()
        others_count = wanted_count = 0
        removed: list[str] = []
        updated: list[str] = []
        old: dict[str, str] = {}
        parts: list[memoryview | bytes] = []
        for text, keys, values in self._pieces():
            distinct = set(keys)
            here = distinct.difference(want.set)
            missing -= distinct
            others |= here
            others_count += len(here)
            wanted_count += len(keys) - len(here)
            gone = going(here)
            # Most often a whole piece has the one value.
            stale = () if values.count(value) == len(values) else _with_another(value, keys, values, want.set)
            if not gone and not stale:
                parts.append(text)
                continue
            had = dict(zip(keys, values))
            removed += [key for key in keys if key in gone]
            updated += stale
            touched = {*gone, *stale}
            old.update((key, had[key]) for key in keys if key in touched)
            had.update(dict.fromkeys(stale, value))
            parts.append("".join(f"{key} {had[key]}\n" for key in keys if key not in gone).encode())
        if len(others) != others_count or wanted_count != len(want.set) - len(missing):
            return None
        if not missing and not removed and not updated:
            return PlainChange(self, [], [], [], {}, value)
        added = sorted(missing)
        alone = others_count == len(removed) and self._in_order_of(want.set, missing)
        body = _lines(want.set, value) if alone else b"".join([*parts, _lines(added, value)])
        return PlainChange(PlainTable(self.head, body), added, removed, updated, old, value)

    def _in_order_of(self, wanted: Mapping[str, str], missing: Collection[str]) -> bool:
        """Whether its rows of what is wanted come in the order of that, some of which are missing."""
        there = (key for piece in self._pieces() for key in piece.keys if key in wanted)
        return all(key == other for key, other in zip(there, (key for key in wanted if key not in missing)))

    def _entries(self) -> Iterator[tuple[str, str]]:
        for piece in self._pieces():
            yield from zip(piece.keys, piece.values)

    def _pieces(self) -> Iterator[_Piece]:
        for text in _texts(self.body):
            words = str(text, "ascii").replace(" ", "\n").split("\n")
            yield _Piece(text, words[:-1:2], words[1::2])


def _texts(body: bytes) -> Iterator[memoryview]:
    """A text in pieces of whole lines; the last may lack its newline."""
    view = memoryview(body)
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + PIECE_BYTES) + 1 or len(body)
        yield view[start:end]
        start = end


def _is_plain(body: bytes) -> bool:
    return all(_LINES.fullmatch(text) for text in _texts(body))


def _differences(before: bytes, after: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Where one text of lines differs from another: pairs of whole lines, in the order of both.

    From where they have no more in common on, it is one pair.
    """
    old, new = memoryview(before), memoryview(after)
    here = there = 0
    while here < len(before) or there < len(after):
        end = before.find(b"\n", here + _COMPARED_BYTES) + 1 or len(before)
        until = there + end - here
        if end == here or old[here:end] != new[there:until]:
            end, until = _together_again(before, here, after, there)
            yield before[here:end], after[there:until]
        here, there = end, until


def _together_again(before: bytes, here: int, after: bytes, there: int) -> tuple[int, int]:
    """Where two texts, which differ from two places on, have a line in common; the ends of both if they have none.

    It is not looked for in all lines, but in some that are a piece apart: one that goes is followed by others.
    """
    end = here
    for _try in range(_LINES_LOOKED_FOR):
        end = before.find(b"\n", end + _COMPARED_BYTES) + 1 or len(before)
        start = before.rfind(b"\n", max(here - 1, 0), max(end - 1, 0))
        until = there + end - here + 2 * _COMPARED_BYTES
        place = after.find(before[start:end], max(there - 1, 0), until) if start >= 0 else -1
        if place >= 0:
            return end, place + end - start
    return len(before), len(after)


def _with_another(value: str, keys: Sequence[str], values: Sequence[str], wanted: Mapping[str, str]) -> list[str]:
    """Those of the keys that are wanted and have another value."""
    return [key for key, has in zip(keys, values) if has != value and key in wanted]


def _common_value(set_: Mapping[str, str]) -> str | None:
    """The value that all these entries have, None if it is not one plain word; of none any will do."""
    values = set(set_.values())
    value = values.pop() if len(values) == 1 else "" if values else "x"
    return value if value.isascii() and value and not value.encode().translate(None, _PRINTABLE) else None


def _are_plain(keys: Iterable[str]) -> bool:
    """Whether each of the keys can stand in a plain table as it is."""
    rest = iter(keys)
    while True:
        some = list(islice(rest, PIECE_KEYS))
        if not some:
            return True
        text = "".join(some)
        if "" in some or not text.isascii() or text.encode().translate(None, _KEY_BYTES):
            return False


def _lines(keys: Iterable[str], value: str) -> bytes:
    """A line for each key, made in pieces, since the text of them all would be there twice for a moment."""
    rest = iter(keys)
    ending = f" {value}\n"
    pieces = iter(lambda: ending.join([*islice(rest, PIECE_KEYS), ""]).encode(), b"")
    return b"".join(pieces)
