# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a database of SQLite, opened for reading alone."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_access import SqlAccess
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_errors import why_sqlite


def sqlite_column(access: SqlAccess, query: str) -> Iterator[object]:
    """The first column of what the query finds. Raises SourceError."""
    # Not every Python has it.
    sqlite3 = importlib.import_module("sqlite3")
    _refuse_unreadable(access)
    try:
        uri = f"file:{quote(os.path.abspath(access.database))}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=access.seconds)) as connection:
            for row in connection.execute(query):
                yield row[0]
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise SourceError(f"{access.place}: {why_sqlite(str(error))}") from None


def _refuse_unreadable(access: SqlAccess) -> None:
    if not os.path.isfile(access.database):
        raise SourceError(f"{access.place}: there is no such file; correct database")
    if not os.access(access.database, os.R_OK, effective_ids=True):
        raise SourceError(f"{access.place}: this user may not read it; run as one who may (become: true)")
