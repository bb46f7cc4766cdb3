# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.sync import sync_items, sync_outcome, sync_plan

NOW = "2026-01-31T09:05:00Z"
PEOPLE = {"people": {"type": "file", "path": "/srv/people"}}
X = {"name": "x.example", "recipients_from": ["people"]}
Y = {"name": "y.example", "recipients_from": ["people"]}
Z = {"name": "z.example", "recipients": ["info@z.example"]}
BOTH = ("secondary_mx", "primary_mx")
DOMAINS = {"secondary_mx_domains": [X, Z], "secondary_mx_recipient_sources": PEOPLE}
DOMAIN = {"count": 2, "catch_all": False, "why_incomplete": "", "digest": "d"}
READING = {
    "domains": {"x.example": DOMAIN, "y.example": DOMAIN},
    "lists": {"x.example": "/tmp/x", "y.example": "/tmp/y"},
    "problem": "",
    "read_at": NOW,
}


def plan(groups: Sequence[str] = BOTH, **variables: Any) -> dict[str, Any]:
    return sync_plan({**DOMAINS, **variables}, groups, ["mail.example"])


PART = {"items": [X], "limit": "", "roles": ["postmaster"]}


def sources_of(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {source["name"]: source for source in plan["sources"]}


def test_plan_has_the_domains_that_follow_sources_and_these() -> None:
    found = plan()
    assert (found["tables"], found["parts"]) == ({"/etc/postfix": ""}, {"/etc/postfix": [PART]})
    (people,) = found["sources"]
    assert (people["name"], people["host"], people["domains"]) == ("people", "localhost", ["x.example"])
    assert people["declared_in"] == "secondary_mx_recipient_sources"
    assert (found["named"], found["let_through"]) == ([], [])


def test_host_without_the_group_of_a_role_does_not_do_what_that_declares() -> None:
    assert plan(["primary_mx"]) == {
        "sources": [],
        "tables": {},
        "parts": {},
        "named": [],
        "let_through": [],
    }


def test_settings_of_a_role_hold_for_its_lists() -> None:
    told = {
        "table_directory": "/srv/tables",
        "max_removals": 5,
        "postmaster": "no",
        "abuse": "yes",
        "config_directory": "/etc/postfix-a/",
    }
    found = plan(**{f"secondary_mx_{name}": value for name, value in told.items()})
    assert found["tables"] == {"/etc/postfix-a": "/srv/tables/relay_recipients"}
    assert found["parts"] == {"/etc/postfix-a": [{"items": [X], "limit": "5", "roles": ["abuse"]}]}


def test_both_roles_share_an_instance_and_its_sources() -> None:
    others = {
        "primary_mx_domains": [Y],
        "primary_mx_recipient_sources": PEOPLE,
        "primary_mx_postmaster": "",
        "primary_mx_abuse": "",
    }
    found = plan(**others, secondary_mx_table_directory="/srv")
    assert sources_of(found)["people"]["domains"] == ["y.example", "x.example"]
    assert found["tables"] == {"/etc/postfix": "/srv/relay_recipients"}
    assert found["parts"] == {"/etc/postfix": [{**PART, "items": [item]} for item in (Y, X)]}
    apart = plan(**others, primary_mx_config_directory="/etc/postfix-b")
    assert list(apart["tables"]) == list(apart["parts"]) == ["/etc/postfix-b", "/etc/postfix"]


def test_two_sources_of_one_name_are_refused() -> None:
    other = {"people": {"type": "file", "path": "/srv/others"}}
    with pytest.raises(InvalidInput) as caught:
        plan(primary_mx_domains=[Y], primary_mx_recipient_sources=other)
    assert caught.value.message == (
        'two roles declare "people" differently in their recipient_sources; rename one of them'
    )


@pytest.mark.parametrize("domains", ["x.example", ["X.example"], "x.example, w.example"])
def test_only_named_domains_are_updated(domains: Any) -> None:
    found = plan(secondary_mx_domains=[X, Y], sync_recipients_domains=domains)
    assert found["parts"] == {"/etc/postfix": [PART]}
    assert found["named"][0] == "x.example"


@pytest.mark.parametrize(("directory", "number"), [("", 1), ("/etc/postfix/", 1), ("/etc/postfix-b", 0)])
def test_only_the_named_instance_is_updated(directory: str, number: int) -> None:
    assert len(plan(sync_recipients_config_directory=directory)["tables"]) == number


@pytest.mark.parametrize("blank", [None, "", " "])
def test_blank_answer_is_not_given(blank: str | None) -> None:
    names = ("domains", "let_through", "config_directory")
    assert plan(**{f"sync_recipients_{name}": blank for name in names}) == plan()


def test_name_that_is_no_domain_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"\(sync_recipients_let_through\[0\]\)"):
        plan(sync_recipients_let_through="a@x.example")


def test_table_gets_the_lists_of_all_parts() -> None:
    found = plan(
        primary_mx_domains=[Y],
        primary_mx_recipient_sources=PEOPLE,
        primary_mx_max_removals="5%",
        sync_recipients_let_through=["x.example"],
    )
    items = sync_items(found, "/etc/postfix", sources_of(found), {"people": READING}, NOW)
    assert [(item["name"], item["recipients_file"], item["max_removals"]) for item in items] == [
        ("y.example", ["/tmp/y"], "5%"),
        ("x.example", ["/tmp/x"], "100%"),
    ]
    failed = {"people": {**READING, "problem": "timed out"}}
    kept, _x = sync_items(found, "/etc/postfix", sources_of(found), failed, NOW)
    assert (kept["recipients_policy"], kept["why"]) == ("kept", "source people: timed out")


def test_outcome_is_that_of_all_instances() -> None:
    kept = {"x.example": {"why": "it failed", "removals": 0, "of": 0}}
    results = [
        {"added": 1, "removed": 2, "total": 30, "kept": kept, "left_out": []},
        {"added": 0, "removed": 1, "total": 10, "kept": {}, "left_out": ["w.example"]},
    ]
    assert sync_outcome(results) == {
        "added": 1,
        "removed": 3,
        "total": 40,
        "kept": kept,
        "left_out": ["w.example"],
        "text": "1 added, 3 removed, 40 entries in all; left to the roles, as they have no list yet: w.example",
    }
    assert sync_outcome([])["text"] == "0 added, 0 removed, 0 entries in all"
