# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.followed import (
    MOST_VANISHED,
    FollowedDomain,
    FollowedSource,
    Following,
    ListChange,
    dump,
    followed_path,
    following,
    load,
    noted,
)

THEN, NOW = "2026-01-31T09:00:00Z", "2026-01-31T09:05:00Z"
AD = FollowedSource("ad", "ldap", "localhost", read_at=THEN, count=3, digest="d1")
AGAIN = replace(AD, read_at=NOW, count=2, digest="d2")
FAILED = FollowedSource("ad", "ldap", "localhost", failed_at=NOW, problem="ldaps://dc: timed out")
X = FollowedDomain("x.example", (AD,), listed_at=THEN)


def after(
    said: FollowedDomain,
    known: FollowedDomain | None = X,
    change: ListChange | None = None,
    others: tuple[str, ...] = (),
) -> FollowedDomain:
    before = {known.name: known} if known else {}
    return noted(before, Following({said.name: said}, others), change or ListChange(), NOW)[said.name]


def test_good_read_takes_the_place_of_the_last() -> None:
    said = FollowedDomain("x.example", (AGAIN,))
    assert after(said) == after(said, None) == FollowedDomain("x.example", (AGAIN,), listed_at=NOW)


def test_failed_read_leaves_what_is_known_of_the_last_good_one() -> None:
    found = after(FollowedDomain("x.example", (FAILED,), kept="its source ad failed"))
    both = replace(FAILED, read_at=THEN, count=3, digest="d1")
    assert found == FollowedDomain("x.example", (both,), listed_at=THEN, kept="its source ad failed")
    assert after(FollowedDomain("x.example", (AGAIN,)), found).sources == (AGAIN,)


@pytest.mark.parametrize("change", [{"type": "sql"}, {"host": "db.example"}, {"name": "other"}])
def test_nothing_is_known_of_a_source_that_was_another(change: dict[str, str]) -> None:
    failed = replace(FAILED, **change)
    assert after(FollowedDomain("x.example", (failed,), kept="it failed")).sources == (failed,)


def test_list_that_the_table_keeps_is_as_old_as_before() -> None:
    found = after(FollowedDomain("x.example", (AGAIN,)), change=ListChange(kept={"x.example": "too many"}))
    assert (found.kept, found.listed_at, found.sources) == ("too many", THEN, (AGAIN,))


def test_addresses_that_went_last_come_first_and_are_not_all() -> None:
    gone = [f"u{number}@x.example" for number in range(MOST_VANISHED)]
    found = after(FollowedDomain("x.example", (AGAIN,)), change=ListChange(removed=gone[:2]))
    assert found.vanished == ("u0@x.example", "u1@x.example")
    found = after(FollowedDomain("x.example", (AGAIN,)), found, ListChange(removed=gone[2:]))
    assert found.vanished == (*gone[2:], "u0@x.example", "u1@x.example")
    found = after(FollowedDomain("x.example", (AGAIN,)), found, ListChange(removed=["last@x.example"]))
    assert found.vanished == ("last@x.example", *gone[2:], "u0@x.example")


def test_address_that_comes_back_has_not_vanished() -> None:
    known = replace(X, vanished=("a@x.example", "b@x.example"))
    found = after(FollowedDomain("x.example", (AGAIN,)), known, ListChange(wanted={"a@x.example": "x"}))
    assert found.vanished == ("b@x.example",)


def test_nobody_vanishes_with_the_postmaster_the_wildcard_or_another_domain() -> None:
    removed = [
        "@x.example",
        "postmaster@x.example",
        "a@y.example",
        "a@ax.example",
        "key",
        "a@sub.x.example",
        "a@own.x.example",
    ]
    found = after(FollowedDomain("x.example", (AGAIN,)), change=ListChange(removed=removed), others=("own.x.example",))
    assert found.vanished == ("a@sub.x.example",)


def test_domain_that_follows_no_more_is_forgotten() -> None:
    y = FollowedDomain("y.example", (AD,))
    known = {"x.example": X, "y.example": y}
    assert noted(known, Following({}, ["x.example", "z.example"]), ListChange(), NOW) == {"y.example": y}
    only_x = noted(known, Following({"x.example": X}, (), every=True), ListChange(), NOW)
    assert only_x == {"x.example": replace(X, listed_at=NOW)}


def test_items_say_what_their_domains_follow() -> None:
    source = {"name": "ad", "type": "ldap", "host": "localhost", "read_at": THEN, "count": 0, "problem": None}
    items: list[dict[str, Any]] = [
        {"name": "X.example", "sources": [source], "why": None},
        {"name": "y.example", "sources": [source], "recipients_policy": "kept", "why": "ad is empty"},
        {"name": "z.example", "sources": None},
        {"name": "w.example", "sources": [source], "state": "absent"},
    ]
    read = FollowedSource("ad", "ldap", "localhost", read_at=THEN)
    assert following(items, every=True) == Following(
        {
            "x.example": FollowedDomain("x.example", (read,)),
            "y.example": FollowedDomain("y.example", (read,), kept="ad is empty"),
        },
        ["z.example", "w.example"],
        every=True,
    )


def test_domain_of_an_item_must_be_one() -> None:
    with pytest.raises(InvalidInput, match=r"domains\[0\].name"):
        following([{"name": "a@x.example"}])


def test_note_is_beside_the_table() -> None:
    assert followed_path("/etc/postfix/relay_recipients") == "/etc/postfix/.relay_recipients.sources"


def test_what_is_written_is_read_back() -> None:
    domain = replace(X, kept="it failed", vanished=("a@x.example", "ö@x.example"))
    assert load(dump({"x.example": domain})) == {"x.example": domain}
    assert dump({}) == '{\n "domains": {},\n "version": 1\n}\n'


def broken(**changes: Any) -> str:
    data = json.loads(dump({"x.example": replace(X, vanished=("a@x.example",))}))
    data["domains"]["x.example"].update(changes)
    return json.dumps(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"version": 2, "domains": {}}',
        '{"version": 1, "domains": []}',
        broken(sources=None),
        broken(sources=[{"name": "ad"}]),
        broken(sources=[{"name": "ad", "type": "ldap", "host": "h", "other": 1}]),
        broken(sources=[{"name": "ad", "type": "ldap", "host": "h", "count": "3"}]),
        broken(sources=[{"name": "ad", "type": "ldap", "host": 1}]),
        broken(vanished=[1]),
        broken(kept=None),
    ],
)
def test_what_dump_does_not_write_says_nothing(text: str) -> None:
    assert load(text) == {}


def test_addresses_are_not_shown() -> None:
    assert "a@x.example" not in repr(replace(X, vanished=("a@x.example",)))
    assert "a@x.example" not in repr(ListChange(["a@x.example"], ["a@x.example"]))
