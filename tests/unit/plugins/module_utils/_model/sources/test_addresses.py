# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidValue
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.addresses import (
    address_or_catch_all,
    reading_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import EVERY_DOMAIN, Reading

REMEDY = "correct it at the source, or give the source default_domain or skip_invalid"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@x.example", "a@x.example"),
        (" A.B@X.Example\r", "a.b@x.example"),
        ("smtp:a@x.example", "a@x.example"),
        ("SMTP:A@X.example", "a@x.example"),
        ("@X.example", "@x.example"),
        ("*@x.example", "@x.example"),
        ("smtp:@x.example", "@x.example"),
        ("bob", "bob@home.example"),
        ('"Bob Smith"@x.example', '"bob smith"@x.example'),
        ('"bob"@x.example', "bob@x.example"),
        ("a@BÜCHER.example", "a@bücher.example"),
        ("jörg@xn--bcher-kva.example", "jörg@xn--bcher-kva.example"),
        ("X500:/o=Org/cn=a@x.example", ""),
        ("SIP:a@x.example", ""),
        ("EUM:123;phone-context=a", ""),
        ("x400:c=US;a= ;p=Org;", ""),
        ("", ""),
        ("  ", ""),
    ],
)
def test_entry(text: str, expected: str) -> None:
    assert address_or_catch_all(text, "home.example") == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("bob", "has no @"),
        ("bob smith@x.example", "contains white space"),
        ("a@b@x.example", "has more than one @"),
        ("a@", "has no domain"),
        ("@", "is empty"),
        ("a@x.example.", "ends with a dot, which Postfix never matches"),
        ("%@x.example", "is a pattern, and a table of recipients holds whole addresses"),
        ("-a@x.example", "starts with -, so Postfix refuses its mail (allow_min_user)"),
    ],
)
def test_invalid_entry(text: str, problem: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        address_or_catch_all(text)
    assert caught.value.problem == problem


def test_ordinary_addresses_are_listed_once_in_their_order() -> None:
    assert reading_of(iter(["b@x.example", "A@x.example", "B@x.example"])) == Reading(("b@x.example", "a@x.example"))


def test_catch_alls_are_no_addresses() -> None:
    expected = Reading(("a@x.example",), frozenset({"y.example"}))
    assert reading_of(["a@x.example", "@y.example", "sip:a@x.example", "smtp:A@x.example"]) == expected


def test_invalid_entry_makes_its_domain_incomplete() -> None:
    found = reading_of(["a@x.example", "b c@x.example", "-d@x.example", "e f@Y.example"])
    assert found == Reading(
        ("a@x.example",),
        incomplete={
            "x.example": f"2 entries are not addresses (the first contains white space); {REMEDY}",
            "y.example": f"an entry contains white space; {REMEDY}",
        },
    )
    assert found.why_incomplete("z.example") == ""


@pytest.mark.parametrize(
    "text", ["bob", "a@x.example, b@y.example", "a@b@x.example", "a@not a domain", '"a b"x.example']
)
def test_invalid_entry_of_no_domain_makes_every_domain_incomplete(text: str) -> None:
    found = reading_of(["a@x.example", text])
    assert found.addresses == ("a@x.example",)
    assert list(found.incomplete) == [EVERY_DOMAIN]
    assert found.why_incomplete("x.example").endswith(REMEDY)


def test_invalid_quoted_entry_is_of_its_domain() -> None:
    assert list(reading_of(['"a@b"@x.example']).incomplete) == ["x.example"]


def test_invalid_entries_are_counted_where_they_may_be_left_out() -> None:
    found = reading_of(["a@x.example", "b c@x.example", "d"], skip_invalid=True)
    assert found == Reading(("a@x.example",), skipped=2)


def test_what_is_known_already_is_kept() -> None:
    assert reading_of(["a@x.example"], incomplete={"x.example": "why"}).why_incomplete("x.example") == "why"
    found = reading_of(["a b@x.example"], incomplete={"x.example": "why", "": "every"})
    assert found.incomplete == {"x.example": "why", "": "every"}


@pytest.mark.parametrize(
    "texts",
    [
        ["# a\nb@x.example"],
        ["a@x.example\nb@x.example"],
        ["", "a@x.example"],
        ["a@x.example", ""],
        ["# a", "a@x.example"],
    ],
)
def test_entry_that_looks_like_several_lines_is_not_taken_for_them(texts: list[str]) -> None:
    found = reading_of(texts, skip_invalid=True)
    odd = [text for text in texts if text and text != "a@x.example"]
    assert found.addresses == (("a@x.example",) if "a@x.example" in texts else ())
    assert found.skipped == len(odd)
