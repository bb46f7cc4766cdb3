# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_access import SqlAccess
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import postgresql_rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postgresql_rows import postgresql_column
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.certificates import Authority

UNTRUSTED = 'connection to server at "localhost" failed: SSL error: certificate verify failed'


class Error(Exception):
    """As psycopg2 has it."""

    def __init__(self, said: str, pgcode: str | None = None) -> None:
        super().__init__(said)
        self.pgcode = pgcode
        self.diag = SimpleNamespace(message_primary=said)


class FakePsycopg2:
    """The part of psycopg2 that is used, with the rows that it is to find: module, connection and cursor in one."""

    Error = Error

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.calls: list[Any] = []
        self.rows: list[tuple[Any, ...]] = []
        self.unreached: Exception | None = None
        self.failure: Exception | None = None
        self.itersize = 2000
        self.release = 130000
        self.extensions = SimpleNamespace(libpq_version=lambda: self.release)

    def connect(self, **settings: Any) -> FakePsycopg2:
        self.settings = settings
        if self.unreached:
            raise self.unreached
        return self

    def set_session(self, **options: Any) -> None:
        self.calls.append(options)

    def set_client_encoding(self, encoding: str) -> None:
        self.calls.append(encoding)

    def cursor(self, name: str) -> FakePsycopg2:
        self.calls.append(f"cursor {name}")
        return self

    def __enter__(self) -> FakePsycopg2:
        return self

    def __exit__(self, *_what: object) -> None:
        self.calls.append("close cursor")

    def execute(self, query: str) -> None:
        self.calls.append(query)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        yield from self.rows
        if self.failure:
            raise self.failure

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture(name="psycopg2")
def _psycopg2(monkeypatch: pytest.MonkeyPatch) -> FakePsycopg2:
    fake = FakePsycopg2()
    monkeypatch.setitem(sys.modules, "psycopg2", fake)
    return fake


def problem(access: SqlAccess) -> str:
    with pytest.raises(SourceError) as caught:
        list(postgresql_column(access, "SELECT 1"))
    assert caught.value.message.startswith(f"{access.place}: ")
    return caught.value.message[len(access.place) + 2 :]


def test_first_column_is_fetched_by_a_cursor_of_the_server(psycopg2: FakePsycopg2) -> None:
    psycopg2.rows = [("a@x.example", 1), (None, 2)]
    access = SqlAccess("postgresql", "mail", "localhost", user="reader", password="secret", seconds=9)
    assert list(postgresql_column(access, "SELECT address FROM alias")) == ["a@x.example", None]
    assert psycopg2.calls == [
        {"isolation_level": "REPEATABLE READ", "readonly": True},
        "UTF8",
        "cursor mxrelay",
        "SELECT address FROM alias",
        "close cursor",
        "close",
    ]
    assert psycopg2.itersize == 10000
    assert psycopg2.settings == {
        "host": "localhost",
        "user": "reader",
        "password": "secret",
        "dbname": "mail",
        "connect_timeout": 9,
        "options": "-c statement_timeout=9000",
        "application_name": "mxrelay",
        "sslmode": "prefer",
    }


@pytest.mark.parametrize(
    ("release", "other_way"), [(110005, {}), (120000, {"gssencmode": "disable"}), (170000, {"gssencmode": "disable"})]
)
def test_server_elsewhere_has_to_show_a_certificate(
    psycopg2: FakePsycopg2, tmp_path: Path, release: int, other_way: dict[str, str]
) -> None:
    psycopg2.release = release
    ca_file = str(Authority(tmp_path).file)
    assert (
        list(postgresql_column(SqlAccess("postgresql", "mail", "db.example", 5433, ca_file=ca_file), "SELECT 1")) == []
    )
    assert psycopg2.settings == {
        "host": "db.example",
        "port": 5433,
        "dbname": "mail",
        "connect_timeout": 60,
        "options": "-c statement_timeout=60000",
        "application_name": "mxrelay",
        "sslmode": "verify-full",
        "sslrootcert": ca_file,
        **other_way,
    }


def test_socket_of_this_host_is_found(psycopg2: FakePsycopg2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = []
    for place in (str(tmp_path), "/gone"):
        monkeypatch.setattr(postgresql_rows, "SOCKETS", place)
        assert list(postgresql_column(SqlAccess("postgresql", "mail"), "SELECT 1")) == []
        hosts.append(psycopg2.settings.get("host"))
    assert hosts == [str(tmp_path), None]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('FATAL:  password authentication failed for user "r"', "it does not take user and password; correct them"),
        ("Connection refused", "nothing listens there; correct the address or the port, or start the server"),
        ("server does not support SSL, but SSL was required", "it offers no TLS; set ssl = on in its postgresql.conf"),
        (
            'server certificate for "a" does not match host name "b"',
            "its certificate is for another name; ask it by a name of its certificate",
        ),
    ],
)
def test_what_keeps_from_the_database_is_told(psycopg2: FakePsycopg2, said: str, why: str) -> None:
    psycopg2.unreached = Error(said)
    assert problem(SqlAccess("postgresql", "mail", "localhost")) == why


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (Error("SSL SYSCALL error: EOF detected"), "the connection broke; look at the log of the server"),
        (Error("a@x.example is odd", "22P02"), "the query failed with SQLSTATE 22P02; look at its log"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "it has text that is not UTF-8; correct it"),
    ],
)
def test_failure_amid_the_rows_is_told_of(psycopg2: FakePsycopg2, failure: Exception, why: str) -> None:
    psycopg2.rows, psycopg2.failure = [("a@x.example",)], failure
    assert problem(SqlAccess("postgresql", "mail", "localhost")) == why
    assert psycopg2.calls[-1] == "close"


@pytest.mark.parametrize(
    ("age", "why"),
    [
        (30, "its certificate has expired; have it renewed"),
        (0, "its certificate does not hold; look at it with openssl s_client"),
    ],
)
def test_why_a_certificate_is_not_believed_is_found_out(
    psycopg2: FakePsycopg2, tmp_path: Path, age: int, why: str
) -> None:
    authority = Authority(tmp_path)
    settings = authority.settings("localhost", timedelta(days=age))
    psycopg2.unreached = Error(UNTRUSTED)
    heard = []
    with socket.create_server(("localhost", 0)) as listener:

        def serve() -> None:
            link, _address = listener.accept()
            with link, suppress(OSError):
                heard.append(link.recv(8))
                link.sendall(b"S")
                settings.wrap_socket(link, server_side=True)

        server = threading.Thread(target=serve)
        server.start()
        port = listener.getsockname()[1]
        assert problem(SqlAccess("postgresql", "mail", "localhost", port, ca_file=str(authority.file))) == why
        server.join()
    assert heard == [bytes.fromhex("0000000804d2162f")]
