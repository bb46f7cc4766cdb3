# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_access import SqlAccess
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.sqlite_rows import sqlite_column


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    """A database whose name means something in a URI."""
    path = tmp_path / "mail?mode=rw#1%41.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE alias (address, active)")
        rows = [("a@x.example", 1), (None, 1), ("", 1), ("b@x.example", 0)]
        connection.executemany("INSERT INTO alias VALUES (?, ?)", rows)
        connection.execute("CREATE TABLE odd AS SELECT CAST(x'ff' AS TEXT) AS address")
    return path


def found(path: Path, query: str) -> list[object]:
    return list(sqlite_column(SqlAccess("sqlite", str(path), seconds=1), query))


def problem(path: Path, query: str) -> str:
    with pytest.raises(SourceError) as caught:
        found(path, query)
    place = f"sqlite database {path}: "
    assert caught.value.message.startswith(place)
    return caught.value.message[len(place) :]


def test_first_column_is_found(path: Path) -> None:
    assert found(path, "SELECT address, active FROM alias WHERE address LIKE 'a%' OR active") == [
        "a@x.example",
        None,
        "",
    ]


def test_nothing_is_written(path: Path) -> None:
    before = path.read_bytes()
    query = "WITH x AS (SELECT 1) INSERT INTO alias SELECT 'c@x.example', 1 FROM x"
    assert problem(path, query) == "the query would write; give one that only reads"
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (
            "SELECT address FROM gone",
            "it does not have what the query names (no such table: gone); correct the query",
        ),
        ("SELECT address FRO alias", "it does not understand the query; correct it"),
        ("SELECT 1; SELECT 2", "the query is more than one statement; give one"),
        ("SELECT address FROM odd", "it has text that is not UTF-8; correct it"),
    ],
)
def test_query_that_fails_is_told_of(path: Path, query: str, why: str) -> None:
    assert problem(path, query) == why


def test_warning_of_older_releases_of_python_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(*_what: object, **_how: object) -> None:
        raise sqlite3.Warning("You can only execute one statement at a time.")

    monkeypatch.setattr(sqlite3, "connect", warn)
    assert problem(path, "SELECT 1; SELECT 2") == "the query is more than one statement; give one"


def test_locked_database_is_waited_for_and_told_of(path: Path) -> None:
    begun = time.monotonic()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert problem(path, "SELECT address FROM alias") == (
            "another program has it locked; try again later, or raise timeout"
        )
    assert 1 <= time.monotonic() - begun < 4


def test_file_that_is_no_database_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert problem(path, "SELECT 1") == "there is no such file; correct database"
    path.write_text("alias" * 1000, encoding="utf-8")
    assert problem(path, "SELECT address FROM x") == "it is no database of SQLite; correct database"


def test_file_that_may_not_be_read_is_told_of(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode, effective_ids: not effective_ids)
    assert problem(path, "SELECT 1") == "this user may not read it; run as one who may (become: true)"
