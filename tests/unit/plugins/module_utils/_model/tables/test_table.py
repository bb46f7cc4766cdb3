# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import (
    Edits,
    Table,
    checked_entry,
    fold,
)

COMMENTED = b"""# first
bob@x.example x

# about alice
alice@x.example   x
Carol@x.example\tOK
"""


def pairs(data: bytes) -> list[tuple[str, str]]:
    return [(entry.key, entry.value) for entry in Table.parse(data).entries]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a x", [("a", "x")]),
        (b"a x\r\nb y\r\n", [("a", "x"), ("b", "y")]),
        (b"a\tx y  z \n", [("a", "x y  z")]),
        (b"a x\n  y\n", [("a", "x  y")]),
        (b"a x\n# comment\n\n  y\n", [("a", "x  y")]),
        (b"a\n x\n", [("a", "x")]),
        (b"  lost x\n  lost too\na x\n", [("a", "x")]),
        (b"   # a comment\na x\n", [("a", "x")]),
        (b"keyonly\na x\n", [("a", "x")]),
        (b'"a b"@x y\n', [('"a b"@x', "y")]),
        (b'"a b@x y\nc z\n', [("c", "z")]),
        (b"a\\ b y\n", [("a\\ b", "y")]),
        (b'a "x\n', [("a", '"x')]),
        (b'a x "y\n', [("a", 'x "y')]),
        (b"a x\0y\nb z\n", [("a", "x"), ("b", "z")]),
        (b"\xef\xbb\xbfa x\n", [("\ufeffa", "x")]),
        (b"a\x0bx\n", [("a", "x")]),
        (b"a x\n\n\nb y", [("a", "x"), ("b", "y")]),
    ],
)
def test_text_is_read_as_postmap_reads_it(data: bytes, expected: list[tuple[str, str]]) -> None:
    assert pairs(data) == expected


def test_what_postfix_drops_or_joins_is_reported_with_its_line() -> None:
    data = b'\xef\xbb\xbfa x\nkeyonly\n\nb y\n# c\n  joined z\n"q x\nc x\0y\n\xffd x\n'
    assert Table.parse(data).warnings == [
        "line 2: has a key without a value; Postfix ignores the entry",
        "line 4: is continued after a comment or a blank line by a line that starts with white space; "
        "remove that white space if it is an entry of its own",
        'line 7: has an unbalanced "; Postfix ignores the entry',
        "line 8: contains a NUL byte; Postfix ignores what follows it",
        "line 9: is not UTF-8; Postfix ignores the entry if smtputf8_enable is on",
        "line 1: a byte order mark is part of the first key; save the file without it",
    ]
    assert Table.parse(b"  a x\n").warnings == ["line 1: white space before the first entry; Postfix ignores the line"]


@pytest.mark.parametrize("data", [b"", b"a x", b"\n\n", COMMENTED, b"\xff\0 x\r\n  y", b"  x\n#\n"])
def test_unedited_text_is_kept_to_the_byte(data: bytes) -> None:
    table = Table.parse(data)
    assert table.render() == data
    assert table.edited({}, []) is table


def test_first_of_equal_keys_counts_and_keys_are_folded() -> None:
    table = Table.parse("A x\na y\nÄ@x z\nä@X w\n".encode())
    assert table.mapping(utf8=True) == {"a": "x", "ä@x": "z"}
    assert table.mapping(utf8=False) == {"a": "x", "Ä@x": "z", "ä@x": "w"}


def test_not_utf8_is_dropped_only_where_smtputf8_is_on() -> None:
    table = Table.parse(b"\xff x\na \xff\nb y\n")
    assert table.mapping(utf8=True) == {"b": "y"}
    assert sorted(table.mapping(utf8=False)) == ["a", "b", "\udcff"]


def test_fold_is_unicode_only_where_smtputf8_is_on() -> None:
    assert fold("ÄSSß", True) == "ässss"
    assert fold("ÄSSß", False) == "Ässß"


def test_edit_keeps_places_comments_and_foreign_entries() -> None:
    table = Table.parse(COMMENTED)
    edited = table.edited({"ALICE@x.example": "OK", "dora@x.example": "x"}, ["bob@X.example"])
    assert edited.render() == (b"# first\n\n# about alice\nalice@x.example OK\nCarol@x.example\tOK\ndora@x.example x\n")


def test_entry_that_is_right_in_other_case_is_left_alone() -> None:
    table = Table.parse(COMMENTED)
    assert table.edited({"carol@x.example": "OK"}, ["nobody@x.example"]) is table


def test_removed_entry_takes_its_continuation_but_not_the_comments_inside() -> None:
    table = Table.parse(b"a x\n# kept\n  y\nb z\n")
    assert table.edited({}, ["a"]).render() == b"# kept\nb z\n"
    assert table.edited({"a": "new"}, []).render() == b"a new\n# kept\nb z\n"


def test_managed_duplicates_are_reduced_to_the_first() -> None:
    table = Table.parse(b"a x\nb y\nA z\nb w\n")
    assert table.edited({"a": "x"}, []).render() == b"a x\nb y\nb w\n"
    assert table.edited({}, ["a"]).render() == b"b y\nb w\n"


def test_missing_final_newline_is_added_before_new_entries_only() -> None:
    assert Table.parse(b"a x").edited({"b": "y"}, []).render() == b"a x\nb y\n"
    assert Table.parse(b"a x\nb y").edited({}, ["a"]).render() == b"b y"


def test_new_entries_are_sorted() -> None:
    assert Table.parse(b"").edited({"b": "1", "a": "2"}, []).render() == b"a 2\nb 1\n"


def test_set_wins_over_remove() -> None:
    assert Table.parse(b"a x\n").edited({"A": "y"}, ["a"]).render() == b"a y\n"


def test_unicode_keys_are_one_key_only_where_smtputf8_is_on() -> None:
    table = Table.parse("Ä@x y\n".encode())
    assert table.edited({"ä@x": "y"}, [], utf8=True) is table
    assert len(table.edited({"ä@x": "y"}, [], utf8=False).entries) == 2


def test_owned_domain_loses_every_other_entry() -> None:
    table = Table.parse(b"a@X.example x\n@x.example x\nb@x.example x\na@y.example x\nx.example y\n")
    edits = Edits(set={"b@x.example": "x"}, owned=["x.example"])
    assert edits.removals(table, utf8=True) == ["a@X.example", "@x.example"]


SEVERAL = b"a@x.example x\n@x.example x\na@sub.x.example x\na@deep.sub.x.example x\na@y.example x\nkey x\n"


@pytest.mark.parametrize(
    ("edits", "gone"),
    [
        (Edits(owned=["x.example", ".x.example"]), SEVERAL.split()[0:8:2]),
        (
            Edits(owned=["x.example", ".x.example"], kept=["sub.x.example"]),
            [b"a@x.example", b"@x.example", b"a@deep.sub.x.example"],
        ),
        (
            Edits(owned=["x.example", ".x.example"], kept=["sub.x.example", ".sub.x.example"]),
            [b"a@x.example", b"@x.example"],
        ),
        (Edits(owned=["sub.x.example"], kept=["x.example", ".x.example"]), [b"a@sub.x.example"]),
        (Edits(kept=["x.example"], purge=True), [b"a@sub.x.example", b"a@deep.sub.x.example", b"a@y.example", b"key"]),
        (
            Edits(kept=["x.example", ".x.example"], owned=["sub.x.example"], purge=True),
            [b"a@sub.x.example", b"a@y.example", b"key"],
        ),
        (Edits(kept=["X.example", ".x.EXAMPLE"], purge=True), [b"a@y.example", b"key"]),
    ],
)
def test_kept_domain_loses_nothing(edits: Edits, gone: list[bytes]) -> None:
    assert edits.removals(Table.parse(SEVERAL), utf8=True) == [key.decode() for key in gone]


def test_owned_domains_can_be_kept_after_all() -> None:
    edits = Edits(
        set={"a@x.example": "x", "B@Sub.x.example": "x", "a@y.example": "x"},
        owned=("x.example", ".x.example", "y.example"),
        kept=("z.example",),
    )
    kept = edits.keeping(["x.example", ".x.example"], utf8=True)
    assert (dict(kept.set), kept.owned) == ({"a@y.example": "x"}, ("y.example",))
    assert kept.kept == ("z.example", "x.example", ".x.example")


def test_purge_removes_what_is_not_declared() -> None:
    table = Table.parse(b"a x\nb x\nC x\n")
    assert Edits(set={"c": "x"}, purge=True).removals(table, utf8=True) == ["a", "b"]
    assert Edits(set={"c": "x"}, remove=["A", "C"]).removals(table, utf8=True) == ["a"]


@pytest.mark.parametrize("key", ["a b", "#a", '"a', "a\\", " a", '"a b" c'])
def test_key_that_would_not_read_back_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_entry(key, "x", "entries[0].key")
    assert caught.value.message == (
        f'"{key}" (entries[0].key) would not be read back by postmap as this key with this value; '
        "quote white space in the key, balance its quotes, don't start it with # and don't end it with a backslash"
    )


@pytest.mark.parametrize("key", ["a", '"a b"@x', "a\\ b", "*", "[mail.x.example]:587", '"#a"'])
def test_key_that_reads_back_is_taken(key: str) -> None:
    checked_entry(key, "x y", "entries[0].key")
