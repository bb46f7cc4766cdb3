# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.pattern_table import (
    PatternTable,
    checked_pattern,
    split_pattern,
)


def pairs(data: bytes, table_type: str) -> list[tuple[str, str]]:
    return [(entry.key, entry.value) for entry in PatternTable.parse(data, table_type).entries]


@pytest.mark.parametrize(
    ("data", "table_type", "expected"),
    [
        (b"/^a b/i REJECT no\n", "regexp", [("/^a b/i", "REJECT no")]),
        (b"/a\\/ b/ X\n", "pcre", [("/a\\/ b/", "X")]),
        (b"!/a/ X\n", "pcre", [("!/a/", "X")]),
        (b"! /a b/ X\n", "pcre", [("! /a b/", "X")]),
        (b"m{x X\n", "pcre", [("m{x X", "")]),
        (b"if /a/\n/b/ X\nendif\n", "pcre", [("/b/", "X")]),
        (b"IF !/a/\n/b/ X\nENDIF\n", "regexp", [("/b/", "X")]),
        (b"192.0.2.0/24 OK\n2001:db8::/32\tREJECT\n", "cidr", [("192.0.2.0/24", "OK"), ("2001:db8::/32", "REJECT")]),
        (b"/a/\n  X\n", "regexp", [("/a/", "X")]),
        (b"!\n", "regexp", [("!", "")]),
    ],
)
def test_patterns_and_results(data: bytes, table_type: str, expected: list[tuple[str, str]]) -> None:
    assert pairs(data, table_type) == expected
    assert PatternTable.parse(data, table_type).render() == data


def test_line_that_joins_the_one_before_a_comment_is_told() -> None:
    assert PatternTable.parse(b"/a/ x\n# c\n /b/ y\n", "regexp").warnings == [
        "line 1: is continued after a comment or a blank line by a line that starts with white space; "
        "remove that white space if it is an entry of its own"
    ]
    assert PatternTable.parse(b"/a/ x\n# c\n/b/ y\n", "regexp").warnings == []


def test_patterns_are_not_folded_and_the_first_counts() -> None:
    table = PatternTable.parse(b"/A/ x\n/a/ y\n/A/ z\n", "regexp")
    assert table.mapping(True) == {"/A/": "x", "/a/": "y"}


def test_new_patterns_follow_in_the_order_given() -> None:
    table = PatternTable.parse(b"# kept\n/m/ 1", "regexp")
    assert table.edited({"/z/": "2", "/a/": "3"}, []).render() == b"# kept\n/m/ 1\n/z/ 2\n/a/ 3\n"


def test_patterns_in_the_order_given_stay_in_place() -> None:
    data = b"/z/ 1\n# between\n/other/ 2\n/a/ 3\n"
    table = PatternTable.parse(data, "regexp")
    assert table.edited({"/z/": "1", "/a/": "3"}, []) is table
    assert table.edited({"/z/": "1", "/a/": "4"}, []).render() == b"/z/ 1\n# between\n/other/ 2\n/a/ 4\n"


def test_patterns_in_another_order_move_to_the_end() -> None:
    table = PatternTable.parse(b"192.0.2.0/24 OK\n10.0.0.1 OK\n192.0.2.7 NO\n", "cidr")
    edited = table.edited({"192.0.2.7": "NO", "192.0.2.0/24": "OK"}, [])
    assert edited.render() == b"10.0.0.1 OK\n192.0.2.7 NO\n192.0.2.0/24 OK\n"


def test_removed_patterns_and_repeated_ones_go() -> None:
    table = PatternTable.parse(b"/a/ 1\n/b/ 2\n/a/ 3\n", "regexp")
    assert table.edited({"/a/": "1"}, ["/b/"]).render() == b"/a/ 1\n"


@pytest.mark.parametrize(
    ("key", "table_type"), [("/a", "regexp"), ("if /a/", "pcre"), ("192.0.2.0 /24", "cidr"), ("#a#", "regexp")]
)
def test_pattern_that_would_not_read_back_is_refused(key: str, table_type: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_pattern(key, "x", table_type, "entries[1].key")
    assert caught.value.message == (
        f'"{key}" (entries[1].key) would not be read back as a pattern of type {table_type}; '
        "write it with its delimiters, such as /^user@/, without white space outside of them"
    )


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("// x", "//", "x"),
        ("! x", "! x", ""),
        (r"/a\// x", r"/a\//", "x"),
        (r"/a\/ b/ x", r"/a\/ b/", "x"),
        (r"/a\\/ x", r"/a\\/", "x"),
        ("!", "!", ""),
    ],
)
def test_pattern_ends_at_its_delimiter(line: str, key: str, value: str) -> None:
    assert split_pattern(line, True) == (key, value)


def test_pattern_that_is_in_place_stays_when_others_are_new() -> None:
    table = PatternTable.parse(b"/a/ 1\n/z/ 0\n", "regexp").edited({"/a/": "1", "/b/": "2"}, [])
    assert table.render() == b"/a/ 1\n/z/ 0\n/b/ 2\n"


def test_entries_have_the_number_of_their_line() -> None:
    table = PatternTable.parse(b"# c\n/a/ 1\n/b/\n 2\n/c/ 3\n", "regexp")
    assert [(entry.key, entry.line) for entry in table.entries] == [("/a/", 2), ("/b/", 3), ("/c/", 5)]


def test_pattern_that_is_there_twice_is_no_duplicate() -> None:
    assert PatternTable.parse(b"/a/ 1\n/a/ 2\n", "pcre").duplicates(True) == []


def test_new_result_takes_the_place_of_all_lines_of_the_old_one() -> None:
    table = PatternTable.parse(b"/a/\n 1\n 2\n/b/ 3\n", "regexp").edited({"/a/": "4"}, [])
    assert table.render() == b"/a/ 4\n/b/ 3\n"


@pytest.mark.parametrize(
    ("table_type", "line", "key"), [("regexp", b"/a b/ OK\n", "/c d/"), ("cidr", b"192.0.2.0/24 OK\n", "2001:db8::/32")]
)
def test_edited_table_is_of_the_same_type(table_type: str, line: bytes, key: str) -> None:
    table = PatternTable.parse(line, table_type).edited({key: "REJECT"}, [])
    old = line.rpartition(b" ")[0].decode()
    assert [(entry.key, entry.value) for entry in table.entries] == [(old, "OK"), (key, "REJECT")]


@pytest.mark.parametrize(("key", "table_type"), [("/a b/i", "regexp"), ("!/a/", "pcre"), ("192.0.2.0/24", "cidr")])
def test_pattern_that_reads_back_is_taken(key: str, table_type: str) -> None:
    checked_pattern(key, "REJECT no", table_type, "entries[0].key")
