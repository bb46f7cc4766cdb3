# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a long list, so that only those travel which a host has not got.

The controller tells the parts by their digests. The host looks for them among the keys of its table, wherever in it
they begin, and says which it lacks. What it has and what is sent make the list again, to the byte.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

_PACKED = struct.Struct("<II16s")
_LEAST_BYTES = 1 << 12
# So many characters tell of a part, and so many more bytes travel for one that is lacking: both together are least if
# a part has the square root of this number times the length of the list.
_CHARACTERS = _PACKED.size * 4 // 3


class _Part(NamedTuple):
    """Whole lines of a list: a checksum of the first by which they are looked for, how long they are, their digest."""

    first: int
    length: int
    digest: bytes


@dataclass(frozen=True)
class ListParts:
    """The parts of a list in their order, and the digest of the whole."""

    digest: str
    parts: Sequence[_Part]

    @classmethod
    def of(cls, data: bytes) -> ListParts:
        """The parts of this list."""
        most = max(_LEAST_BYTES, int(sqrt(_CHARACTERS * len(data))))
        view = memoryview(data)
        parts = []
        start = 0
        while start < len(data):
            end = data.find(b"\n", start + most) + 1 or len(data)
            parts.append(_Part(_first_line(data, view, start), end - start, _digest(view[start:end])))
            start = end
        return cls(hashlib.sha256(data).hexdigest(), parts)

    def packed(self) -> str:
        """All of it as text."""
        return f"{self.digest} {base64.b64encode(b''.join(_PACKED.pack(*part) for part in self.parts)).decode()}"

    @classmethod
    def unpacked(cls, packed: str) -> ListParts:
        digest, _blank, text = packed.partition(" ")
        return cls(digest, [_Part(*fields) for fields in _PACKED.iter_unpack(base64.b64decode(text))])

    def only(self, data: bytes, numbers: Collection[int]) -> bytes:
        """Of the list whose parts they are, those with these numbers."""
        ends = list(self._ends())
        return b"".join(data[ends[number] - self.parts[number].length : ends[number]] for number in sorted(numbers))

    def found_in(self, text: bytes) -> dict[int, memoryview]:
        """The parts that stand somewhere in a text, by their numbers."""
        by_first: dict[int, list[int]] = {}
        for number, part in enumerate(self.parts):
            by_first.setdefault(part.first, []).append(number)
        view = memoryview(text)
        found: dict[int, memoryview] = {}
        start = 0
        while start < len(text) and len(found) < len(self.parts):
            for number in by_first.get(_first_line(text, view, start), ()):
                piece = view[start : start + self.parts[number].length]
                if number not in found and _digest(piece) == self.parts[number].digest:
                    found[number] = piece
                    start += len(piece)
                    break
            else:
                start = text.find(b"\n", start) + 1 or len(text)
        return found

    def lacking(self, text: bytes) -> list[int]:
        """The numbers of the parts that are not in the text."""
        found = self.found_in(text)
        return [number for number in range(len(self.parts)) if number not in found]

    def joined(self, text: bytes, sent: bytes) -> bytes | None:
        """The list, of what is in the text and of those parts that it lacks, which were sent; None if they don't make
        it."""
        found = self.found_in(text)
        view = memoryview(sent)
        pieces = []
        for number, part in enumerate(self.parts):
            piece = found.get(number)
            if piece is None:
                piece, view = view[: part.length], view[part.length :]
            pieces.append(piece)
        data = b"".join(pieces)
        return data if not view and hashlib.sha256(data).hexdigest() == self.digest else None

    def _ends(self) -> Iterator[int]:
        end = 0
        for part in self.parts:
            end += part.length
            yield end


def _first_line(data: bytes, view: memoryview, start: int) -> int:
    """The checksum of the line that begins there, without its newline."""
    end = data.find(b"\n", start)
    return zlib.crc32(view[start : len(data) if end < 0 else end])


def _digest(piece: memoryview) -> bytes:
    return hashlib.sha256(piece).digest()[:16]
