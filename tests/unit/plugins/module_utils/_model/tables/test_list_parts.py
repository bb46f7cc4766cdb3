# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import random

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables import list_parts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.list_parts import ListParts

LINES = [b"user%04d@x.example\n" % number for number in range(2_000)]
LIST = b"".join(LINES)


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_parts, "_LEAST_BYTES", 100)


def sent(parts: ListParts, data: bytes, text: bytes) -> bytes:
    """What travels to a host that has this text."""
    return parts.only(data, parts.lacking(text))


@pytest.mark.parametrize("data", [b"", b"a@x.example", b"a@x.example\n", b"\na@x.example\n", LIST, LIST[:-1], LIST * 2])
def test_parts_are_the_list(data: bytes) -> None:
    parts = ListParts.of(data)
    assert ListParts.unpacked(parts.packed()) == parts
    assert parts.digest == hashlib.sha256(data).hexdigest()
    assert parts.only(data, range(len(parts.parts))) == data
    assert parts.lacking(b"") == list(range(len(parts.parts)))
    assert parts.joined(b"", data) == data
    assert parts.lacking(b"# head\n" + data + b"\n# end\n") == []
    assert parts.joined(data, b"") == data


def test_part_ends_where_a_line_does() -> None:
    parts = ListParts.of(LIST)
    assert 20 < len(parts.parts) < 60
    pieces = [parts.only(LIST, [number]) for number in range(len(parts.parts))]
    assert b"".join(pieces) == LIST
    assert parts.only(LIST, [2, 0]) == pieces[0] + pieces[2]
    assert all(piece.endswith(b"\n") for piece in pieces)


@pytest.mark.parametrize("place", [0, 1, 1_000, 1_999])
@pytest.mark.parametrize("change", ["another", "one more", "one less"])
def test_of_one_changed_line_one_part_or_two_travel(place: int, change: str) -> None:
    """A part that begins behind the line stands where it did, or elsewhere, and is found there."""
    lines = list(LINES)
    lines[place : place + 1] = {"another": [b"new@x.example\n"], "one more": [lines[place], b"new@x.example\n"]}.get(
        change, []
    )
    data = b"".join(lines)
    parts = ListParts.of(data)
    found = sent(parts, data, LIST)
    assert len(found) < 2 * len(LIST) / len(parts.parts) + 100
    assert parts.joined(LIST, found) == data


def test_any_text_gives_the_list_with_what_it_lacks() -> None:
    chance = random.Random(1)
    for _round in range(300):
        data = b"".join(chance.choices(LINES[:50], k=chance.randrange(80)))
        there = chance.choices(LINES[:50], k=chance.randrange(80))
        cut = chance.randrange(100)
        text = data[cut:] + b"".join(there) + data[:cut] + data[chance.randrange(200) :]
        parts = ListParts.of(data)
        assert parts.joined(text, sent(parts, data, text)) == data


def test_what_does_not_make_the_list_is_none() -> None:
    parts = ListParts.of(LIST)
    found = sent(parts, LIST, LIST[:20_000])
    assert parts.joined(LIST[:20_000], found) == LIST
    for text, given in (
        (LIST[:19_000], found),
        (LIST[:20_000], found[1:]),
        (LIST[:20_000], found + b"x"),
        (LIST, found),
    ):
        assert parts.joined(text, given) is None


def test_lines_that_are_the_same_are_told_apart_by_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_parts.zlib, "crc32", lambda _line: 7)
    data = b"".join(LINES[:200])
    parts = ListParts.of(data)
    assert parts.lacking(b"".join(LINES[1:201])) == [0]
