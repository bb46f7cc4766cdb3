# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    DomainRows,
    MxRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.leaving import (
    Leaving,
    domains_that_leave,
    is_own_row,
    leaving_with_mail,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import RecipientsItem
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    OWN,
    PATTERN,
    PATTERNS,
    TRANSPORT,
    VERIFY,
    checks,
    host,
    secondary,
)


def test_undeclared_domains_are_removed_when_asked() -> None:
    on = host(
        relayed={"old.example": "old.example", "t.example": "hash:/t/d"},
        recipient_rows={"old.example": DomainRows(1, "d", True, False, True)},
        transport=replace(TRANSPORT, rows={"old.example": "relay:[old]"}),
    )
    plan = secondary(on=on, remove_undeclared=True)
    assert plan.main_cf.remove_items == {"relay_domains": ["old.example"]}
    assert [item.name for item in plan.recipients_removed] == ["old.example"]
    assert plan.routes.removed == ["old.example"]
    assert any("t.example" in note for note in plan.notes)


ABSENT = {"name": "x.example", "state": "absent"}
GONE = {
    "relayed": {"x.example": "x.example"},
    "recipient_rows": {"x.example": DomainRows(1, "d", True, False, True)},
    "transport": replace(
        TRANSPORT, rows={"x.example": "relay:[m]", ".x.example": "relay:[m]", "y.example": "relay:[m]"}
    ),
    "verify": replace(
        VERIFY,
        exists=True,
        rows={"x.example": "reject_unverified_recipient", "y.example": "reject_unverified_recipient"},
    ),
}


def test_absent_domain_leaves_with_all_that_is_its_own() -> None:
    plan = secondary(ABSENT, on=host(**GONE))
    assert plan.refusals == []
    assert plan.main_cf.remove_items == {"relay_domains": ["x.example"]}
    assert [(item.name, item.state) for item in plan.recipients_removed] == [("x.example", "absent")]
    assert plan.routes.removed == ["x.example", ".x.example"]
    assert plan.verify_removed == ["x.example"]
    assert plan.waiting == ["x.example"]


WAITING = (
    "deliver the mail first (module mxrelay.postfix.queue_flush), or set waiting_mail on the item: flush tries once "
    "more, keep leaves the mail its way to the mail host, bounce returns it to its senders"
)


@pytest.mark.parametrize(
    ("waiting", "cause"),
    [
        ({"x.example": 1}, "1 message waits for it in the queue, and would no longer find the mail host"),
        (
            {"x.example": 2, "sub.x.example": 1, "yx.example": 7, "declared.x.example": 9},
            "3 messages wait for it in the queue, and would no longer find the mail host",
        ),
    ],
)
@pytest.mark.parametrize("force", [True, False])
def test_domain_stays_while_mail_would_lose_its_way(force: bool, waiting: dict[str, int], cause: str) -> None:
    below = {"name": "declared.x.example", "recipients_policy": "any"}
    plan = secondary({**ABSENT, "force": force}, below, on=host(**GONE, waiting=waiting))
    assert plan.refusals == [Refusal("x.example", "waiting_mail", cause, WAITING)]
    assert (plan.main_cf.remove_items, plan.routes.removed) == ({}, [])
    gone = secondary({**ABSENT, "waiting_mail": "bounce"}, below, on=host(**GONE, waiting=waiting))
    assert gone.refusals == []
    assert gone.routes.removed == ["x.example", ".x.example"]
    assert gone.returned == [name for name in waiting if name in ("x.example", "sub.x.example")]


def test_row_that_a_run_has_left_for_mail_on_its_way_stays_until_nothing_waits() -> None:
    left = {"relayed": {}, "recipient_rows": {}, "verify": VERIFY, "transport": GONE["transport"]}
    plan = secondary(ABSENT, on=host(**left, waiting={"x.example": 1}))
    assert (plan.refusals, plan.routes.removed, plan.routed) == ([], [], [])
    cause = "1 message waits for it in the queue, and would no longer find the mail host"
    assert plan.notes == [f"rows of x.example stay for now: {cause}"]
    plan = secondary(ABSENT, on=host(**left))
    assert (plan.routes.removed, plan.routed) == (["x.example", ".x.example"], ["x.example"])


@pytest.mark.parametrize(
    ("item", "rows", "routed"),
    [
        (ABSENT, GONE["transport"].rows, ["x.example"]),
        ({**ABSENT, "waiting_mail": "bounce"}, GONE["transport"].rows, ["x.example"]),
        (ABSENT, {"y.example": "relay:[m]"}, []),
    ],
)
def test_mail_on_its_way_is_awaited_if_it_needs_a_row(
    item: dict[str, Any], rows: dict[str, str], routed: list[str]
) -> None:
    on = host(**{**GONE, "transport": replace(TRANSPORT, rows=rows)})
    assert secondary(item, on=on).routed == routed


@pytest.mark.parametrize(
    ("records", "refused"), [((OWN,), True), ((MxRecord(10, "mail.example", ("192.0.2.1",)), OWN), False), ((), False)]
)
def test_waiting_mail_of_a_secondary_finds_the_primary_unless_none_is_better(
    records: tuple[MxRecord, ...], refused: bool
) -> None:
    on = host(relayed={"x.example": "x.example"}, mx={"x.example": records}, waiting={"x.example": 1})
    plan = secondary({**ABSENT, "force": True}, on=on)
    assert [refusal.check for refusal in plan.refusals] == ["waiting_mail"] * refused


@pytest.mark.parametrize(
    ("items", "settings", "read"),
    [
        ([ABSENT], {}, True),
        ([{**ABSENT, "waiting_mail": "bounce"}], {}, True),
        ([{**ABSENT, "name": "never.example"}], {}, False),
        ([], {}, False),
        ([], {"remove_undeclared": True}, True),
        ([{"name": "x.example", "recipients_policy": "any"}], {"remove_undeclared": True}, False),
    ],
)
def test_queue_is_read_where_a_domain_leaves(items: list[Any], settings: dict[str, Any], read: bool) -> None:
    request = read_request({"role": "secondary_mx", "domains": items, **settings})
    assert leaving_with_mail(request, host(**GONE)) is read


def test_absent_domain_that_was_never_there_changes_nothing() -> None:
    plan = secondary(ABSENT)
    assert (
        plan.refusals,
        plan.main_cf.remove_items,
        plan.main_cf.parameters,
        plan.recipients_removed,
        plan.waiting,
    ) == (
        [],
        {},
        {},
        [],
        [],
    )


def test_absent_domain_whose_mx_is_still_this_host_is_refused_unless_forced() -> None:
    on = host(mx={"x.example": [MxRecord(10, "primary.example", ("192.0.2.1",)), OWN]}, **GONE)
    assert checks(secondary(ABSENT, on=on)) == [("x.example", "still_mx")]
    assert secondary({**ABSENT, "force": True}, on=on).main_cf.remove_items == {"relay_domains": ["x.example"]}


def test_absent_domain_that_a_table_relays_is_refused() -> None:
    on = host(relayed={"x.example": "hash:/t/d"})
    assert checks(secondary(ABSENT, on=on)) == [("x.example", "relay_domains")]


def test_absent_external_domain_keeps_rows_that_are_not_ours() -> None:
    plan = secondary({**ABSENT, "recipients_policy": "external"}, on=host(**GONE))
    assert plan.recipients_removed == []


def left_behind(*, undeclared: tuple[str, ...] = (), settings: dict[str, Any] | None = None, **fields: Any) -> Leaving:
    items = [{**ABSENT, "subdomains": True}] if not undeclared else []
    request = read_request({"role": "secondary_mx", "domains": items, **(settings or {})})
    return domains_that_leave(request, host(**fields), undeclared)


def test_item_of_an_absent_domain_says_where_it_was_declared() -> None:
    assert left_behind(**GONE).recipients == [
        RecipientsItem("x.example", "listed", state="absent", index=0, subdomains=True, changed=True)
    ]


def test_item_of_an_undeclared_domain_is_in_no_list() -> None:
    found = left_behind(undeclared=("x.example",), settings={"remove_undeclared": True}, **GONE)
    assert found.recipients == [RecipientsItem("x.example", "listed", state="absent", changed=True)]
    assert left_behind(undeclared=("x.example",), **GONE) == Leaving.joined([])


def test_pattern_of_the_subdomains_goes_too() -> None:
    found = left_behind(subdomains=replace(PATTERNS, rows={PATTERN: "x"}))
    assert (found.patterns, found.names, found.recipients) == ([PATTERN], ["x.example"], [])


def test_row_for_subdomains_that_routes_another_domain_stays() -> None:
    relayed = {"x.example": "x.example", "sub.x.example": "sub.x.example"}
    found = left_behind(**{**GONE, "relayed": relayed})
    assert found.transport == ["x.example"]
    assert found.notes == ["the transport row .x.example stays because it routes sub.x.example, which no role declares"]


def test_domain_that_its_own_transport_row_relays_goes_with_the_row() -> None:
    rows = {"x.example": "relay:[m]"}
    relayed = {"x.example": "proxy:hash:/t/transport"}
    found = left_behind(relayed=relayed, transport=replace(TRANSPORT, rows=rows))
    assert (found.transport, found.relay_domains, found.refusals) == (["x.example"], [], [])
    assert is_own_row("x.example", host(relayed=relayed)) is True
    assert is_own_row("x.example", host(relayed={"x.example": "hash:/t/other"})) is False
    assert is_own_row("x.example", host(relayed=relayed, transport=None)) is False


def test_host_that_is_named_by_several_records_is_refused_once() -> None:
    records = [MxRecord(10, "mx.example"), MxRecord(20, "alias.example", OWN.addresses)]
    assert left_behind(mx={"x.example": records}, **GONE).refusals == [
        Refusal(
            "x.example",
            "still_mx",
            "DNS still names this host (mx.example) as its MX, so its mail would be refused",
            "remove the MX record first, or declare the domain with state: absent and force: true",
        )
    ]


@pytest.mark.parametrize("proxies", [[], ["198.51.100.1"]])
def test_host_behind_nat_is_known_by_the_address_that_is_asked_for(proxies: list[str]) -> None:
    records = {"x.example": [MxRecord(10, "nat.example", ("198.51.100.1",))]}
    found = left_behind(settings={"proxy_interfaces": proxies}, mx=records, **GONE)
    assert [refusal.check for refusal in found.refusals] == ["still_mx"] * len(proxies)


def test_parts_are_joined_each_value_once() -> None:
    joined = Leaving.joined([Leaving(names=["a", "b"], notes=["n"]), Leaving(names=["b", "c"])])
    assert (joined.names, joined.notes, joined.transport) == (["a", "b", "c"], ["n"], [])
