# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import (
    DEFAULTS,
    OPTIONS,
    REQUIRED,
    SECRETS,
    TYPES,
    declared_sources,
    source_definition,
)

COMMON = {"timeout": 60, "skip_invalid": False, "default_domain": ""}
LDAP = {"type": "ldap", "uri": "ldaps://dc.x.example", "bases": ["dc=x,dc=example"]}
SQL = {"type": "sql", "engine": "mysql", "database": "mail", "query": "SELECT address FROM alias"}
HTTP = {"type": "http", "url": "https://api.x.example/v1", "addresses": "data[].mail"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "postfix"}, {"config_directory": "/etc/postfix", "covered": {}}),
        (
            {"type": "file", "path": "/list", "format": None, "column": ""},
            {"path": "/list", "format": "lines", "attributes": ["mail", "proxyAddresses"]},
        ),
        (
            {"type": "file", "path": "/list", "format": "csv", "column": 2, "delimiter": "\t", "timeout": "5"},
            {
                "path": "/list",
                "format": "csv",
                "column": "2",
                "delimiter": "\t",
                "timeout": 5,
                "attributes": ["mail", "proxyAddresses"],
            },
        ),
        (
            {**LDAP, "bases": "ou=a,dc=x\n\nou=b,dc=x\n", "page_size": "100", "attributes": ["mail"]},
            {
                "uri": "ldaps://dc.x.example",
                "bases": ["ou=a,dc=x", "ou=b,dc=x"],
                "start_tls": False,
                "attributes": ["mail"],
                "page_size": 100,
            },
        ),
        (
            {**HTTP, "default_domain": "X.example"},
            {**HTTP, "addresses": ["data[].mail"], "default_domain": "x.example"},
        ),
    ],
)
def test_definition_is_completed(given: dict[str, Any], expected: dict[str, Any]) -> None:
    rest = {"format": "json", "headers": {}} if given["type"] == "http" else {}
    assert source_definition(given) == {"type": given["type"], **COMMON, **rest, **expected}


@pytest.mark.parametrize(
    "given",
    [
        {**LDAP, "uri": "ldap://dc.x.example", "start_tls": "yes"},
        {**LDAP, "uri": "ldap://127.0.0.1:389"},
        {**LDAP, "uri": "ldap://localhost"},
        {**LDAP, "uri": "ldapi://%2Frun%2Fldapi"},
        {**LDAP, "bind_dn": "cn=a", "bind_password": "b"},
        SQL,
        {**SQL, "query": "\n with a as (select 1) select * from a", "server": "db", "port": 3306},
        {**SQL, "engine": "sqlite", "database": "/var/lib/mail.sqlite"},
        {**HTTP, "url": "http://127.0.0.1:8080/list", "format": "lines", "addresses": None},
        {**HTTP, "url": "http://[::1]/list"},
        {**HTTP, "login": {"url": "https://login.x.example", "form": {"grant_type": "client_credentials"}}},
        {**HTTP, "next_token": {"place": "nextPageToken", "parameter": "pageToken"}, "token": "t"},
        {"type": "dovecot", "skip_invalid": "TRUE"},
    ],
)
def test_definition_is_taken(given: dict[str, Any]) -> None:
    assert source_definition(given)["type"] == given["type"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "source is null, not a mapping; give its type and options"),
        ({}, "source has no type; give one of postfix, dovecot, file, ldap, sql, http"),
        ({"type": "nis"}, "source has a type that does not exist; give one of postfix, dovecot, file, ldap, sql, http"),
        (
            {"type": "dovecot", "pth": "/x"},
            "source has pth, which is no option; one of type dovecot has "
            "type, host, timeout, skip_invalid, default_domain",
        ),
        ({"type": "file", "uri": "x"}, "source has uri, an option of type ldap, not file; remove it"),
        (
            {"type": "postfix", "ca_file": "x"},
            "source has ca_file, an option of type ldap and sql and http, not postfix; remove it",
        ),
        ({"type": "file"}, "source has no path, which a source of type file needs; give it"),
        ({"type": "file", "path": ["/a"]}, "source.path is a list, not text; write it as text"),
        ({"type": "file", "path": True}, "source.path is True, not text; write it as text"),
        ({"type": "file", "path": "/a", "timeout": 0}, "source.timeout is not a number from 1 on; correct it"),
        ({"type": "file", "path": "/a", "timeout": True}, "source.timeout is not a number from 1 on; correct it"),
        (
            {"type": "file", "path": "/a", "skip_invalid": 2},
            "source.skip_invalid is neither true nor false; write one of them",
        ),
        (
            {"type": "file", "path": "/a", "format": "xml"},
            "source.format is not one of lines, csv, ldif, postmap; correct it",
        ),
        ({"type": "file", "path": "/a", "column": 2}, "source has column, but its format is lines; give format: csv"),
        (
            {"type": "file", "path": "/a", "format": "csv", "column": 0},
            "source.column is not a column; give its name in the first row, or its number from 1 on",
        ),
        (
            {"type": "file", "path": "/a", "format": "csv", "delimiter": "tab"},
            "source.delimiter is not one character; give that which is between two columns",
        ),
        ({"type": "postfix", "covered": ["x"]}, "source.covered is a list, not a mapping; write each below its name"),
        ({**LDAP, "bases": [" "]}, "source has no bases, which a source of type ldap needs; give it"),
        ({**LDAP, "bases": "\n"}, "source has no bases, which a source of type ldap needs; give it"),
        ({**LDAP, "bases": {"a": 1}}, "source.bases is a mapping, not a list; write one an item"),
        (
            {**LDAP, "uri": "ldap://dc.x.example"},
            "source.uri is ldap://, by which passwords and addresses travel in the clear; "
            "write ldaps://, or give start_tls: true",
        ),
        ({**LDAP, "start_tls": True}, "source has start_tls, but its uri is ldaps://; remove start_tls"),
        ({**LDAP, "uri": "dc.x.example"}, "source.uri is not a URL of ldaps:// or ldap:// or ldapi://; correct it"),
        (
            {**LDAP, "bind_dn": "cn=a"},
            "source has one of bind_dn and bind_password; give both, or none for an anonymous bind",
        ),
        ({**SQL, "engine": "oracle"}, "source.engine is not one of sqlite, postgresql, mysql; correct it"),
        (
            {**SQL, "query": "DELETE FROM alias"},
            "source.query does not begin with SELECT or WITH; give a query that only reads",
        ),
        ({**SQL, "engine": "sqlite", "user": "a"}, "source has user, but sqlite has no server; remove it"),
        (
            {**HTTP, "url": "http://api.x.example"},
            "source.url is http://, by which tokens and addresses travel in the clear; write https://, "
            "or http:// to this host itself",
        ),
        ({**HTTP, "url": "https://api.x.example:port"}, "source.url is not a URL; correct it"),
        (
            {**HTTP, "url": "https://a:b@api.x.example"},
            "source.url has a name or a password in it; give them by the options for them",
        ),
        (
            {**HTTP, "addresses": None},
            "source has no addresses; say where they are in the document, such as data[].mail",
        ),
        ({**HTTP, "format": "csv"}, "source has addresses, but its format is csv; give format: json"),
        ({**HTTP, "format": "ldif"}, "source.format is not one of json, csv, lines; correct it"),
        ({**HTTP, "login": {"url": "https://a"}}, "source.login is not a mapping of url and form; give these two"),
        (
            {**HTTP, "login": {"url": "http://a.example", "form": {}}},
            "source.login.url is http://, by which tokens and addresses travel in the clear; write https://, "
            "or http:// to this host itself",
        ),
        ({**HTTP, "next_token": "x"}, "source.next_token is not a mapping of place and parameter; give these two"),
        (
            {**HTTP, "token": "x", "login": {"url": "https://a.example", "form": {}}},
            "source has both token and login; give one of them",
        ),
    ],
)
def test_wrong_definition_is_refused(given: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        source_definition(given)
    assert caught.value.message == message


@pytest.mark.parametrize("name", SECRETS)
def test_secret_is_in_no_message(name: str) -> None:
    owner = next(kind for kind in TYPES if name in OPTIONS[kind])
    base: dict[str, Any] = {"ldap": LDAP, "sql": SQL, "http": HTTP}[owner]
    for given in (
        {**base, name: ["hunter2"]},
        {"type": "dovecot", name: "hunter2"},
        {**base, name: "hunter2", "pth": 1},
    ):
        with pytest.raises(InvalidInput) as caught:
            source_definition(given)
        assert "hunter2" not in caught.value.message


def test_every_type_is_specified() -> None:
    assert set(OPTIONS) == set(REQUIRED) == set(DEFAULTS) == set(TYPES)
    assert [name for kind in TYPES for name in (*REQUIRED[kind], *DEFAULTS[kind]) if name not in OPTIONS[kind]] == []


def test_sources_are_declared_by_name_with_their_host() -> None:
    found = declared_sources(
        {"mail": {"type": "dovecot", "host": "mail1"}, "list": {"type": "file", "path": "/a"}}, "sources"
    )
    assert {name: (source["type"], source["host"]) for name, source in found.items()} == {
        "mail": ("dovecot", "mail1"),
        "list": ("file", "localhost"),
    }
    assert declared_sources(None, "sources") == declared_sources("", "sources") == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["a"], "mx_recipient_sources is a list, not a mapping; write each source below its name"),
        (
            {"a b": {"type": "dovecot"}},
            'mx_recipient_sources has a source "a b"; give it a name without white space and commas',
        ),
        (
            {"a": {"type": "postfix"}},
            "mx_recipient_sources.a has no host; name the host of the inventory on which it is read",
        ),
        ({"a": {"type": "file"}}, "mx_recipient_sources.a has no path, which a source of type file needs; give it"),
    ],
)
def test_wrong_declaration_is_refused(given: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        declared_sources(given, "mx_recipient_sources")
    assert caught.value.message == message
