# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import (
    addresses_in,
    as_list,
    domains_option,
    lines_in,
    names_in,
    words_in,
)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("", []),
        (" \n ", []),
        ("a@x\r\nb@x\n", ["a@x", "b@x"]),
        ("a@x,b@x; c@x\td@x", ["a@x", "b@x", "c@x", "d@x"]),
        ('"bob, the boss"@x\n"a\\"; b"@x', ['"bob, the boss"@x', '"a\\"; b"@x']),
        # A quotation that does not end does not swallow the next line.
        ('"bob@x\na@x', ['"bob@x', "a@x"]),
    ],
)
def test_text_of_addresses_is_split_outside_of_quotes(text: str, addresses: list[str]) -> None:
    assert addresses_in(text) == addresses


def test_text_of_names_is_split_at_everything_that_no_name_has() -> None:
    assert words_in("local, dns\nremote;  x.example\n") == ["local", "dns", "remote", "x.example"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        (
            "permit_mynetworks\n\n check_client_access cidr:/etc/x \n",
            ["permit_mynetworks", "check_client_access cidr:/etc/x"],
        ),
        ("a,b\nc", ["a", "b", "c"]),
        (
            "check_client_access inline:{a=OK, {b = c, d}}, reject",
            ["check_client_access inline:{a=OK, {b = c, d}}", "reject"],
        ),
        ("a {b, c\nd, e", ["a {b, c", "d", "e"]),
        ("a}, b", ["a}", "b"]),
    ],
)
def test_text_of_lines_keeps_blanks_and_braces(text: str, lines: list[str]) -> None:
    assert lines_in(text) == lines


def test_list_stays_as_it_is() -> None:
    assert as_list(["a b", 1], "p", words_in, "r") == as_list(("a b", 1), "p", words_in, "r") == ["a b", 1]
    assert as_list(None, "p", words_in, "r") == as_list("", "p", words_in, "r") == []


@pytest.mark.parametrize(("value", "kind"), [({"a@x": 1}, "a mapping"), (5, "5"), (True, "True")])
def test_what_is_no_list_is_named_without_its_content(value: object, kind: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        as_list(value, "recipients", addresses_in, "write one address an item")
    assert caught.value.message == f"recipients is {kind}, not a list; write one address an item"


@pytest.mark.parametrize(
    "values", [["a.example", "b.example"], ["a.example\nb.example"], ["a.example", "", " b.example "]]
)
def test_names_are_found_in_what_ansible_made_of_a_text(values: list[str]) -> None:
    assert names_in(values, "domains") == ["a.example", "b.example"]
    assert domains_option({"domains": values}) == ["a.example", "b.example"]


def test_domain_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"^\"a@x\.example\" \(domains\[1\]\) contains an @"):
        domains_option({"domains": ["x.example", "a@x.example"]})
