# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    Member,
    asks_server,
    expand,
    lookup_keys,
    match,
    member_of,
    members_of,
    type_of,
    without_proxy,
)


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("X.Example", Member("x.example", "pattern")),
        ("!x.example", Member("x.example", "pattern", True)),
        ("/etc/postfix/domains", Member("/etc/postfix/domains", "file")),
        ("!/etc/postfix/domains", Member("/etc/postfix/domains", "file", True)),
        ("hash:/etc/postfix/Domains", Member("hash:/etc/postfix/Domains", "table")),
        ("proxy:mysql:/etc/postfix/d.cf", Member("proxy:mysql:/etc/postfix/d.cf", "table")),
        ("[192.0.2.1]", Member("[192.0.2.1]", "pattern")),
        ("[2001:db8::1]", Member("[2001:db8::1]", "pattern")),
    ],
)
def test_member_is_what_its_form_says(text: str, member: Member) -> None:
    assert member_of(text) == member


def test_patterns_of_a_file_take_its_place() -> None:
    files = {"/f": "# a comment\na.example, b.example\n!c.example\n"}
    assert members_of("z.example /f", files) == [
        Member("z.example", "pattern"),
        Member("a.example", "pattern"),
        Member("b.example", "pattern"),
        Member("c.example", "pattern", True),
    ]
    assert members_of("!/f", files)[0] == Member("a.example", "pattern", True)
    assert members_of("!/f", files)[2] == Member("c.example", "pattern", False)


def test_missing_file_stays_a_member() -> None:
    assert members_of("/gone", {}) == [Member("/gone", "file")]
    assert match("x.example", members_of("/gone", {}), None, {}) is None


@pytest.mark.parametrize(
    ("value", "domain", "parents", "matching"),
    [
        ("x.example", "x.example", None, "x.example"),
        ("x.example", "sub.x.example", None, None),
        (".x.example", "sub.x.example", None, None),
        ("x.example", "sub.x.example", True, "x.example"),
        (".x.example", "sub.x.example", True, None),
        ("x.example", "sub.x.example", False, None),
        (".x.example", "sub.x.example", False, ".x.example"),
        (".x.example", "x.example", False, None),
        ("ax.example", "x.example", True, None),
        ("!x.example, x.example", "x.example", None, None),
        ("x.example, !x.example", "x.example", None, "x.example"),
    ],
)
def test_domain_matches_as_in_postfix(value: str, domain: str, parents: bool | None, matching: str | None) -> None:
    found = match(domain, members_of(value, {}), parents, {})
    assert (found.text if found else None) == matching


def test_table_is_asked_for_parents_where_the_list_is() -> None:
    members = members_of("hash:/d", {})
    answers = {"hash:/d": {"x.example": "any"}}
    assert match("sub.x.example", members, True, answers) == Member("hash:/d", "table")
    assert match("sub.x.example", members, False, answers) is None
    assert match("sub.x.example", members, None, answers) is None
    assert match("sub.x.example", members, False, {"hash:/d": {".x.example": "any"}}) == Member("hash:/d", "table")


def test_lookup_keys_go_from_the_name_to_the_top() -> None:
    assert lookup_keys("a.b.example", None) == ["a.b.example"]
    assert lookup_keys("a.b.example", True) == ["a.b.example", "b.example", "example"]
    assert lookup_keys("a.b.example", False) == ["a.b.example", ".b.example", ".example"]


@pytest.mark.parametrize("form", ["$name", "${name}", "$(name)"])
def test_references_are_expanded_in_depth(form: str) -> None:
    assert expand(f"a, {form}", {"name": "$other", "other": "b"}) == "a, b"


def test_reference_to_itself_ends() -> None:
    assert expand("$name", {"name": "$name"}) == "$name"


@pytest.mark.parametrize(
    ("text", "kind", "table"),
    [
        ("hash:/t", "hash", "hash:/t"),
        ("proxy:hash:/t", "hash", "hash:/t"),
        ("proxy:proxy:ldap:/l", "ldap", "ldap:/l"),
        ("static:proxy:x", "static", "static:proxy:x"),
    ],
)
def test_table_is_told_without_its_proxy(text: str, kind: str, table: str) -> None:
    assert (type_of(text), without_proxy(text)) == (kind, table)


@pytest.mark.parametrize(
    ("value", "expanded"),
    [
        ("${full?yes}${full:no}", "yes"),
        ("${empty?yes}${empty:no}", "no"),
        ("$(absent?yes)$(absent:no)", "no"),
        ("${full?$full}, ${empty:${full?$(full)}}", "x, x"),
        ("${full?{yes}:{no}}", "${full?{yes}:{no}}"),
        ("${{$full} == {x} ? {yes} : {no}}", "${{x} == {x} ? {yes} : {no}}"),
    ],
)
def test_condition_chooses_as_postfix_does(value: str, expanded: str) -> None:
    assert expand(value, {"full": "x", "empty": ""}) == expanded


@pytest.mark.parametrize(
    ("table", "asks"),
    [
        ("hash:/etc/postfix/ldap", False),
        ("ldap:/etc/postfix/l.cf", True),
        ("proxy:mysql:/etc/postfix/m.cf", True),
        ("socketmap:unix:/run/s:name", True),
        ("sqlite:/etc/postfix/s.cf", False),
        ("pipemap:{hash:/etc/postfix/a,ldap:/etc/postfix/l.cf}", True),
        ("unionmap:{hash:/etc/postfix/a,static:x}", False),
    ],
)
def test_table_that_asks_a_server(table: str, asks: bool) -> None:
    assert asks_server(table) is asks
