# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables import plain_table, read_back
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.edit import edit, rows_in
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.plain_table import PlainTable
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import ReadBack, Rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits, Table
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.hostile_tables import (
    plain_edits,
    plain_sources,
    sources,
    wanted_entries,
)

MANY = settings(max_examples=150, deadline=None)
any_source = st.one_of(plain_sources, plain_sources, sources)
any_edits = st.one_of(plain_edits, plain_edits, st.tuples(wanted_entries, st.just(()), st.booleans(), st.just(())))
lengths = st.lists(st.integers(min_value=1, max_value=9), max_size=8)


@pytest.fixture(params=[8, 1 << 20], autouse=True, scope="module")
def pieces(request: pytest.FixtureRequest) -> Iterator[None]:
    """Long tables are taken in pieces; what is generated here is longer than a piece of a few bytes."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (plain_table, read_back):
            patch.setattr(module, "PIECE_BYTES", request.param)
        patch.setattr(plain_table, "PIECE_KEYS", request.param)
        yield


@MANY
@given(any_source, any_edits, st.sampled_from([(), ("x.example",), (".x.example", "y.example")]), st.booleans())
def test_edit_as_text_is_the_edit_by_entry(
    source: bytes,
    edits: tuple[dict[str, str], tuple[str, ...], bool, tuple[str, ...]],
    kept: tuple[str, ...],
    utf8: bool,
) -> None:
    """What is edited as text is what Table, which is held against the real postmap, says line by line."""
    want = Edits(set=edits[0], remove=edits[1], purge=edits[2], owned=edits[3], kept=kept)
    found = edit(source, "hash", want, utf8)
    before = Table.parse(source)
    after = before.edited(want.set, want.removals(before, utf8), utf8)
    old, new = before.mapping(utf8), after.mapping(utf8)
    if found.content != after.render():
        # A plain table that holds what is wanted and nothing else has new rows at their places; the others stay.
        written = list(Table.parse(found.content).mapping(utf8))
        assert written == list(want.set)
        assert [key for key in written if key in old] == [key for key in old if key in new]
        assert sorted(found.content.splitlines()) == sorted(after.render().splitlines())
    assert found.changed is (after is not before)
    assert (found.old_total, found.total) == (len(old), len(new))
    assert set(found.added) == new.keys() - old.keys()
    assert set(found.removed) == old.keys() - new.keys()
    assert set(found.updated) == {key for key in new if key in old and old[key] != new[key]}
    assert {key: found.old[key] for key in found.removed} == {key: old[key] for key in found.removed}
    assert {key: found.new[key] for key in found.added} == {key: new[key] for key in found.added}
    assert lines(found.rows_before()) == lines_of(old, found.rows_before())
    assert lines(found.rows_after()) == lines_of(new, found.rows_after())


@MANY
@given(any_source, st.booleans())
def test_rows_of_a_source_are_those_of_its_entries(source: bytes, utf8: bool) -> None:
    rows = rows_in(source, utf8)
    assert lines(rows) == lines_of(Table.parse(source).mapping(utf8), rows)


@MANY
@given(plain_sources)
def test_plain_source_is_rendered_as_it_was(source: bytes) -> None:
    table = PlainTable.parse(source)
    assert table is None or table.render() == source


@MANY
@given(st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdefg")), lengths, st.booleans())
@example(["a", "b"], ["a", "a"], [], False)
@example(["a", "b"], ["b", "a"], [3], True)
def test_rows_read_back_are_equal_where_the_sorted_ones_are(
    expected: list[str], read: list[str], lengths: list[int], spaced: bool
) -> None:
    """In whatever order and in whatever pieces they come."""
    separator = " " if spaced else "\t"
    rows = Rows("".join(f"{key}@x{separator}y\n" for key in expected).encode(), separator.encode())
    found = ReadBack(rows)
    rest = "".join(f"{key}@x\ty\n" for key in read).encode()
    for length in lengths:
        found.take(rest[:length])
        rest = rest[length:]
    found.take(rest)
    assert found.equal is (sorted(read) == sorted(expected))
    assert found.count == len(read)


def lines(rows: Rows) -> list[str]:
    """The rows, sorted."""
    found = rows.text.decode("utf-8", "surrogateescape").split("\n")[:-1]
    assert len(found) == rows.count
    return sorted(found)


def lines_of(mapping: dict[str, str], rows: Rows) -> list[str]:
    """The rows that this mapping has, in the form of those."""
    return sorted(f"{key}{rows.separator.decode()}{value}" for key, value in mapping.items())
