# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.entries import (
    checked_value,
    edits,
    entry_rows,
    merged,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits


def test_equal_entries_are_merged_as_the_type_compares_them() -> None:
    entries = [{"key": "Spam.example", "value": "REJECT no"}, {"key": "spam.EXAMPLE", "value": "REJECT no"}]
    assert entry_rows(entries, "hash") == {"Spam.example": "REJECT no"}
    assert entry_rows([{"key": "a"}], "hash", with_values=False) == {"a": "x"}
    patterns = [{"key": "/a/", "value": "1"}, {"key": "/A/", "value": "2"}]
    assert entry_rows(patterns, "pcre") == {"/a/": "1", "/A/": "2"}


@pytest.mark.parametrize(
    ("entry", "table_type", "message"),
    [
        ({"value": "x"}, "hash", "entries[0].key is null; give a key"),
        ({"key": "a"}, "hash", "entries[0].value is null; give a value of at least one character"),
        ({"key": "a", "value": ""}, "hash", '"" (entries[0].value) is empty; give a value of at least one character'),
        ({"key": "a", "value": " x"}, "hash", '" x" (entries[0].value) has white space around it; remove it'),
        ({"key": "a\nb x", "value": "x"}, "hash", '"a\\nb x" (entries[0].key) contains a newline; remove it'),
        ({"key": "a", "value": "x\ny z"}, "hash", '"x\\ny z" (entries[0].value) contains a newline; remove it'),
    ],
)
def test_bad_entry_is_refused_with_its_place(entry: dict[str, Any], table_type: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        entry_rows([entry], table_type)
    assert caught.value.message == message


@pytest.mark.parametrize("table_type", ["hash", "regexp"])
def test_key_with_two_values_is_refused(table_type: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        entry_rows([{"key": "/a/", "value": "1"}, {"key": "/a/", "value": "2"}], table_type)
    assert caught.value.message == '"/a/" (entries[1].key) is given twice with different values; give it once'


def test_merged_rows_keep_the_first_spelling_of_a_key() -> None:
    rows = [("A@x.example", "x", "one"), ("b@x.example", "y", "two"), ("a@X.example", "x", "three")]
    assert merged(rows) == {"A@x.example": "x", "b@x.example": "y"}
    with pytest.raises(InvalidInput) as caught:
        merged([*rows, ("B@x.example", "x", "entries[3]")])
    assert caught.value.message == '"B@x.example" (entries[3]) is given twice with different values; give it once'


def test_error_does_not_show_a_secret_value() -> None:
    assert checked_value("relay:sesame", "entries[0].value", secret=True) == "relay:sesame"
    with pytest.raises(InvalidInput) as caught:
        checked_value(" sesame", "entries[0].value", secret=True)
    assert caught.value.message == "the secret value (entries[0].value) has white space around it; remove it"
    assert caught.value.__suppress_context__


def test_edits_set_remove_or_purge() -> None:
    wanted = {"a": "x"}
    assert edits(wanted, "present", False) == Edits(set=wanted)
    assert edits(wanted, "present", True) == Edits(set=wanted, purge=True)
    assert edits(wanted, "absent", False) == Edits(remove=("a",))


@pytest.mark.parametrize(
    ("wanted", "state", "message"),
    [
        (
            {"a": "x"},
            "absent",
            "purge can't be used with state: absent; list the entries to keep with state: present",
        ),
        ({}, "present", "purge with an empty list of entries would empty the table; list the entries to keep"),
    ],
)
def test_purge_that_would_leave_nothing_is_refused(wanted: dict[str, str], state: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        edits(wanted, state, True)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("entry", "table_type", "message"),
    [
        (
            {"key": "#a", "value": "x"},
            "hash",
            '"#a" (entries[0].key) would not be read back by postmap as this key with this value; quote white space in '
            "the key, balance its quotes, don't start it with # and don't end it with a backslash",
        ),
        (
            {"key": "/a b", "value": "x"},
            "regexp",
            '"/a b" (entries[0].key) would not be read back as a pattern of type regexp; '
            "write it with its delimiters, such as /^user@/, without white space outside of them",
        ),
    ],
)
def test_entry_that_postfix_would_read_otherwise_is_refused(
    entry: dict[str, str], table_type: str, message: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        entry_rows([entry], table_type)
    assert caught.value.message == message


def test_international_keys_are_the_same_in_upper_and_lower_case() -> None:
    with pytest.raises(InvalidInput) as caught:
        merged([("Ä@x.example", "x", "entries[0]"), ("ä@x.example", "y", "entries[1]")])
    assert caught.value.message == '"ä@x.example" (entries[1]) is given twice with different values; give it once'


def test_error_shows_a_value_unless_it_is_said_to_be_secret() -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_value(" open", "entries[0].value")
    assert caught.value.message == '" open" (entries[0].value) has white space around it; remove it'
