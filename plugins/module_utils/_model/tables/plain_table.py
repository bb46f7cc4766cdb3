# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source of a table in its plainest form, edited as text: what a list of a million recipients is.

Of such a source it says what table.Table says, in a tenth of its time and memory, since nothing is done for each line.
What it is not sure of it leaves to Table.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Iterable, Iterator, Mapping, NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import Rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits

PIECE_BYTES = 1 << 20
PIECE_KEYS = 1 << 15
_PRINTABLE = bytes(range(0x21, 0x7F))
# Neither upper case, which is folded, nor what starts a comment or may quote white space.
_KEY_BYTES = _PRINTABLE.translate(None, b'ABCDEFGHIJKLMNOPQRSTUVWXYZ"\\#')


class PlainChange(NamedTuple):
    """The edited table, and the keys added and removed; `after` is the table itself if there are none."""

    after: PlainTable
    added: list[str]
    removed: list[str]


@dataclass(frozen=True)
class PlainTable:
    """A `head` of comments and empty lines, and a `body` of lines of a folded ASCII key, one space and the `value`,
    which is the same on all lines. The value of an empty body is the empty string."""

    head: bytes
    body: bytes
    value: bytes

    @classmethod
    def parse(cls, data: bytes) -> PlainTable | None:
        """The table, or None if the source is not of this form. Whether no key is there twice is not looked at."""
        start = 0
        while data[start : start + 1] in (b"#", b"\n"):
            start = data.find(b"\n", start) + 1
            if not start:
                return None
        body = data[start:]
        value = body[: body.find(b"\n")].partition(b" ")[2]
        return cls(data[:start], body, value) if _is_plain(body, value) else None

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
        for _start, _end, keys in self._pieces():
            seen.update(keys)
        return len(seen) == self.count

    def mapping(self) -> dict[str, str] | None:
        """Each key with the value; None if some key is there twice."""
        value = self.value.decode()
        found = {key: value for _start, _end, keys in self._pieces() for key in keys}
        return found if len(found) == self.count else None

    def edited(self, want: Edits, utf8: bool) -> PlainChange | None:
        """What Table.edited makes of the same source and edits; None if this form can't hold it, or some key is
        there twice."""
        value = _common_value(want.set) if want.set else self.value
        if value is None or (self.body and value != self.value) or not _are_plain(want.set):
            return None
        unwanted = want.unwanted(utf8)
        missing = set(want.set)
        others: set[str] = set()
        others_count = wanted_count = 0
        removed: list[str] = []
        parts: list[memoryview | bytes] = []
        view = memoryview(self.body)
        for start, end, keys in self._pieces():
            distinct = set(keys)
            here = distinct.difference(want.set)
            missing -= distinct
            others |= here
            others_count += len(here)
            wanted_count += len(keys) - len(here)
            gone = {key for key in here if unwanted(key)}
            removed += [key for key in keys if key in gone] if gone else []
            parts.append(_lines((key for key in keys if key not in gone), value) if gone else view[start:end])
        if len(others) != others_count or wanted_count != len(want.set) - len(missing):
            return None
        if not missing and not removed:
            return PlainChange(self, [], [])
        added = sorted(missing)
        body = b"".join([*parts, _lines(added, value)])
        return PlainChange(PlainTable(self.head, body, value if body else b""), added, removed)

    def _pieces(self) -> Iterator[tuple[int, int, list[str]]]:
        """The body in pieces of whole lines: start, end and keys."""
        ending = b" " + self.value + b"\n"
        start = 0
        while start < len(self.body):
            end = self.body.find(b"\n", start + PIECE_BYTES) + 1 or len(self.body)
            keys = self.body[start:end].replace(ending, b"\n").decode("ascii").split("\n")
            keys.pop()
            yield start, end, keys
            start = end


def _is_plain(body: bytes, value: bytes) -> bool:
    if not body:
        return True
    ending = b" " + value + b"\n"
    lines = body.count(b"\n")
    if not value or value.translate(None, _PRINTABLE) or not lines == body.count(ending) == body.count(b" "):
        return False
    if not body.endswith(b"\n") or body.startswith(ending) or b"\n" + ending in body:
        return False
    return not body.replace(ending, b"\n").translate(None, _KEY_BYTES + b"\n")


def _common_value(set_: Mapping[str, str]) -> bytes | None:
    """The value that all these entries have, None if it is not one plain word."""
    values = set(set_.values())
    value = values.pop() if len(values) == 1 else ""
    if not value.isascii() or not value or value.encode().translate(None, _PRINTABLE):
        return None
    return value.encode()


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


def _lines(keys: Iterable[str], value: bytes) -> bytes:
    ending = f" {value.decode()}\n"
    text = ending.join(keys)
    return (text + ending).encode() if text else b""
