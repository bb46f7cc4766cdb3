# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing the rows that postmap reads from a table with those that it must hold, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import encode

PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Rows:
    """Rows of a table as lines of a key, one separator and a value; no key twice."""

    text: bytes
    separator: bytes = b"\t"

    @property
    def count(self) -> int:
        return self.text.count(b"\n")

    @property
    def is_source(self) -> bool:
        """Whether they can stand as they are in a source, being those of a plain one."""
        return self.separator == b" "

    def in_key_order(self) -> Rows:
        """The same rows in the order of their keys. The separator comes before all that is in a key.

        One half after the other, since a list of all lines takes twice the memory of the text.
        """
        some = sorted(next(_pieces(self.text), b"").split(b"\n"))
        middle = some[len(some) // 2]
        return replace(self, text=self._sorted(middle.__gt__) + self._sorted(middle.__le__))

    def _sorted(self, wanted: Callable[[bytes], bool]) -> bytes:
        """Those of the rows that are wanted, in order."""
        lines = [line for piece in _pieces(self.text) for line in piece.split(b"\n") if line and wanted(line)]
        lines.sort()
        lines.append(b"")
        return b"\n".join(lines)


def _pieces(text: bytes, start: int = 0) -> Iterator[bytes]:
    """A text from there on in pieces of whole lines."""
    while start < len(text):
        end = text.find(b"\n", start + PIECE_BYTES) + 1 or len(text)
        yield text[start:end]
        start = end


def rows_of(mapping: Mapping[str, str]) -> Rows:
    """The rows of a mapping of folded keys to values."""
    return Rows(encode("".join(f"{key}\t{value}\n" for key, value in mapping.items())))


class ReadBack:
    """Takes what `postmap -s` writes and says whether it is exactly the expected rows, in whatever order.

    Not `whole`: the table was asked for the expected keys alone, so of what else it has nothing is known.

    As long as they come in the order expected, as from a cdb table, comparing costs no memory; after that, one object
    for each row that is still to come.
    """

    def __init__(self, expected: Rows, whole: bool = True) -> None:
        self.expected = expected
        self.whole = whole
        self._position = 0
        self._missing: set[bytes] | None = None
        self._rest = b""
        self._odd = False
        self.count = 0

    def expect_any_order(self) -> None:
        """Does beforehand what rows in another order would take time for."""
        self._missing = self._still_to_come()

    def take(self, piece: bytes) -> None:
        """The next bytes that were read."""
        data = self._rest + piece
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        lines = data[:end]
        self.count += lines.count(b"\n")
        if self._missing is None:
            stop = self._position + len(lines)
            if self._in_expected_form(lines) == self.expected.text[self._position : stop]:
                self._position = stop
                return
            self._missing = self._still_to_come()
        self._missing.difference_update(self._in_expected_form(lines).split(b"\n"))

    def _still_to_come(self) -> set[bytes]:
        """The expected rows from here on; made in pieces, since a list of them all takes as much memory again."""
        rows: set[bytes] = set()
        for piece in _pieces(self.expected.text, self._position):
            rows.update(piece.split(b"\n"))
        rows.discard(b"")
        return rows

    def _in_expected_form(self, lines: bytes) -> bytes:
        separator = self.expected.separator
        if separator == b"\t":
            return lines
        # If the separator of the expected rows can't be told from text of a key, no row is right.
        self._odd = self._odd or separator in lines or lines.count(b"\t") != lines.count(b"\n")
        return lines.replace(b"\t", separator)

    @property
    def equal(self) -> bool:
        """Whether all that was taken is all that was expected: each row once, none besides."""
        if self._rest or self._odd or self.count != self.expected.count:
            return False
        return not self._missing if self._missing is not None else self._position == len(self.expected.text)
