# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.edit import (
    SameValue,
    edit,
    mapping_of,
    rows_in,
    unchanged,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import Rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits, Table

PLAIN = b"alice@x.example x\nbob@x.example x\n"
MIXED = b"# ours\nBob@x.example x\ncarol@x.example  OK\n"


def test_plain_source_is_edited_as_text() -> None:
    found = edit(PLAIN, "hash", Edits(set={"dora@x.example": "x"}, remove=["bob@x.example"]), True)
    assert (found.content, found.changed) == (b"alice@x.example x\ndora@x.example x\n", True)
    assert (found.added, found.removed, found.updated) == (["dora@x.example"], ["bob@x.example"], [])
    assert (dict(found.old), dict(found.new)) == ({"bob@x.example": "x"}, {"dora@x.example": "x"})
    assert (found.old_total, found.total, found.warnings) == (2, 2, [])
    assert (found.rows_before(), found.rows_after()) == (Rows(PLAIN, b" "), Rows(found.content, b" "))


def test_other_source_is_edited_by_entry() -> None:
    want = Edits(set={"carol@x.example": "x", "dora@x.example": "x"}, remove=["bob@x.example"])
    found = edit(MIXED, "hash", want, True)
    assert found.content == b"# ours\ncarol@x.example x\ndora@x.example x\n"
    assert (found.added, found.removed, found.updated) == (["dora@x.example"], ["bob@x.example"], ["carol@x.example"])
    assert found.old == {"bob@x.example": "x", "carol@x.example": "OK"}
    assert found.new == {"dora@x.example": "x", "carol@x.example": "x"}
    assert found.rows_before() == Rows(b"bob@x.example\tx\ncarol@x.example\tOK\n")
    assert found.rows_after() == Rows(b"carol@x.example\tx\ndora@x.example\tx\n")


@pytest.mark.parametrize("source", [PLAIN, MIXED])
def test_edits_that_are_met_change_nothing(source: bytes) -> None:
    found = edit(source, "hash", Edits(set={"bob@x.example": "x"}, remove=["z@x.example"]), True)
    assert found.content is source
    assert (found.changed, found.added, found.removed, found.updated, found.total) == (False, [], [], [], 2)


def test_what_postfix_drops_is_told() -> None:
    found = edit(b"bob@x.example x\nkeyonly\nBob@x.example y\n", "hash", Edits(), True)
    assert found.warnings == [
        "line 2: has a key without a value; Postfix ignores the entry",
        "line 3: has the key of line 1; Postfix ignores the later entry",
    ]


def test_patterns_go_by_purge_or_name_and_are_never_folded() -> None:
    source = b"/a/ 1\n/A/ 2\n/b/ 3\n"
    assert edit(source, "regexp", Edits(remove=["/A/"]), True).content == b"/a/ 1\n/b/ 3\n"
    purged = edit(source, "regexp", Edits(set={"/b/": "3"}, purge=True), True)
    assert (purged.content, purged.removed) == (b"/b/ 3\n", ["/a/", "/A/"])
    # As the source of an indexed table the first two are one key.
    assert edit(source, "hash", Edits(remove=["/A/"]), True).content == b"/b/ 3\n"


def test_source_that_is_known_to_be_met_is_not_looked_at() -> None:
    found = unchanged(MIXED, 7, True)
    assert (found.content, found.changed, found.old_total, found.total) == (MIXED, False, 7, 7)
    assert found.rows_before() == found.rows_after() == rows_in(MIXED, True)


def test_rows_of_a_source_with_a_key_twice_have_it_once() -> None:
    assert rows_in(PLAIN, True) == Rows(PLAIN, b" ")
    assert rows_in(PLAIN + PLAIN, True) == Rows(b"alice@x.example\tx\nbob@x.example\tx\n")


def test_keys_of_one_value_are_a_mapping() -> None:
    mapping = SameValue(["b", "a"], "x")
    assert (list(mapping), len(mapping), dict(mapping)) == (["b", "a"], 2, {"b": "x", "a": "x"})
    assert "c" not in mapping
    with pytest.raises(KeyError):
        mapping["c"]


@pytest.mark.parametrize("table_type", ["hash", "regexp"])
@pytest.mark.parametrize("text", [b"# new\n/b/ two\n/c/  x\n", b"", b"/a/ x\n/b/ x\n"])
def test_text_takes_the_place_of_the_source_to_the_byte(table_type: str, text: bytes) -> None:
    found = edit(b"# old\n/a/ x\n/b/ x\n", table_type, Edits({"/never/": "x"}, text=text), True)
    new = {b"": {}, b"/a/ x\n/b/ x\n": {"/a/": "x", "/b/": "x"}}.get(text, {"/b/": "two", "/c/": "x"})
    assert (found.content, found.changed) == (text, True)
    assert (found.old_total, found.total) == (2, len(new))
    assert sorted(found.added) == sorted(set(new) - {"/a/", "/b/"})
    assert sorted(found.removed) == sorted({"/a/", "/b/"} - set(new))
    assert found.updated == [key for key in new if key == "/b/" and new[key] != "x"]
    assert found.rows_after().count == len(new)


def test_source_that_is_right_to_the_byte_stays() -> None:
    assert edit(b"a x\n", "hash", Edits(text=b"a x\n"), True).changed is False


@pytest.mark.parametrize(
    ("data", "mapping"),
    [
        (b"# c\na@x.example x\nb@x.example x\n", {"a@x.example": "x", "b@x.example": "x"}),
        (b"a x\na x\n", {"a": "x"}),
        (b"A one\na two\n", {"a": "one"}),
        (b"", {}),
    ],
)
def test_mapping_is_what_postfix_reads_in_whatever_form(data: bytes, mapping: dict[str, str]) -> None:
    assert mapping_of(data, "hash", True) == mapping == Table.parse(data).mapping(True)


def test_new_patterns_stay_in_the_order_given_in_a_source_as_plain_as_any() -> None:
    change = edit(b"/b/ one\n", "regexp", Edits(set={"/d/": "x", "/c/": "x"}), False)
    assert change.content == b"/b/ one\n/d/ x\n/c/ x\n"


def test_mapping_of_patterns_has_their_white_space() -> None:
    assert mapping_of(b"/a b/ one\n", "regexp", False) == {"/a b/": "one"}
    assert mapping_of(b"/a/ one\n/a/ two\n", "pcre", False) == {"/a/": "one"}


def test_old_and_new_values_are_of_what_changes_alone() -> None:
    change = edit(b"a one\nb two\nc three\n", "hash", Edits(set={"a": "1", "d": "4"}, remove=["b"]), False)
    assert change.old == {"a": "one", "b": "two"}
    assert change.new == {"a": "1", "d": "4"}
