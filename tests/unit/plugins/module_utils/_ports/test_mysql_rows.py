# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ssl
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.sql_access import SqlAccess
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import mysql_rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.mysql_rows import mysql_column

TLS = 2048
BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"


class Error(Exception):
    """As PyMySQL has it."""


class FakePymysql:
    """The part of PyMySQL that is used, with the rows that it is to find: module, connection and cursor in one."""

    Error = Error
    constants = SimpleNamespace(CLIENT=SimpleNamespace(SSL=TLS))
    cursors = SimpleNamespace(SSCursor="SSCursor")

    def __init__(self) -> None:
        self.connections = SimpleNamespace(Connection=self._new)
        self.settings: dict[str, Any] = {}
        self.calls: list[str] = []
        self.rows: list[tuple[Any, ...]] = []
        self.unreached: Exception | None = None
        self.failure: Exception | None = None
        self.server_capabilities = TLS | 1
        self.open = False
        self._result: Any = None

    def _new(self, **settings: Any) -> FakePymysql:
        vars(self).pop("_request_authentication", None)
        self.settings = settings
        return self

    def connect(self) -> None:
        if self.unreached:
            raise self.unreached
        self._request_authentication()
        self.open = True

    def _request_authentication(self) -> None:
        self.calls.append("authenticate")

    def query(self, query: str) -> None:
        self.calls.append(query)

    def cursor(self) -> FakePymysql:
        return self

    def execute(self, query: str) -> None:
        self.calls.append(query)
        self._result = SimpleNamespace(unbuffered_active=True)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        yield from self.rows
        if self.failure:
            raise self.failure

    def close(self) -> None:
        self.calls.append("close")
        self.open = False


@pytest.fixture(name="pymysql")
def _pymysql(monkeypatch: pytest.MonkeyPatch) -> FakePymysql:
    fake = FakePymysql()
    monkeypatch.setitem(sys.modules, "pymysql", fake)
    return fake


def problem(access: SqlAccess) -> str:
    with pytest.raises(SourceError) as caught:
        list(mysql_column(access, "SELECT 1"))
    assert caught.value.message.startswith(f"{access.place}: ")
    return caught.value.message[len(access.place) + 2 :]


def test_first_column_is_handed_over_row_by_row(pymysql: FakePymysql) -> None:
    pymysql.rows = [("a@x.example", 1), (None, 2)]
    access = SqlAccess("mysql", "mail", "localhost", user="reader", password="secret", seconds=9)
    assert list(mysql_column(access, "SELECT email FROM mail_user")) == ["a@x.example", None]
    assert pymysql.calls == ["authenticate", BEGIN, "SELECT email FROM mail_user", "close"]
    assert pymysql.settings == {
        "host": "localhost",
        "port": 3306,
        "user": "reader",
        "password": "secret",
        "database": "mail",
        "charset": "utf8mb4",
        "connect_timeout": 9,
        "read_timeout": 9,
        "write_timeout": 9,
        "cursorclass": "SSCursor",
        "defer_connect": True,
    }


def test_socket_of_this_host_is_found(pymysql: FakePymysql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "mysql.sock"
    there.touch()
    sockets = []
    for server, places in (("", ("/gone", str(there))), ("", ("/gone", "/gone too")), ("/own", ())):
        monkeypatch.setattr(mysql_rows, "SOCKETS", places)
        assert list(mysql_column(SqlAccess("mysql", "mail", server), "SELECT 1")) == []
        sockets.append(pymysql.settings["unix_socket"])
    assert sockets == [str(there), "/gone", "/own"]
    assert "host" not in pymysql.settings


def test_server_elsewhere_has_to_show_a_certificate(pymysql: FakePymysql) -> None:
    assert list(mysql_column(SqlAccess("mysql", "mail", "db.example", 3307), "SELECT 1")) == []
    settings = pymysql.settings
    assert (settings["host"], settings["port"]) == ("db.example", 3307)
    assert (settings["ssl"].verify_mode, settings["ssl"].check_hostname) == (ssl.CERT_REQUIRED, True)
    assert pymysql.calls[0] == "authenticate"


def test_server_without_tls_is_told_nothing(pymysql: FakePymysql) -> None:
    pymysql.server_capabilities = 1
    assert problem(SqlAccess("mysql", "mail", "db.example")) == (
        "it offers no TLS; give it a certificate by ssl_cert and ssl_key"
    )
    assert pymysql.calls == []
    assert list(mysql_column(SqlAccess("mysql", "mail", "localhost"), "SELECT 1")) == []


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (Error(1045, "Access denied for user 'r'@'h'"), "it does not take user and password; correct them"),
        (
            Error(2003, "Can't connect to MySQL server on 'h' ([Errno 111] Connection refused)"),
            "nothing listens there; correct the address or the port, or start the server",
        ),
        (
            Error(2003, "Can't connect to MySQL server on 'h' (certificate has expired)"),
            "its certificate has expired; have it renewed",
        ),
        (OSError("timed out"), "it does not answer in time; look whether a firewall is in the way, or raise timeout"),
        (Error(), "the connection broke; look at the log of the server"),
    ],
)
def test_what_keeps_from_the_database_is_told(pymysql: FakePymysql, failure: Exception, why: str) -> None:
    pymysql.unreached = failure
    assert problem(SqlAccess("mysql", "mail", "localhost")) == why
    assert pymysql.calls == []


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (Error(2013, "Lost connection to MySQL server during query"), "the connection broke; look at the log of the "),
        (Error(1366, "Incorrect value: 'a@x.example'"), "the query failed with error 1366; look at its log"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "it has text that is not UTF-8; correct it"),
    ],
)
def test_failure_amid_the_rows_is_told_of(pymysql: FakePymysql, failure: Exception, why: str) -> None:
    pymysql.rows, pymysql.failure = [("a@x.example",)], failure
    assert problem(SqlAccess("mysql", "mail", "localhost")).startswith(why)
    assert pymysql.calls[-1] == "close"


def test_rest_of_a_result_is_left(pymysql: FakePymysql) -> None:
    pymysql.rows = [("a@x.example",), ("b@x.example",)]
    rows = mysql_column(SqlAccess("mysql", "mail", "localhost"), "SELECT 1")
    assert next(rows) == "a@x.example"
    result = pymysql._result
    assert result.unbuffered_active
    assert isinstance(rows, Generator)
    rows.close()
    assert (pymysql.calls[-1], result.unbuffered_active) == ("close", False)
