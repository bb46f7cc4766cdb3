# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks PostgreSQL, through python3-psycopg2, in a transaction that only reads."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from types import ModuleType
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import PSYCOPG2
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.network_errors import why_unreached
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_access import SqlAccess
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_errors import why_postgresql
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.checked_tls import (
    certificates_file,
    checked_certificates,
    why_no_tls,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.libraries import library

PORT = 5432
_BEGIN_TLS = struct.pack(">ii", 8, 80877103)
# Where it listens on this host. libpq's own default depends on who built it.
SOCKETS = "/run/postgresql"
# libpq knows of that from this release on.
WITH_GSSAPI = 120000
# So many rows are fetched at once.
ROWS = 10000


def postgresql_column(access: SqlAccess, query: str) -> Iterator[object]:
    """The first column of what the query finds, fetched piece by piece. Raises SourceError."""
    psycopg2 = library(PSYCOPG2)
    try:
        with closing(psycopg2.connect(**_settings(psycopg2, access))) as connection:
            connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
            connection.set_client_encoding("UTF8")
            with connection.cursor(name="mxrelay") as cursor:
                cursor.itersize = ROWS
                cursor.execute(query)
                for row in cursor:
                    yield row[0]
    except psycopg2.Error as error:
        raise SourceError(f"{access.place}: {_why(error, access)}") from None
    except UnicodeError:
        raise SourceError(f"{access.place}: it has text that is not UTF-8; correct it") from None


def _settings(psycopg2: ModuleType, access: SqlAccess) -> dict[str, Any]:
    """What libpq is told. Other things, such as a password in .pgpass, it finds as it always does."""
    server = access.server or (SOCKETS if os.path.isdir(SOCKETS) else "")
    given = {"host": server, "port": access.port, "user": access.user, "password": access.password}
    return {
        **{name: value for name, value in given.items() if value},
        "dbname": access.database,
        "connect_timeout": access.seconds,
        "options": f"-c statement_timeout={access.seconds * 1000}",
        "application_name": "mxrelay",
        **_tls(psycopg2, access),
    }


def _tls(psycopg2: ModuleType, access: SqlAccess) -> dict[str, str]:
    if not access.demands_tls:
        return {"sslmode": "prefer"}
    # What GSSAPI encrypts would need no certificate.
    no_other_way = {"gssencmode": "disable"} if psycopg2.extensions.libpq_version() >= WITH_GSSAPI else {}
    return {"sslmode": "verify-full", "sslrootcert": certificates_file(access.ca_file), **no_other_way}


def _why(error: Any, access: SqlAccess) -> str:
    if error.pgcode:
        return why_postgresql(error.pgcode, error.diag.message_primary or "")
    said = str(error)
    if "certificate verify failed" in said:
        said = _said_of_certificate(access) or said
    return why_no_tls(said) or why_postgresql("", said) or why_unreached(said)


def _said_of_certificate(access: SqlAccess) -> str:
    """Why its certificate is not believed, which libpq keeps to itself. See "SSL Session Encryption" in the manual."""
    try:
        with socket.create_connection((access.server, access.port or PORT), access.seconds) as link:
            link.sendall(_BEGIN_TLS)
            link.recv(1)
            checked_certificates(access.ca_file).wrap_socket(link, server_hostname=access.server).close()
    except OSError as error:
        return str(error)
    return ""
