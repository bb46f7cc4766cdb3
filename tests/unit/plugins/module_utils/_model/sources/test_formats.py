# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.formats import entries_of, utf8_text

LDIF = """version: 1
# a comment
 that goes on with mail: no@x.example

dn: cn=a,dc=x
objectClass: person
mail: a@x.example
Mail;lang-de: b@x.example
proxyAddresses: smtp:c@x.
 example
proxyAddresses:: c210cDpkQHguZXhhbXBsZQ==
description: mail: no@x.example

dn: cn=e,dc=x
mail:e@x.example

# search result
search: 2
result: 0 Success
"""


def entries(data: str | bytes, form: str, **options: Any) -> list[str]:
    return list(entries_of(data if isinstance(data, bytes) else data.encode(), form, options, "/list"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", []),
        ("a@x.example\n\nb@x.example\r\n", ["a@x.example", "b@x.example"]),
        ("\ufeff# who\na@x.example # boss\n  @y.example\n", ["a@x.example", "@y.example"]),
        ('"a # b"@x.example\n', ['"a # b"@x.example']),
    ],
)
def test_lines(data: str, expected: list[str]) -> None:
    assert entries(data, "lines") == expected


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        ("a@x.example\nb@x.example\n", {}, ["a@x.example", "b@x.example"]),
        (
            'id," E-Mail ",n\n1,"a@x.example",x\n\n2,b@x.example,"y\nz"\n',
            {"column": "e-mail"},
            ["a@x.example", "b@x.example"],
        ),
        ("1;a@x.example\r\n2;@y.example\r\n", {"column": 2, "delimiter": ";"}, ["a@x.example", "@y.example"]),
        ("1\ta@x.example\n", {"column": "2", "delimiter": "\t"}, ["a@x.example"]),
    ],
)
def test_csv(data: str, options: dict[str, Any], expected: list[str]) -> None:
    assert entries(data, "csv", **options) == expected


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (
            "mail,id\na@x.example,1\n",
            {"column": "address"},
            '/list has the column "address" not in its first row; correct the column or the delimiter of the source, '
            "or give the column by its number",
        ),
        (
            "mail,Mail\n",
            {"column": "mail"},
            '/list has the column "mail" twice in its first row; correct the column or the delimiter of the source, '
            "or give the column by its number",
        ),
        (
            "1,a@x.example\n2\n",
            {"column": 2},
            "/list line 2 has 1 columns, not 2; correct it, or the delimiter or the column of the source",
        ),
        ('a@x.example\n"b@x.example\n', {}, "/list line 2 is not CSV (unexpected end of data); correct it"),
    ],
)
def test_csv_that_can_not_be_believed(data: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError) as caught:
        entries(data, "csv", **options)
    assert caught.value.message == message


def test_ldif() -> None:
    assert entries(LDIF, "ldif") == [
        "a@x.example",
        "b@x.example",
        "smtp:c@x.example",
        "smtp:d@x.example",
        "e@x.example",
    ]
    assert entries(LDIF.replace("\n", "\r\n"), "ldif", attributes=["MAIL"]) == [
        "a@x.example",
        "b@x.example",
        "e@x.example",
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a@x.example\n", "/list line 1 is not LDIF; correct it, or the format of the source"),
        (
            "mail: a@x.example\n",
            "/list has no line that begins with dn:, so it is not LDIF; correct the format of the source",
        ),
        ("dn: cn=a\nchangetype: delete\n", "/list line 2 is a change, not an entry; export the entries"),
        (
            "dn: cn=a\nmail: a@x.example\n\nresult: 4 Size limit exceeded\n",
            "/list line 4 says that the search failed; export the whole result",
        ),
        ("dn: cn=a\nmail:< file:///etc/a\n", "/list line 2 names a file instead of a value; export the values"),
        ("dn: cn=a\nmail:: YUB4!\n", "/list line 2 has a value that is not UTF-8 in Base64; export it again"),
        ("dn: cn=a\nmail:: /w==\n", "/list line 2 has a value that is not UTF-8 in Base64; export it again"),
    ],
)
def test_ldif_that_can_not_be_believed(data: str, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        entries(data, "ldif")
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("a@x.example x\nb@x.example x\n", ["a@x.example", "b@x.example"]),
        ("a@x.example x\na@x.example y\n", ["a@x.example"]),
        ("# virtual\nx.example\tanything\nA@x.example  b,\n  c\n@y.example d\n", ["a@x.example", "@y.example"]),
        ('"a b"@x.example x\nbob bob@y.example\n', ['"a b"@x.example', "bob"]),
        ("x.example x\n", ["x.example"]),
    ],
)
def test_postmap(data: str, expected: list[str]) -> None:
    assert entries(data, "postmap") == expected


def test_source_of_a_table_with_a_line_that_postfix_drops_is_not_believed() -> None:
    with pytest.raises(SourceError) as caught:
        entries("a@x.example\n", "postmap")
    assert caught.value.message == (
        "/list line 1: has a key without a value; Postfix ignores the entry; "
        "correct the line, or the format of the source"
    )


@pytest.mark.parametrize("form", ["lines", "csv", "ldif", "postmap"])
def test_cut_last_line_is_not_believed(form: str) -> None:
    with pytest.raises(SourceError) as caught:
        entries("dn: cn=a\nmail: a@x.exam", form)
    assert caught.value.message == (
        "/list is cut: its last line has no end; have it written whole, and moved into place then"
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a@x.example\n".encode("utf-16"), "/list is not UTF-8 text, but binary or UTF-16; have it written in UTF-8"),
        (b"a@x.example\n\0\0\n", "/list is not UTF-8 text, but binary or UTF-16; have it written in UTF-8"),
        ("a@x.example\njörg@x.example\n".encode("latin-1"), "/list is not UTF-8 in line 2; have it written in UTF-8"),
        (
            b"\xef\xbb\xbf\n<!DOCTYPE html>\n<html>\n",
            "/list is an HTML page or an XML document, not a list; look at it, it may tell of an error",
        ),
        (
            b"<html>a@x.example\n",
            "/list is an HTML page or an XML document, not a list; look at it, it may tell of an error",
        ),
    ],
)
def test_other_documents_are_not_believed(data: bytes, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        utf8_text(data, "/list")
    assert caught.value.message == message


def test_text_of_windows_is_understood() -> None:
    assert utf8_text("\ufeffä\r\nb\r\n".encode(), "/list") == "ä\nb\n"


def test_address_between_angle_brackets_is_no_page() -> None:
    assert utf8_text(b"<a@x.example>\n", "/list") == "<a@x.example>\n"
