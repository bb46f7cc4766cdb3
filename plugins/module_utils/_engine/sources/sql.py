# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a source of type sql: what a query finds in a database. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.addresses import reading_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.bounds import bounded
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import SQLITE
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_access import SqlAccess
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.mysql_rows import mysql_column
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postgresql_rows import postgresql_column
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.sqlite_rows import sqlite_column
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.time_limit import within

# The first column of what a query finds. Raises SourceError.
Column = Callable[[SqlAccess, str], Iterator[object]]
COLUMNS: Mapping[str, Column] = {SQLITE: sqlite_column, "postgresql": postgresql_column, "mysql": mysql_column}


def read_sql(definition: Mapping[str, Any], columns: Mapping[str, Column] | None = None) -> Reading:
    """What the query finds. Raises SourceError, also if it finds only a part."""
    access = SqlAccess(
        engine=definition["engine"],
        database=definition["database"],
        server=definition.get("server") or "",
        port=definition.get("port") or 0,
        user=definition.get("user") or "",
        password=definition.get("password") or "",
        ca_file=definition.get("ca_file") or "",
        seconds=definition["timeout"],
    )

    def read() -> Reading:
        texts = _texts((columns or COLUMNS)[access.engine](access, definition["query"]), access.place)
        return reading_of(bounded(texts, access.place), definition["skip_invalid"], definition["default_domain"])

    return within(access.seconds, read, f"{access.place} was not read within {access.seconds} s; raise timeout")


def _texts(values: Iterator[object], place: str) -> Iterator[str]:
    """The values that are not null. Raises SourceError for what is no text."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif value is not None:
            raise SourceError(f"{place}: the first column of the query is not text; have it select the address first")
