# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source of a table in its plainest form, edited as text: what a list of a million recipients is.

Of such a source it says what table.Table says, in a tenth of its time and memory, since nothing is done for each line.
What it is not sure of it leaves to Table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Iterable, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import Rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits

PIECE_BYTES = 1 << 20
PIECE_KEYS = 1 << 15
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
        start = 0
        while data[start : start + 1] in (b"#", b"\n"):
            start = data.find(b"\n", start) + 1
            if not start:
                return None
        table = cls(data[:start], data[start:])
        return table if all(_LINES.fullmatch(text) for text in table._texts()) else None

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
        found: dict[str, str] = {}
        for piece in self._pieces():
            found.update(zip(piece.keys, piece.values))
        return found if len(found) == self.count else None

    def edited(self, want: Edits, utf8: bool) -> PlainChange | None:
        """What Table.edited makes of the same source and edits; None if this form can't hold it, or some key is
        there twice.

        But a table that comes to hold what is wanted and nothing else is written in the order of that.
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
        alone = others_count == len(removed)
        body = _lines(want.set, value) if alone else b"".join([*parts, _lines(added, value)])
        return PlainChange(PlainTable(self.head, body), added, removed, updated, old, value)

    def _texts(self) -> Iterator[memoryview]:
        """The body in pieces of whole lines; the last may lack its newline."""
        view = memoryview(self.body)
        start = 0
        while start < len(self.body):
            end = self.body.find(b"\n", start + PIECE_BYTES) + 1 or len(self.body)
            yield view[start:end]
            start = end

    def _pieces(self) -> Iterator[_Piece]:
        for text in self._texts():
            words = str(text, "ascii").replace(" ", "\n").split("\n")
            yield _Piece(text, words[:-1:2], words[1::2])


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
    ending = f" {value}\n"
    text = ending.join(keys)
    return (text + ending).encode() if text else b""
