# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import random

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables import read_back
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import ReadBack, Rows, rows_of

EXPECTED = [Rows(b"a\tx\nb\tx\nc\tx\n"), Rows(b"a x\nb x\nc x\n", b" ")]


def read(expected: Rows, data: bytes, piece: int, any_order: bool = False) -> ReadBack:
    found = ReadBack(expected)
    if any_order:
        found.expect_any_order()
    for start in range(0, len(data), piece):
        found.take(data[start : start + piece])
    return found


@pytest.mark.parametrize("expected", EXPECTED)
@pytest.mark.parametrize("any_order", [False, True])
@pytest.mark.parametrize("piece", [1, 3, 5, 100])
def test_rows_are_equal_in_any_order_and_any_pieces(expected: Rows, piece: int, any_order: bool) -> None:
    for order in itertools.permutations([b"a\tx\n", b"b\tx\n", b"c\tx\n"]):
        found = read(expected, b"".join(order), piece, any_order)
        assert (found.equal, found.count) == (True, 3)


@pytest.mark.parametrize("expected", EXPECTED)
@pytest.mark.parametrize("any_order", [False, True])
@pytest.mark.parametrize("piece", [1, 5, 100])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a\tx\nb\tx\n",
        b"b\tx\na\tx\n",
        b"a\tx\nb\tx\nc\tx",
        b"a\tx\nb\tx\nc\ty\n",
        b"a\tx\nb\tx\nd\tx\n",
        b"a\tx\nb\tx\nb\tx\n",
        b"b\tx\na\tx\na\tx\n",
        b"a\tx\nb\tx\nc\tx\nc\tx\n",
        b"c\tx\nb\tx\na\tx\na\tx\n",
        b"a\tx\nb\tx\nc\tx\nd\tx\n",
        b"a\tx\nb\tx\n\nc\tx\n",
        b"a x\nb\tx\nc\tx\n",
        b"a\tx\nb\tx\nc\t\tx\n",
        b"c\tx\nb\tx\na x\n",
    ],
)
def test_every_other_output_is_noticed(expected: Rows, data: bytes, piece: int, any_order: bool) -> None:
    assert not read(expected, data, piece, any_order).equal


def test_rows_of_a_mapping_may_have_any_text() -> None:
    expected = rows_of({"b c": "x y", "a": "z\t1", "\udcff": "v"})
    assert read(expected, b"a\tz\t1\n\xff\tv\nb c\tx y\n", 4).equal
    assert not read(expected, b"a\tz 1\n\xff\tv\nb c\tx y\n", 4).equal
    assert ReadBack(rows_of({})).equal


@pytest.mark.parametrize("length", [1, 30, 1 << 20])
def test_rows_in_key_order_are_those_that_are_sorted(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_back, "PIECE_BYTES", length)
    chance = random.Random(1)
    for number in (0, 1, 2, 50):
        lines = [f"{chance.randrange(100)}@x.example x\n".encode() for _line in range(number)]
        rows = Rows(b"".join(lines), b" ")
        assert rows.in_key_order() == Rows(b"".join(sorted(lines)), b" ")
