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
        kept = [key for key in there if key in want.set]
        in_order = kept == [key for key in want.set if key in kept]
        if change.after is not plain and set(after.mapping(utf8)) == set(want.set) and in_order:
            # Nothing but what is wanted, so each new row at its place.
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


def test_table_in_the_order_of_the_list_comes_out_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the texts are compared, the edit is that of all lines, and most often it can be had so."""
    chance = random.Random(2)
    keys = [f"{name:03}@{domain}" for name in range(40) for domain in ("x.example", "y.example")]
    had = 0
    for length in (1, 40, 100, 1 << 16):
        monkeypatch.setattr(plain_table, "_COMPARED_BYTES", length)
        for _round in range(1000):
            order = chance.sample(keys, len(keys))
            listed = [key for key in order if chance.random() < 0.95]
            there = [key for key in order if chance.random() < 0.95]
            if chance.random() < 0.2:
                there.insert(chance.randrange(len(there)), chance.choice(keys))
            data = b"# head\n" + "".join(f"{key} {'y' if chance.random() < 0.02 else 'x'}\n" for key in there).encode()
            owned = chance.choice([(), ("x.example",), ("x.example", "y.example")])
            want = Edits(set=dict.fromkeys(listed, "x"), purge=chance.random() < 0.5, owned=owned)
            found = PlainTable.edited_in_order(data, want, True)
            plain = PlainTable.parse(data)
            assert plain is not None
            change = plain.edited(want, True)
            if found is None:
                continue
            had += 1
            before, in_order = found
            assert change is not None
            assert (before, in_order.after, in_order.added) == (plain, change.after, change.added)
            assert (in_order.after is before) == (change.after is plain)
            assert (in_order.old, in_order.value) == (change.old, change.value)
            assert (sorted(in_order.removed), sorted(in_order.updated)) == (
                sorted(change.removed),
                sorted(change.updated),
            )
    assert had > 1000


@pytest.mark.parametrize(
    "data", [b"a@x.example x\nB@x.example x\nc@x.example x\n", b"a@x.example x\n# c\nc@x.example x\n", b"# c"]
)
def test_lines_that_differ_and_are_not_plain_are_left_to_the_text_model(data: bytes) -> None:
    want = Edits(set={"a@x.example": "x", "b@x.example": "x", "c@x.example": "x"}, purge=True)
    assert PlainTable.edited_in_order(data, want, True) is None


def test_piece_that_moved_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_table, "_COMPARED_BYTES", 4)
    lines = [b"%d\n" % number for number in range(9)]
    found = plain_table._differences(b"".join(lines), b"".join([*lines[:3], b"new\n", *lines[3:7], lines[8]]))
    assert list(found) == [(b"3\n4\n5\n", b"new\n3\n4\n5\n"), (b"6\n7\n8\n", b"6\n8\n")]
    # The line by which they would be together again is gone itself.
    found = plain_table._differences(b"".join(lines), b"".join([*lines[:5], *lines[6:]]))
    assert list(found) == [(b"3\n4\n5\n6\n7\n8\n", b"3\n4\n6\n7\n8\n")]
    assert list(plain_table._differences(b"1\n", b"")) == [(b"1\n", b"")]
    assert list(plain_table._differences(b"", b"1\n")) == [(b"", b"1\n")]
    assert list(plain_table._differences(b"", b"")) == []


def test_source_that_was_cut_short_is_left_to_the_text_model() -> None:
    """Its last line can be the beginning of one that is wanted."""
    whole = b"".join(b"user%02d@x.example x\n" % number for number in range(20))
    want = Edits(set={f"user{number:02}@x.example": "x" for number in range(20)}, purge=True)
    for end in range(1, len(whole)):
        found = PlainTable.edited_in_order(whole[:end], want, True)
        assert (found is None) == (whole[end - 1 : end] != b"\n")
