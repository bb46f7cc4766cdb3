# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import DomainRows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.cut_lists import cut_lists, removals_allowed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    checks,
    host,
    listed,
    secondary,
)

Items = dict[str, dict[str, Any]]


def item(name: str, count: int, **fields: Any) -> dict[str, Any]:
    return listed(name, recipients_count=count, recipients_digest=f"of {count}", **fields)


def cut(before: dict[str, int | DomainRows], *items: dict[str, Any], limit: str = "") -> list[Refusal]:
    rows = {name: DomainRows(count=rows) if isinstance(rows, int) else rows for name, rows in before.items()}
    request = read_request({"role": "secondary_mx", "domains": items, "max_removals": limit})
    return cut_lists(request, host(recipient_rows=rows))


def test_cut_list_is_refused_with_its_counts() -> None:
    assert cut({"x.example": 3000, "y.example": 10}, item("x.example", 5), item("y.example", 9)) == [
        Refusal(
            "x.example",
            "max_removals",
            "2996 of the 3010 recipients in the table would be removed, more than max_removals (10%) allows: "
            "x.example from 3000 to 5",
            "check that the lists are complete, and if so run once with -e secondary_mx_max_removals=100%",
        )
    ]


@pytest.mark.parametrize(
    ("before", "after", "limit", "refused"),
    [
        (100, 90, "", False),
        (100, 89, "", True),
        (1000, 900, "", False),
        (1000, 899, "", True),
        # Ten may always go, unless somebody said otherwise.
        (12, 2, "", False),
        (12, 1, "", True),
        (12, 11, "10%", False),
        (12, 10, "10%", True),
        (12, 11, "0", True),
        (12, 12, "0", False),
        (12, 40, "0", False),
        (3000, 5, "100%", False),
        (3000, 5, "2995", False),
        (3000, 5, "2994", True),
    ],
)
def test_limit_is_a_number_or_a_percentage(before: int, after: int, limit: str, refused: bool) -> None:
    assert bool(cut({"x.example": before}, item("x.example", after), limit=limit)) is refused


def test_percentage_holds_for_each_list_however_long_the_table() -> None:
    before: dict[str, int | DomainRows] = {"x.example": 100, "other.example": 100000}
    assert [refusal.domain for refusal in cut(before, item("x.example", 80))] == ["x.example"]
    assert cut(before, item("x.example", 80), limit="20%") == []
    # A number is of all.
    assert cut(before, item("x.example", 80), limit="20") == []


def test_lists_that_lose_a_little_each_are_cut_together() -> None:
    before: dict[str, int | DomainRows] = {f"d{number}.example": 20 for number in range(30)}
    refused = cut(before, *[item(name, 15) for name in before])
    assert [refusal.domain for refusal in refused] == [""]
    assert refused[0].cause.startswith("150 of the 600 recipients in the table would be removed, ")
    assert refused[0].cause.endswith("d19.example from 20 to 15, 10 more domains")


def test_list_that_stays_as_long_as_it_is_is_not_told() -> None:
    refused = cut({"a.example": 100, "b.example": 100}, item("a.example", 1), item("b.example", 100), limit="5")
    assert refused[0].cause.endswith("allows: a.example from 100 to 1")


def test_largest_loss_is_told_first() -> None:
    refused = cut({"a.example": 100, "b.example": 900}, item("a.example", 1), item("b.example", 1))
    assert refused[0].cause.endswith("allows: b.example from 900 to 1, a.example from 100 to 1")


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "absent"},
        {"recipients_policy": "any", "has_list": False},
        {"recipients_policy": "verify", "has_list": False},
        {"recipients_policy": "external", "has_list": False},
    ],
)
def test_what_goes_on_purpose_is_no_cut_list(fields: dict[str, Any]) -> None:
    assert cut({"x.example": 3000, "y.example": 3000}, item("x.example", 0, **fields)) == []


def test_postmaster_is_nobody_who_leaves() -> None:
    rows = DomainRows(count=2, postmaster=True, abuse=True)
    assert cut({"x.example": rows}, item("x.example", 2, lists_postmaster=True), limit="0") != []
    assert cut({"x.example": rows}, item("x.example", 3, lists_postmaster=True), limit="0") == []
    assert cut({"x.example": rows}, item("x.example", 3, lists_postmaster=True, lists_abuse=True), limit="0") != []
    assert cut({"x.example": rows}, item("x.example", 4, lists_postmaster=True, lists_abuse=True), limit="0") == []


def test_decision_refuses_a_cut_list() -> None:
    on = host(recipient_rows={"x.example": DomainRows(count=3000)})
    assert ("x.example", "max_removals") in checks(secondary(item("x.example", 5), on=on))
    assert checks(secondary(item("x.example", 5), on=on, max_removals="100%")) == []
    assert checks(secondary({"name": "x.example"}, on=on, recipient_check="none")) == []


def test_limit_that_is_none_is_refused() -> None:
    refused = secondary(item("x.example", 5), max_removals="some").refusals
    assert [(refusal.check, refusal.cause, refusal.remedy) for refusal in refused] == [
        ("max_removals", '"some" (max_removals) is not a number or a percentage', 'write it as 10 or as "10%"')
    ]


@pytest.mark.parametrize(("limit", "allowed"), [("", "461"), ("50%", "1901"), ("7", "108"), ("0", "101"), ("100%", "")])
def test_table_may_lose_what_the_lists_may_and_what_goes_on_purpose(limit: str, allowed: str) -> None:
    rows = {
        "x.example": DomainRows(count=2897, wildcard=True, postmaster=True, abuse=True),
        "y.example": DomainRows(count=97, postmaster=True),
        "other.example": DomainRows(count=602),
    }
    items = [item("x.example", 5), {"name": "y.example", "recipients_policy": "any"}]
    request = read_request({"role": "secondary_mx", "domains": items, "max_removals": limit})
    assert removals_allowed(request, host(recipient_rows=rows)) == allowed


@pytest.mark.parametrize("fields", [{"follows": True}, {"follows": True, "kept": "ad timed out", "has_list": False}])
def test_domain_that_follows_sources_is_guarded_elsewhere(fields: dict[str, Any]) -> None:
    rows = {"x.example": DomainRows(count=3000, postmaster=True, wildcard=True), "y.example": DomainRows(count=100)}
    items = [item("x.example", 5, **fields), item("y.example", 100)]
    assert cut({"x.example": rows["x.example"], "y.example": 100}, *items) == []
    request = read_request({"role": "secondary_mx", "domains": items, "max_removals": "5"})
    assert removals_allowed(request, host(recipient_rows=rows)) == "5"
