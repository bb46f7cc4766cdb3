# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.ldap_directory import (
    BAD_FILTER,
    LdapAccess,
    LdapPage,
    LdapSearch,
    ldap3_directory,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.certificates import Authority

PAGES = "1.2.840.113556.1.4.319"
SEARCH = LdapSearch("dc=x", "(mail=*)", ["mail"], 500)


class LDAPException(Exception):
    """As ldap3 has it."""


class LDAPInvalidFilterError(LDAPException):
    """As ldap3 has it."""


class FakeLdap3:
    """The part of ldap3 that is used: what was called, and what was prepared to be answered."""

    NONE = "NO_INFO"
    SUBTREE = "SUBTREE"
    core = SimpleNamespace(
        exceptions=SimpleNamespace(LDAPException=LDAPException, LDAPInvalidFilterError=LDAPInvalidFilterError)
    )

    def __init__(self) -> None:
        self.server: tuple[Any, dict[str, Any]] = ("", {})
        self.options: dict[str, Any] = {}
        self.calls: list[Any] = []
        self.bind_code = 0
        self.failures: dict[str, Exception] = {}
        self.result: dict[str, Any] = {}
        self.response: list[dict[str, Any]] = []
        self.socket: Any = None
        self.strategy = SimpleNamespace(close=lambda: self.calls.append("close"))

    def Tls(self, **options: Any) -> SimpleNamespace:
        return SimpleNamespace(**options)

    def Server(self, *host: str, **options: Any) -> str:
        self.server = (host[0], options)
        return "server"

    def Connection(self, server: str, **options: Any) -> FakeLdap3:
        assert server == "server"
        self.options = options
        return self

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failures:
            raise self.failures[name]

    def open(self, read_server_info: bool) -> None:
        assert read_server_info is False
        self._call("open")
        if self.socket:
            self.server[1]["tls"].wrap_socket(self, do_handshake=True)

    def start_tls(self, read_server_info: bool) -> None:
        assert read_server_info is False
        self._call("start_tls")

    def bind(self, read_server_info: bool) -> bool:
        assert read_server_info is False
        self._call("bind")
        self.result = {"result": self.bind_code}
        return self.bind_code == 0

    def search(self, *search: Any, **options: Any) -> None:
        self.calls.append((search, options))
        if "search" in self.failures:
            raise self.failures["search"]


@pytest.fixture(name="ldap3")
def _ldap3(monkeypatch: pytest.MonkeyPatch) -> FakeLdap3:
    fake = FakeLdap3()
    monkeypatch.setitem(sys.modules, "ldap3", fake)
    return fake


def page(ldap3: FakeLdap3, result: dict[str, Any], response: list[dict[str, Any]] | None = None) -> LdapPage:
    with ldap3_directory(LdapAccess("ldapi:///")) as directory:
        ldap3.result, ldap3.response = result, response or []
        return directory.page(SEARCH, b"")


def problem(access: LdapAccess) -> str:
    with pytest.raises(SourceError) as caught, ldap3_directory(access):
        raise AssertionError("it was opened")
    return caught.value.message


@pytest.mark.parametrize(
    ("uri", "host", "port", "tls"),
    [
        ("ldaps://ldap.example", "ldap.example", None, True),
        ("ldaps://LDAP.example:3269/", "ldap.example", 3269, True),
        ("ldap://[::1]:389", "::1", 389, False),
    ],
)
def test_server_is_that_of_the_uri(ldap3: FakeLdap3, uri: str, host: str, port: int | None, tls: bool) -> None:
    with ldap3_directory(LdapAccess(uri, bind_dn="cn=r", bind_password="secret", seconds=9)):
        assert ldap3.calls == ["open", "bind"]
    options = ldap3.server[1]
    assert (ldap3.server[0], options["port"], options["use_ssl"]) == (host, port, tls)
    assert (options["connect_timeout"], options["get_info"]) == (9, "NO_INFO")
    assert ldap3.options == {
        "user": "cn=r",
        "password": "secret",
        "auto_referrals": False,
        "check_names": False,
        "read_only": True,
        "receive_timeout": 9,
    }
    assert ldap3.calls == ["open", "bind", "close"]


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("ldapi:///", "/run/slapd/ldapi"),
        ("ldapi://%2Fvar%2Frun%2Fldapi", "/var/run/ldapi"),
        ("ldapi:///var/run/ldapi", "/var/run/ldapi"),
    ],
)
def test_socket_is_that_of_the_uri(ldap3: FakeLdap3, uri: str, path: str) -> None:
    with ldap3_directory(LdapAccess(uri)):
        assert ldap3.server == (f"ldapi://{path}", {"connect_timeout": 60, "get_info": "NO_INFO"})
    assert (ldap3.options["user"], ldap3.options["password"]) == (None, None)


def test_start_tls_comes_before_the_bind(ldap3: FakeLdap3) -> None:
    with ldap3_directory(LdapAccess("ldap://ldap.example", start_tls=True)):
        assert ldap3.calls == ["open", "start_tls", "bind"]


def tls_server(authority: Authority, name: str) -> tuple[socket.socket, threading.Thread]:
    """The other end of a server with a certificate for the name."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, suppress(OSError):
            authority.settings(name).wrap_socket(theirs, server_side=True)

    thread = threading.Thread(target=serve)
    thread.start()
    return ours, thread


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ldap.example", ""),
        ("www.example", "its certificate is for another name; ask it by a name of its certificate"),
    ],
)
def test_certificate_is_checked_by_the_name_of_the_uri(ldap3: FakeLdap3, tmp_path: Path, name: str, why: str) -> None:
    authority = Authority(tmp_path)
    access = LdapAccess("ldaps://ldap.example", ca_file=str(authority.file), bind_dn="cn=r", bind_password="secret")
    ours, server = tls_server(authority, name)
    ldap3.socket = ours
    if why:
        assert problem(access) == f"ldaps://ldap.example: {why}"
        assert ldap3.calls == ["open"]
    else:
        with ldap3_directory(access):
            assert ldap3.socket.version() == "TLSv1.3"
    ldap3.socket.close()
    server.join()


def test_no_tls_is_begun_that_was_not_asked_for(ldap3: FakeLdap3) -> None:
    ldap3.socket = object()
    assert problem(LdapAccess("ldap://localhost")).startswith("ldap://localhost: TLS with it could not be begun; ")


@pytest.mark.parametrize(
    ("where", "failure", "why"),
    [
        ("open", LDAPException("socket connection error while opening: [Errno 111] Connection refused"), "nothing "),
        (
            "open",
            LDAPException("socket connection error while opening: timed out"),
            "it does not answer in time; look",
        ),
        ("open", LDAPException("invalid server address"), "its name has no address; correct it"),
        ("open", LDAPException("[Errno 2] No such file or directory"), "its socket is not there, or not for this "),
        ("open", OSError(104, "Connection reset by peer"), "the connection broke; look at the log of the server"),
        ("start_tls", LDAPException("startTLS failed - protocolError"), "the directory refuses StartTLS; write ldaps"),
        ("bind", LDAPException("error receiving data: timed out"), "it does not answer in time; look"),
    ],
)
def test_what_keeps_from_the_directory_is_told(ldap3: FakeLdap3, where: str, failure: Exception, why: str) -> None:
    ldap3.failures[where] = failure
    access = LdapAccess("ldap://ldap.example", start_tls=True, bind_dn="cn=r", bind_password="secret")
    assert problem(access).startswith(f"ldap://ldap.example: {why}")


def test_wrong_password_is_told_without_it(ldap3: FakeLdap3) -> None:
    ldap3.bind_code = 49
    assert problem(LdapAccess("ldaps://ldap.example", bind_dn="cn=r", bind_password="secret")) == (
        "ldaps://ldap.example: the directory does not take bind_dn and bind_password; correct them"
    )


def test_page_has_entries_references_and_a_cookie(ldap3: FakeLdap3) -> None:
    found = page(
        ldap3,
        {"result": 0, "controls": {PAGES: {"value": {"cookie": b"more", "size": 0}}}},
        [
            {"type": "searchResEntry", "dn": "cn=a", "raw_attributes": {"mail": [b"a@x.example"]}},
            {"type": "searchResRef", "uri": ["ldap://other.example/"]},
        ],
    )
    assert found == LdapPage(0, [{"mail": [b"a@x.example"]}], ["ldap://other.example/"], b"more")
    assert ldap3.calls[2] == (
        ("dc=x", "(mail=*)"),
        {
            "search_scope": "SUBTREE",
            "attributes": ["mail"],
            "paged_size": 500,
            "paged_criticality": True,
            "paged_cookie": None,
        },
    )


def test_next_page_is_asked_for_by_the_cookie(ldap3: FakeLdap3) -> None:
    with ldap3_directory(LdapAccess("ldapi:///")) as directory:
        ldap3.result = {"result": 0, "controls": {PAGES: {"value": {"cookie": b"", "size": 0}}}}
        assert directory.page(SEARCH, b"more") == LdapPage(0, [], [], b"")
    assert ldap3.calls[2][1]["paged_cookie"] == b"more"


def test_directory_that_says_nothing_of_pages_is_told_apart(ldap3: FakeLdap3) -> None:
    assert page(ldap3, {"result": 0}) == LdapPage(0, [], [], None)
    assert page(ldap3, {"result": 12, "controls": None}) == LdapPage(12, [], [], b"")


def test_filter_that_can_not_be_parsed_is_told_apart(ldap3: FakeLdap3) -> None:
    ldap3.failures["search"] = LDAPInvalidFilterError("malformed filter")
    assert page(ldap3, {}) == LdapPage(BAD_FILTER)


def test_connection_that_breaks_is_told_of(ldap3: FakeLdap3) -> None:
    ldap3.failures["search"] = LDAPException("error receiving data: [Errno 104] Connection reset by peer")
    with pytest.raises(SourceError) as caught:
        page(ldap3, {})
    assert caught.value.message == "ldapi:///: the connection broke; look at the log of the server"
