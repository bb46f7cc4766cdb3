# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables import plain_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.plain_table import PlainTable
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits, Table

KEYS = [f"{name}@{domain}" for name in ("a", "b.c", "d+e", "k") for domain in ("x.example", "s.x.example", "y.example")]


@pytest.mark.parametrize(
    "data",
    [
        b"a@x.example x",
        b"a@x.example  x\n",
        b"a@x.example\tx\n",
        b"a@x.example x \n",
        b"a@x.example x\r\n",
        b"A@x.example x\n",
        b"a@x.example x\n# comment\nb@x.example x\n",
        b"a@x.example x\n\nb@x.example x\n",
        b"a@x.example x\n x\n",
        b" x\n",
        b"a@x.example\n",
        b"a@x.example x y\n",
        b'"a b"@x.example x\n',
        b"a\\@x.example x\n",
        b"\xef\xbb\xbfa@x.example x\n",
        "ä@x.example x\n".encode(),
        b"a@x.example \xffx\n",
        b"a@x.example x\0y\n",
        b"# comment without an end",
        b"# comment\n  # another\na@x.example x\n",
    ],
)
def test_whatever_is_not_plain_is_left_to_the_text_model(data: bytes) -> None:
    assert PlainTable.parse(data) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# only a comment\n\n",
        b"a@x.example x\n",
        b"# c\n\na@x.example OK\n@y.example OK\n",
        b'a@x.example x\nb@x.example Y\\"\n',
    ],
)
def test_plain_source_is_rendered_as_it_was(data: bytes) -> None:
    table = PlainTable.parse(data)
    assert table is not None
    assert table.render() == data
    assert table.count == len(Table.parse(data).entries)


def test_edits_come_out_as_those_of_the_text_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_table, "PIECE_BYTES", 40)
    monkeypatch.setattr(plain_table, "PIECE_KEYS", 2)
    chance = random.Random(1)
    for _round in range(2000):
        there = chance.sample(KEYS, chance.randrange(len(KEYS)))
        values = chance.choice(("x", "y", "xy"))
        rows = {key: chance.choice(values) for key in there}
        data = b"# head\n" * chance.randrange(2) + "".join(f"{key} {value}\n" for key, value in rows.items()).encode()
        want = Edits(
            set=dict.fromkeys(chance.sample(KEYS, chance.randrange(6)), "x"),
            # The sign for Kelvin is folded to a k, where Unicode counts.
            remove=chance.sample([*KEYS, "\u212a@x.example"], chance.randrange(4)),
            purge=chance.random() < 0.3,
            owned=chance.choice([(), ("x.example",), ("x.example", ".x.example"), ("y.example",)]),
        )
        utf8 = chance.random() < 0.5
        plain = PlainTable.parse(data)
        assert plain is not None
        change = plain.edited(want, utf8)
        text = Table.parse(data)
        after = text.edited(want.set, want.removals(text, utf8), utf8)
        assert change is not None
        if change.after is not plain and set(after.mapping(utf8)) == set(want.set):
            # Nothing but what is wanted, so in its order.
            assert change.after.render() == plain.head + "".join(f"{key} x\n" for key in want.set).encode()
        else:
            assert change.after.render() == after.render()
        old, new = text.mapping(utf8), after.mapping(utf8)
        assert change.added == [key for key in new if key not in old]
        assert change.removed == [key for key in old if key not in new]
        assert change.updated == [key for key in new if key in old and old[key] != new[key]]
        touched = {*change.removed, *change.updated}
        assert list(change.old.items()) == [(key, value) for key, value in old.items() if key in touched]
        assert all(new[key] == change.value for key in (*change.added, *change.updated))
        assert (change.after is plain) == (after is text)


@pytest.mark.parametrize(
    "want",
    [
        Edits(set={"a@x.example": "x", "b@x.example": "y"}),
        Edits(set={"A@x.example": "x"}),
        Edits(set={'"a b"@x.example': "x"}),
        Edits(set={"ä@x.example": "x"}),
        Edits(set={"a@x.example": "x y"}),
    ],
)
def test_edits_that_a_plain_table_cannot_hold_are_left_to_the_text_model(want: Edits) -> None:
    table = PlainTable.parse(b"a@x.example x\n")
    assert table is not None
    assert table.edited(want, True) is None


@pytest.mark.parametrize("want", [Edits(), Edits(set={"a@x.example": "x"}), Edits(set={"b@x.example": "x"})])
def test_key_that_is_there_twice_is_left_to_the_text_model(want: Edits) -> None:
    table = PlainTable.parse(b"a@x.example x\nb@x.example x\na@x.example x\n")
    assert table is not None
    assert (table.edited(want, True), table.distinct()) == (None, False)
