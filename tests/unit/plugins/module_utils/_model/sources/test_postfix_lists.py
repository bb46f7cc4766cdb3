# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.postfix_lists import (
    ALIAS,
    LOCAL,
    MAILBOX,
    RELAY,
    ListedTable,
    PostfixLists,
    domains_in,
    quoted,
    unlisted_users,
)

CLASSES = {"l.example": LOCAL, "a.example": ALIAS, "m.example": MAILBOX, "r.example": RELAY}
LOCAL_TABLE = ListedTable("hash:local", ["x@l.example"])
MAILBOX_TABLE = ListedTable("hash:mailbox", ["x@m.example"])
RELAY_TABLE = ListedTable("hash:relay", ["x@r.example"])
FULL = {
    "local_recipient_maps": [LOCAL_TABLE],
    "virtual_mailbox_maps": [MAILBOX_TABLE],
    "relay_recipient_maps": [RELAY_TABLE],
}
ALWAYS = ["postmaster@l.example", "mailer-daemon@l.example"]
PROBLEM = ListedTable("proxy:mysql:/cf", problem="whose type can't be listed")
COVER = "name in covered the source that has its addresses"


def entries(parameter: str, *keys: str, myorigin: str = "") -> list[str]:
    return list(PostfixLists(CLASSES, {parameter: [ListedTable("hash:t", keys)]}, myorigin).entries())


def test_a_table_of_a_class_has_the_recipients_of_its_domains_alone() -> None:
    keys = [f"u@{domain}" for domain in (*CLASSES, "other.example")]
    assert entries("local_recipient_maps", *keys) == ["u@l.example", *ALWAYS]
    assert entries("virtual_mailbox_maps", *keys) == ["u@m.example", *ALWAYS]
    assert entries("relay_recipient_maps", *keys) == ["u@r.example", *ALWAYS]


@pytest.mark.parametrize("parameter", ["virtual_alias_maps", "canonical_maps", "recipient_canonical_maps"])
def test_an_alias_is_a_recipient_in_each_class(parameter: str) -> None:
    keys = [f"u@{domain}" for domain in (*CLASSES, "other.example")]
    assert entries(parameter, *keys) == [*keys[:4], *ALWAYS]


def test_a_name_is_a_recipient_of_local_domains_and_of_myorigin() -> None:
    assert entries("virtual_alias_maps", "u") == ["u@l.example", *ALWAYS]
    assert entries("relay_recipient_maps", "u") == ALWAYS
    assert entries("relay_recipient_maps", "u", myorigin="r.example") == ["u@r.example", *ALWAYS]


def test_a_domain_alone_is_a_catch_all() -> None:
    assert entries("relay_recipient_maps", "@r.example", "@") == ["@r.example", *ALWAYS]
    every = PostfixLists(CLASSES, {"virtual_mailbox_maps": [ListedTable("static:x", every=True)]})
    assert list(every.entries()) == ["@m.example", *ALWAYS]


def test_a_name_with_blanks_is_quoted() -> None:
    found = entries("local_recipient_maps", "sales team", '"sales team"@l.example', 'a"b')
    assert found == ['"sales team"@l.example', '"sales team"@l.example', '"a\\"b"@l.example', *ALWAYS]
    assert [quoted(text) for text in ("a.b", "a@b", "")] == ["a.b", '"a@b"', ""]


def test_nothing_is_incomplete_where_every_table_is_listed() -> None:
    assert PostfixLists(CLASSES, FULL).incomplete() == {}
    assert PostfixLists({"a.example": ALIAS}, {}).incomplete() == {}


@pytest.mark.parametrize(
    ("parameter", "domain"),
    [
        ("local_recipient_maps", "l.example"),
        ("virtual_mailbox_maps", "m.example"),
        ("relay_recipient_maps", "r.example"),
    ],
)
def test_an_empty_list_takes_every_address_of_its_class(parameter: str, domain: str) -> None:
    assert PostfixLists(CLASSES, {**FULL, parameter: []}).incomplete() == {
        domain: f"{parameter} is empty at the mail host, which so takes every address; set it there"
    }


def test_luser_relay_takes_unknown_local_users() -> None:
    assert PostfixLists(CLASSES, FULL, luser_relay="bob").incomplete() == {
        "l.example": "luser_relay is set at the mail host, so mail for unknown users is delivered; remove it there"
    }


def test_a_table_that_can_not_be_listed_is_named() -> None:
    tables = {**FULL, "virtual_mailbox_maps": [MAILBOX_TABLE, PROBLEM]}
    assert PostfixLists(CLASSES, tables).incomplete() == {
        "m.example": f"virtual_mailbox_maps has proxy:mysql:/cf, whose type can't be listed; {COVER}"
    }
    for name in ("mysql:/cf", "proxy:mysql:/cf"):
        assert PostfixLists(CLASSES, tables, covered={name: "db"}).incomplete() == {}
    assert PostfixLists(CLASSES, tables, covered={"mysql:/other": "db"}).incomplete() != {}


def test_a_table_of_aliases_that_can_not_be_listed_is_about_every_domain() -> None:
    assert PostfixLists(CLASSES, {**FULL, "canonical_maps": [PROBLEM]}).incomplete() == {
        "": f"canonical_maps has proxy:mysql:/cf, whose type can't be listed; {COVER}"
    }


def test_domains_are_those_of_addresses() -> None:
    assert domains_in(["a@x.example", "@y.example", "z.example", '"a@b"@x.example']) == {"x.example", "y.example"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("passwd: files systemd\ngroup: files sss\n", []),
        ("# passwd: ldap\npasswd:\tfiles [NOTFOUND=return] sss ldap # winbind\n", ["sss", "ldap"]),
        ("passwd_compat: nis\n", []),
    ],
)
def test_services_that_do_not_list_their_users(text: str, expected: list[str]) -> None:
    assert unlisted_users(text) == expected
    assert unlisted_users(text, ["sss"]) == [name for name in expected if name != "sss"]
