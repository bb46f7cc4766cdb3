# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_errors import (
    why_mysql,
    why_postgresql,
    why_sqlite,
)

NOT_LET_IN = "it does not take user and password; correct them"


@pytest.mark.parametrize(
    ("sqlstate", "said", "why"),
    [
        ("28P01", 'password authentication failed for user "r"', NOT_LET_IN),
        ("", 'FATAL:  password authentication failed for user "r"', NOT_LET_IN),
        (
            "",
            "FATAL:  Peer authentication failed",
            "it wants the system's user of the same name; give server: localhost ",
        ),
        ("", 'FATAL:  database "x" does not exist', "it is not there, or has no such user; correct database and user"),
        (
            "42P01",
            'relation "x" does not exist',
            'it does not have what the query names (relation "x" does not exist); ',
        ),
        ("22P02", 'invalid input syntax: "a@x.example"', "the query failed with SQLSTATE 22P02; look at its log"),
        (
            "25006",
            "cannot execute DELETE in a read-only transaction",
            "the query would write; give one that only reads",
        ),
    ],
)
def test_postgresql_is_understood(sqlstate: str, said: str, why: str) -> None:
    assert why_postgresql(sqlstate, said).startswith(why)


def test_trouble_of_the_connection_is_none_of_what_was_asked() -> None:
    assert why_postgresql("", "connection refused") == ""
    assert why_mysql(2003, "Can't connect to MySQL server") == ""
    assert why_mysql(0, "") == ""


@pytest.mark.parametrize(
    ("number", "said", "why"),
    [
        (1045, "Access denied for user 'r'@'h' (using password: YES)", NOT_LET_IN),
        (
            1146,
            "Table 'm.x' doesn't exist",
            "it does not have what the query names (Table 'm.x' doesn't exist); correct",
        ),
        (
            1064,
            "You have an error in your SQL syntax near 'a@x.example'",
            "it does not understand the query; correct it",
        ),
        (1366, "Incorrect value: 'a@x.example'", "the query failed with error 1366; look at its log"),
    ],
)
def test_mysql_is_understood(number: int, said: str, why: str) -> None:
    assert why_mysql(number, said).startswith(why)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("no such table: x", "it does not have what the query names (no such table: x); correct the query"),
        ("Could not decode to UTF-8 column 'a' with text 'b@x'", "it has text that is not UTF-8; correct it"),
        ("integer overflow of a@x.example", "the query failed; try it with sqlite3"),
    ],
)
def test_sqlite_is_understood(said: str, why: str) -> None:
    assert why_sqlite(said) == why
