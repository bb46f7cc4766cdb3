# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.filter import followed
from ansible_collections.mxrelay.postfix.plugins.filter.followed import FilterModule

FILTERS = FilterModule().filters()
NOW = "2026-01-31T09:05:00Z"
ITEMS = [{"name": "x.example", "recipients_from": ["people"]}]
PEOPLE = {"people": {"type": "file", "path": "/srv/people"}}
FAILED = {"problem": "timed out"}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "now", lambda: NOW)


def results(sources: list[dict[str, Any]], reading: dict[str, Any]) -> list[dict[str, Any]]:
    """Of a loop that reads them all alike."""
    return [{"__mx_source": source, **reading} for source in sources]


def run(name: str, *arguments: Any) -> Any:
    return FILTERS[f"mx_{name}"](*arguments)


def test_role_goes_from_its_sources_to_what_to_say_of_its_lists() -> None:
    sources = run("sources", ITEMS, PEOPLE, [], "mx")
    assert [(source["name"], source["domains"]) for source in sources] == [("people", ["x.example"])]
    lists = run("followed", ITEMS, results(sources, FAILED), 5)
    assert (lists["x.example"]["max_removals"], lists["x.example"]["sources"][0]["failed_at"]) == ("5", NOW)
    (item,) = run("followed_items", ITEMS, lists, True)
    assert (item["name"], item["recipients_policy"]) == ("x.example", "kept")
    kept = run("kept_lists", lists, [], "-e once", {"y.example": {"why": "it failed", "removals": 0, "of": 0}})
    assert sorted(kept) == ["x.example", "y.example"]
    assert run("kept", kept).splitlines()[1] == "- x.example: source people: timed out"


def test_library_that_check_mode_leaves_out_is_listed_and_fails_no_list() -> None:
    sources = run("sources", ITEMS, {"people": {"type": "dovecot", "host": "mail.example"}}, ["mail.example"], "mx")
    lacks = results(sources, {"problem": "not found", "lacks": "python3-ldap3"})
    assert run("lacking", lacks) == {"mail.example": ["python3-ldap3"]}
    awaits = [run("followed", ITEMS, lacks, "", check)["x.example"].get("awaits") for check in (True, False)]
    assert awaits == ["python3-ldap3 on mail.example", None]


def test_playbook_goes_from_its_plan_to_what_was_done() -> None:
    variables = {"mx_domains": ITEMS, "mx_recipient_sources": PEOPLE}
    plan = run("sync_plan", variables, [], [])
    (item,) = run("sync_items", plan, "/etc/postfix", results(plan["sources"], FAILED))
    assert (item["why"], item["sources"][0]["failed_at"]) == ("source people: timed out", NOW)
    assert run("sync_outcome", [])["total"] == 0


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("sources", (ITEMS, {}, [], "mx"), 'mx_sources: x.example has recipients_from "people", which is not in'),
        ("sync_plan", ({"mx_domains": [{}]}, [], []), r"mx_sync_plan: mx_domains\[0\] has no name"),
    ],
)
def test_wrong_input_is_told_as_a_filter_tells_it(name: str, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        run(name, *arguments)
