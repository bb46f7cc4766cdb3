# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources import sql
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.sql import COLUMNS, read_sql
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.bounds import bounded
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import (
    ENGINES,
    source_definition,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_access import SqlAccess

DATABASE = {"type": "sql", "engine": "mysql", "database": "mail", "query": "SELECT email FROM mail_user"}


def reading(*values: object, **options: Any) -> Reading:
    """What is read where the query finds these values, and fails then if the last is an error."""

    def column(access: SqlAccess, query: str) -> Iterator[object]:
        assert (access.engine, query) == ("mysql", "SELECT email FROM mail_user")
        for value in values:
            if isinstance(value, Exception):
                raise value
            yield value

    return read_sql(source_definition({**DATABASE, **options}), {"mysql": column})


def problem(*values: object, **options: Any) -> str:
    with pytest.raises(SourceError) as caught:
        reading(*values, **options)
    return caught.value.message


def test_values_are_addresses() -> None:
    found = reading("A@x.example", None, "", "@y.example", "bob", "a@x.example", default_domain="x.example")
    assert found == Reading(("a@x.example", "bob@x.example"), frozenset({"y.example"}))


@pytest.mark.parametrize("value", [7, b"b@x.example", 1.5, ["b@x.example"]])
def test_value_that_is_no_text_fails(value: object) -> None:
    assert problem("a@x.example", value) == (
        "mysql database mail: the first column of the query is not text; have it select the address first"
    )


def test_part_of_the_rows_is_no_reading() -> None:
    assert problem("a@x.example", SourceError("it broke; look at it")) == "it broke; look at it"


def test_database_is_reached_as_declared() -> None:
    seen: list[SqlAccess] = []

    def column(access: SqlAccess, _query: str) -> Iterator[object]:
        seen.append(access)
        return iter(())

    given = {"server": "db.example", "port": 3307, "user": "r", "password": "secret", "ca_file": "/ca", "timeout": 9}
    read_sql(source_definition({**DATABASE, **given}), {"mysql": column})
    read_sql(source_definition(DATABASE), {"mysql": column})
    assert seen == [
        SqlAccess("mysql", "mail", "db.example", 3307, "r", "secret", "/ca", 9),
        SqlAccess("mysql", "mail", "", 0, "", "", "", 60),
    ]


def test_database_that_takes_too_long_is_given_up() -> None:
    never = threading.Event()

    def column(_access: SqlAccess, _query: str) -> Iterator[object]:
        never.wait()
        yield "a@x.example"

    with pytest.raises(SourceError) as caught:
        read_sql(source_definition({**DATABASE, "timeout": 1}), {"mysql": column})
    never.set()
    assert caught.value.message == "mysql database mail was not read within 1 s; raise timeout"


def test_every_engine_has_its_reader() -> None:
    assert set(COLUMNS) == set(ENGINES)


def test_file_of_sqlite_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mail.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE alias (address, active)")
        connection.executemany("INSERT INTO alias VALUES (?, ?)", [("a@x.example", 1), ("b@x.example", 0)])
    given = {"engine": "sqlite", "database": str(path), "query": "SELECT address FROM alias WHERE active"}
    assert read_sql(source_definition({**DATABASE, **given})) == Reading(("a@x.example",))


def test_query_that_finds_too_much_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "bounded", functools.partial(bounded, most=20))
    assert problem("a@x.example", "b@x.example") == (
        "mysql database mail says more than 20 bytes; narrow down what is asked for"
    )
