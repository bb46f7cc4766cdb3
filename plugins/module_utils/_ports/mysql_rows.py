# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks MySQL and MariaDB, through python3-pymysql, in a transaction that only reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import PYMYSQL
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.network_errors import why_unreached
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_access import SqlAccess
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_errors import why_mysql
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.checked_tls import (
    checked_certificates,
    why_no_tls,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.libraries import library

PORT = 3306
# Where it listens on this host: on Debian, Fedora, and as its authors have it.
SOCKETS = ("/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock")
_BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"


def mysql_column(access: SqlAccess, query: str) -> Iterator[object]:
    """The first column of what the query finds, which the server hands over row by row. Raises SourceError."""
    pymysql = library(PYMYSQL)
    connection = pymysql.connections.Connection(**_settings(pymysql, access))
    if access.demands_tls:
        _demand_tls(pymysql, connection, access)
    try:
        connection.connect()
        connection.query(_BEGIN)
        cursor = connection.cursor()
        cursor.execute(query)
        for row in cursor:
            yield row[0]
    except pymysql.Error as error:
        raise SourceError(f"{access.place}: {_why(error)}") from None
    except UnicodeError:
        raise SourceError(f"{access.place}: it has text that is not UTF-8; correct it") from None
    except OSError as error:
        raise SourceError(f"{access.place}: {why_no_tls(str(error)) or why_unreached(str(error))}") from None
    finally:
        _leave(connection)


def _leave(connection: Any) -> None:
    """Closes the connection, and has what is left of a result be forgotten, which would else be read to its end."""
    if connection.open:
        connection.close()
    if connection._result is not None:
        connection._result.unbuffered_active = False


def _settings(pymysql: ModuleType, access: SqlAccess) -> dict[str, Any]:
    where: dict[str, Any] = {"host": access.server, "port": access.port or PORT}
    if access.by_socket:
        where = {"unix_socket": access.server or next(filter(os.path.exists, SOCKETS), SOCKETS[0])}
    tls = {"ssl": checked_certificates(access.ca_file)} if access.demands_tls else {}
    return {
        **where,
        **tls,
        "user": access.user or None,
        "password": access.password,
        "database": access.database,
        "charset": "utf8mb4",
        "connect_timeout": access.seconds,
        "read_timeout": access.seconds,
        "write_timeout": access.seconds,
        "cursorclass": pymysql.cursors.SSCursor,
        "defer_connect": True,
    }


def _demand_tls(pymysql: ModuleType, connection: Any, access: SqlAccess) -> None:
    """Has the connection end before anything is said of the user if the server offers no TLS.

    PyMySQL before 1.2 goes on without TLS then, although it was given settings for it.
    """
    authenticate = connection._request_authentication

    def checked() -> None:
        if not connection.server_capabilities & pymysql.constants.CLIENT.SSL:
            raise SourceError(f"{access.place}: it offers no TLS; give it a certificate by ssl_cert and ssl_key")
        authenticate()

    connection._request_authentication = checked


def _why(error: Any) -> str:
    number, said = (*error.args, "", "")[:2]
    of_server = why_mysql(number if isinstance(number, int) else 0, str(said))
    return of_server or why_no_tls(str(said)) or why_unreached(str(said))
