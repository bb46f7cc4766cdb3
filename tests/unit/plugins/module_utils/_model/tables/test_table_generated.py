# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.pattern_table import PatternTable
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import (
    Edits,
    Table,
    checked_entry,
    decode,
    encode,
    entry_line,
    fold,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.hostile_tables import (
    sources,
    valid_keys,
    valid_values,
    wanted_entries,
)

MANY = settings(max_examples=150, deadline=None)


@MANY
@given(sources)
def test_parse_and_render_are_inverse(source: bytes) -> None:
    assert Table.parse(source).render() == source


@MANY
@given(sources, st.sampled_from(("regexp", "pcre", "cidr")))
def test_parse_and_render_of_patterns_are_inverse(source: bytes, kind: str) -> None:
    assert PatternTable.parse(source, kind).render() == source


@MANY
@given(sources)
def test_text_and_bytes_are_inverse(source: bytes) -> None:
    assert encode(decode(source)) == source


@MANY
@given(sources)
def test_entries_stand_on_lines_of_text_of_their_own(source: bytes) -> None:
    table = Table.parse(source)
    lines = [line for entry in table.entries for line in entry.lines]
    assert lines == sorted(set(lines))
    assert all(0 < entry.line <= len(table.lines) for entry in table.entries)


@MANY
@given(valid_keys, valid_values)
def test_valid_entry_is_read_back(key: str, value: str) -> None:
    checked_entry(key, value, "here")
    assert Table.parse(entry_line(key, value)).mapping(True) == {fold(key, True): value}


@MANY
@given(sources, wanted_entries, st.sets(valid_keys, max_size=3), st.booleans())
def test_edits_give_what_is_wanted_and_keep_the_rest(
    source: bytes, wanted: dict[str, str], unwanted: set[str], utf8: bool
) -> None:
    before = Table.parse(source)
    after = before.edited(wanted, unwanted, utf8)
    expected = {key: value for key, value in before.mapping(utf8).items() if key not in folded(unwanted, utf8)}
    expected.update({fold(key, utf8): value for key, value in wanted.items()})
    assert after.mapping(utf8) == expected
    assert after.edited(wanted, unwanted, utf8) is after
    ours = folded({*wanted, *unwanted}, utf8)
    assert [line for line in foreign_lines(after, ours, utf8) if line.strip()] == [
        line for line in foreign_lines(before, ours, utf8) if line.strip()
    ]


@MANY
@given(sources, wanted_entries, st.booleans())
def test_purge_leaves_what_is_wanted_alone(source: bytes, wanted: dict[str, str], utf8: bool) -> None:
    want = Edits(set=wanted, purge=True)
    before = Table.parse(source)
    after = before.edited(want.set, want.removals(before, utf8), utf8)
    assert after.mapping(utf8) == {fold(key, utf8): value for key, value in wanted.items()}


def folded(keys: set[str], utf8: bool) -> set[str]:
    return {fold(key, utf8) for key in keys}


def foreign_lines(table: Table, ours: set[str], utf8: bool) -> list[bytes]:
    """The lines of the file that hold no entry of these keys, without the newline that a last line may lack."""
    own = {line for entry in table.entries if fold(entry.key, utf8) in ours for line in entry.lines}
    return [line.rstrip(b"\n") for number, line in enumerate(table.lines) if number not in own]
