# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_document import (
    PlaceReader,
    document_of,
    json_member,
    json_place,
)

REMEDY = "correct addresses, or look at what is answered"


def texts(place: str, *documents: Any) -> list[str]:
    reader = PlaceReader(json_place(place, "addresses"))
    found = [text for document in documents for text in reader.texts(document, "it")]
    reader.check("it")
    return found


def problem(place: str, *documents: Any) -> str:
    with pytest.raises(SourceError) as caught:
        texts(place, *documents)
    return caught.value.message


USERS = [{"mail": "a@x", "active": 1}, {"mail": None, "active": "1"}, {"mail": "b@x", "active": 2}]


@pytest.mark.parametrize(
    ("place", "document", "expected"),
    [
        ("value[].mail", {"value": USERS}, ["a@x", "b@x"]),
        ("[].mail", USERS, ["a@x", "b@x"]),
        ("[]", ["a@x", "", None, "b@x"], ["a@x", "b@x"]),
        ("[][]", [["a@x"], ["b@x", "c@x"], []], ["a@x", "b@x", "c@x"]),
        ("value[].proxy[]", {"value": [{"proxy": ["a@x", "b@x"]}, {"proxy": []}, {"proxy": None}, {}]}, ["a@x", "b@x"]),
        ("users[].emails[].address", {"users": [{"emails": [{"address": "a@x"}, {"type": "x"}]}]}, ["a@x"]),
        ("d.e.users[].p.mail", {"d": {"e": {"users": [{"p": {"mail": "a@x"}}, {"p": None}]}}}, ["a@x"]),
        ("only", {"only": "a@x"}, ["a@x"]),
        ("[active=1].mail", USERS, ["a@x"]),
        ("[active!=1].mail", USERS, ["b@x"]),
        ("u[s=false].m[t=a b].x", {"u": [{"s": False, "m": [{"t": "a b", "x": "a@x"}]}, {"s": True, "m": 1}]}, ["a@x"]),
        ("[t.u=null].m", [{"t": {"u": None}, "m": "a@x"}, {"t.u": 1, "m": "b@x"}], ["a@x"]),
        ("a.b[].c", {"a.b": [{"c": "a@x"}], "a": {"b": []}}, ["a@x"]),
        ("users[].aliases[]?", {"users": [{"mail": "a@x"}]}, []),
        ("users[].aliases[]?", {}, []),
        ("users[].aliases[]?", {"users": [{"aliases": ["a@x"]}]}, ["a@x"]),
        ("value[].mail", {"value": []}, []),
        ("value[].proxy[]", {"value": [{"proxy": []}, {}]}, []),
    ],
)
def test_texts_at_the_place_are_found(place: str, document: Any, expected: list[str]) -> None:
    assert texts(place, document) == expected


@pytest.mark.parametrize(
    ("place", "document", "why"),
    [
        ("value[].mail", {"error": {"code": "a@x"}}, f"it has nothing at value[].mail; {REMEDY}"),
        ("value[].mail", [], f"it has a list instead of an object at value[].mail; {REMEDY}"),
        ("[].mail", {}, f"it has an object instead of a list at [].mail; {REMEDY}"),
        ("value[].mail", {"value": None}, f"it has null instead of a list at value[].mail; {REMEDY}"),
        ("value[].mail", {"value": ["a@x"]}, f"it has text instead of an object at value[].mail; {REMEDY}"),
        ("value[].id", {"value": [{"id": 17}]}, f"it has a number at value[].id, not text; {REMEDY}"),
        ("value[].id", {"value": [{"id": True}]}, f"it has true at value[].id, not text; {REMEDY}"),
        ("v[].m", {"v": [{"m": ["a@x"]}]}, "it has a list at v[].m, not text; write v[].m[]"),
        ("v[].m[]", {"v": [{"m": "a@x"}]}, f"it has text instead of a list at v[].m[]; {REMEDY}"),
        ("[active=1].mail", [*USERS, {"mail": "c@x"}], f"it has an item without active at [active=1].mail; {REMEDY}"),
        (
            "[].address",
            USERS,
            f"it has nothing at [].address in any item; {REMEDY}, or write [].address? if that is how it is",
        ),
    ],
)
def test_document_that_does_not_lead_there_fails(place: str, document: Any, why: str) -> None:
    assert problem(place, document) == why


def test_member_of_one_page_is_enough() -> None:
    assert texts("v[].aliases[]", {"v": [{"mail": "a@x"}]}, {"v": [{"aliases": ["b@x"]}]}) == ["b@x"]
    assert problem("v[].aliases[]", {"v": [{"mail": "a@x"}]}, {"v": []}).startswith(
        "it has nothing at v[].aliases[] in "
    )


@pytest.mark.parametrize(
    "place", ["", "?", ".", "a.", "a..b", "[]a", "[].", "a[", "a]", "a[0]", "a[=1]", "a[b=1", "[[]]"]
)
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        json_place(place, "addresses")
    assert caught.value.message == (f'addresses "{place}" is not a place in a document; write it such as value[].mail')


def test_member_may_have_dots_in_its_name() -> None:
    document = {"@odata.nextLink": "x", "a": {"b.c": 1, "b": {"d": 2}}}
    asked = ["@odata.nextLink", "a.b.c", "a.b.d", "a.b.e", "a.b.d.e", "b"]
    assert [json_member(document, name) for name in asked] == [
        (True, "x"),
        (True, 1),
        (True, 2),
        (False, None),
        (False, None),
        (False, None),
    ]


def test_document_is_what_the_text_holds() -> None:
    assert document_of(b'\xef\xbb\xbf{"mail": "j\xc3\xb6rg@x"}\r\n', "it") == {"mail": "jörg@x"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it answers with nothing; look at its log"),
        (b" \n", "it answers with nothing; look at its log"),
        (b'{"value": [{"mail": "a@x.exam', "it does not answer with JSON, or it is cut (line 1, column 21); correct "),
        (b"a@x.example\n", "it does not answer with JSON, or it is cut (line 1, column 1); correct the url, or the "),
        (b'{"a": 1} {"b": 2}', "it does not answer with JSON, or it is cut (line 1, column 10); correct the url, or "),
        (b"<html><body>Log in</body></html>", "it is an HTML page or an XML document, not a list; look at it, "),
        ("ä".encode("latin-1"), "it is not UTF-8 in line 1; have it written in UTF-8"),
        (b"[" * 100000, "it answers with JSON that is out of bounds; look at what is answered"),
        (b"9" * 10000, "it answers with JSON that is out of bounds; look at what is answered"),
    ],
)
def test_what_is_no_document_fails(data: bytes, why: str) -> None:
    with pytest.raises(SourceError) as caught:
        document_of(data, "it")
    assert caught.value.message.startswith(why)
    assert "a@x" not in caught.value.message


def test_document_with_lone_surrogates_is_no_address() -> None:
    assert texts("[]", json.loads('["\\ud800@x.example"]')) == ["\ud800@x.example"]
