# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import TableState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import (
    KEYED,
    MainCfChange,
    MasterCfChange,
    MxPlan,
    RecipientRows,
    RecipientsItem,
    Removal,
    ServiceChange,
    ServicePlan,
    StandbyPlan,
    TableRows,
)

TEXT = st.text(max_size=8)
TEXTS = st.lists(TEXT, max_size=3)
ROWS = st.dictionaries(TEXT, TEXT, max_size=3)
MEMBERS = st.dictionaries(TEXT, TEXTS, max_size=3)
FINDING = {"check": "class", "domain": "x.example", "severity": "error"}


def every(kind: type, **drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Instances of a dataclass with a strategy for each of its fields: what is new in it must be drawn too."""
    assert set(drawn) == {part.name for part in fields(kind)}
    return st.builds(kind, **drawn)


ITEMS = st.lists(
    every(
        RecipientsItem,
        name=TEXT,
        policy=st.sampled_from(["listed", "any"]),
        state=st.sampled_from(["present", "absent"]),
        index=st.none() | st.integers(0, 5),
        postmaster=st.booleans(),
        subdomains=st.booleans(),
        changed=st.booleans(),
        digest=TEXT,
        lists_postmaster=st.booleans(),
        abuse=st.booleans(),
        lists_abuse=st.booleans(),
    ),
    max_size=3,
)
TABLES = every(TableRows, reference=TEXT, path=TEXT, type=TEXT, rows=ROWS, repair=st.booleans(), changed=st.booleans())
PLANS = every(
    MxPlan,
    installed=st.booleans(),
    ready=st.booleans(),
    version=TEXT,
    packages=TEXTS,
    domains=TEXTS,
    undeclared=TEXTS,
    notes=TEXTS,
    recipients=every(
        RecipientRows,
        reference=TEXT,
        path=TEXT,
        type=TEXT,
        domains=ITEMS,
        repair=st.booleans(),
        changed=st.booleans(),
        max_removals=TEXT,
    ),
    transport=TABLES,
    **dict.fromkeys(KEYED, TABLES),
    removal=every(
        Removal, recipients=ITEMS, **dict.fromkeys(("transport", "routed", "flushed", "returned", *KEYED), TEXTS)
    ),
    standby=every(StandbyPlan, domains=TEXTS, subdomains=TEXTS, own=TEXTS, name=TEXT, changed=st.booleans()),
    main_cf=every(
        MainCfChange, parameters=ROWS, absent=TEXTS, add_items=MEMBERS, remove_items=MEMBERS, changed=st.booleans()
    ),
    master_cf=every(
        MasterCfChange,
        services=st.dictionaries(
            st.sampled_from(["relay/unix", "[::1]:smtp/inet"]),
            every(
                ServiceChange,
                overrides=st.dictionaries(st.text(max_size=4), st.none() | st.text(max_size=4), max_size=2),
                command=st.sampled_from(["", "smtp"]),
                private=st.none() | st.booleans(),
                chroot=st.none() | st.booleans(),
                renamed_from=st.sampled_from(["", "smtp/inet"]),
                process_limit=st.sampled_from(["", "0"]),
                state=st.sampled_from(["present", "absent"]),
            ),
        ),
        changed=st.booleans(),
    ),
    service=every(
        ServicePlan,
        name=TEXT,
        command=st.lists(st.text(max_size=8), max_size=3),
        manager=st.sampled_from(["auto", "systemd"]),
        managed=st.booleans(),
        active=st.none() | st.booleans(),
        enabled=st.none() | st.booleans(),
        reload=st.booleans(),
        restart=st.booleans(),
        changed=st.booleans(),
    ),
    refusals=st.lists(every(Refusal, domain=TEXT, check=TEXT, cause=TEXT, remedy=TEXT), max_size=2),
    judge=st.booleans(),
    verify_fail_on=st.none() | TEXTS,
    findings=st.none() | st.lists(st.just(FINDING), max_size=2),
    run=st.just({}) | st.just({"controller": "here", "pid": 7}),
    other_run=st.none() | st.just({"record": "theirs", "controller": "there", "pid": 8, "age": 9}),
    limits_over=st.booleans(),
    left_behind=st.booleans(),
    raise_over=st.booleans(),
    mark=TEXT,
    acts=st.booleans(),
)


@given(plan=PLANS)
def test_plan_comes_back_from_its_result_as_it_went(plan: MxPlan) -> None:
    travelled = json.loads(json.dumps(plan.as_result()))
    assert MxPlan.from_result(travelled) == plan
    assert MxPlan.from_result(travelled).as_result() == plan.as_result()


def test_what_a_result_lacks_is_as_in_a_plan_without_changes() -> None:
    assert MxPlan.from_result({}).as_result() == MxPlan().as_result()
    assert (MxPlan().pending, MxPlan().behind, MxPlan().changes) == (False, [], [])
    assert (MxPlan().service.restart, MxPlan().service.reload) == (False, False)
    part = MxPlan.from_result({"main_cf": {"parameters": {"ipv6": "no"}}, "removal": {"verify": [{"key": "k"}]}})
    assert (part.main_cf, part.removal.as_result()) == (MainCfChange({"ipv6": "no"}), Removal(verify=["k"]).as_result())


def test_standby_service_is_told_and_goes_at_the_end() -> None:
    plan = MxPlan(standby=StandbyPlan(["x.example"], changed=True))
    assert (plan.pending, plan.standby.removed, plan.changes) == (True, False, ["standby for x.example"])
    plan = MxPlan(standby=StandbyPlan(changed=True))
    assert (plan.pending, plan.standby.removed, plan.changes) == (True, True, ["remove the standby service"])


def test_what_a_run_left_behind_is_to_be_removed() -> None:
    plan = MxPlan(left_behind=True)
    assert plan.pending is True
    assert plan.changes == ["remove the record that a run which was cut off has left behind"]


def test_limits_that_have_expired_are_to_be_taken_back() -> None:
    plan = MxPlan(limits_over=True)
    assert (plan.pending, plan.changes) == (True, ["take limits of deliveries back, which have expired"])


def test_change_of_main_cf_without_some_parameters() -> None:
    change = MainCfChange({"a": "1", "b": "2"}, ["c", "d"], {"e": ["f"]}, changed=True)
    assert change.without({"a", "c"}) == MainCfChange({"b": "2"}, ["d"], {"e": ["f"]}, changed=True)
    assert change.without(()) == change


def test_raise_that_is_over_is_to_be_forgotten() -> None:
    plan = MxPlan(raise_over=True)
    assert (plan.pending, MxPlan.from_result(plan.as_result()).raise_over) == (True, True)
    assert plan.changes == ["forget that maximal_queue_lifetime was raised"]


ITEM = RecipientsItem("x.example", "any", changed=True)


@pytest.mark.parametrize(
    ("parts", "behind"),
    [
        ({"packages": ["postfix"]}, []),
        ({"recipients": RecipientRows(domains=[ITEM], changed=True)}, ["recipients"]),
        ({"subdomains": TableRows(changed=True), "transport": TableRows(changed=True)}, ["subdomains", "transport"]),
        *(({name: TableRows(changed=True)}, [name]) for name in KEYED),
        ({"removal": Removal(recipients=[ITEM])}, []),
        ({"removal": Removal(transport=["x.example"])}, []),
        *(({"removal": Removal(**{name: ["x"]})}, []) for name in KEYED),
        ({"main_cf": MainCfChange(changed=True)}, []),
        ({"master_cf": MasterCfChange(changed=True)}, []),
        ({"service": ServicePlan(changed=True)}, []),
    ],
)
def test_whatever_changes_makes_a_plan_pending(parts: dict[str, Any], behind: list[str]) -> None:
    plan = MxPlan(**parts)
    assert (plan.pending, plan.behind) == (True, behind)


def test_tables_that_get_or_lose_rows_are_written() -> None:
    plan = MxPlan(
        transport=TableRows(path="/t/transport", type="hash", changed=True),
        recipients=RecipientRows(path="/t/relay_recipients", type="hash"),
        verify=TableRows(path="/t/relay_verify", type="hash"),
        removal=Removal(verify=["x.example"]),
    )
    assert plan.tables_written == {"/t/transport": "hash", "/t/relay_verify": "hash"}


def test_each_change_is_a_line() -> None:
    plan = MxPlan(
        packages=["postfix-lmdb"],
        recipients=RecipientRows(domains=[ITEM, RecipientsItem("same.example", "listed")], changed=True),
        subdomains=TableRows(rows={"/x/": "x"}, changed=True),
        transport=TableRows(rows={"x.example": "relay:[m]"}, changed=True),
        verify=TableRows(rows={"x.example": "reject_unverified_recipient"}, changed=True),
        refused=TableRows(rows={"/r/": "HOLD"}, changed=True),
        filters=TableRows(rows={"/5/": "4"}, changed=True),
        probes=TableRows(rows={"x.example": "relay:"}, changed=True),
        main_cf=MainCfChange({"a": "b"}, ["c"], {"d": ["e", "f"]}, {"g": ["h"]}, True),
        master_cf=MasterCfChange(
            {
                "relay/unix": ServiceChange({"o": ""}, "smtp"),
                "bounce/unix": ServiceChange({"p": None}),
                "old/unix": ServiceChange(state="absent"),
            },
            True,
        ),
        removal=Removal([RecipientsItem("y.example", "listed", "absent")], ["y.example"], ["/y/"], ["y.example"]),
    )
    assert plan.changes == [
        "install postfix-lmdb",
        "recipients of x.example: any",
        "recipients of subdomains: /x/",
        "transport x.example relay:[m]",
        "verify recipients of x.example by asking its mail host",
        "reports of refused mail: /r/ HOLD",
        "refusals by a mail host: /5/ 4",
        "probes of recipients: x.example relay:",
        "main.cf: a = b",
        "main.cf: c is no longer set",
        "main.cf: d gets e, f",
        "main.cf: g loses h",
        "master.cf: relay/unix is added, which runs smtp",
        "master.cf: relay/unix -o o=",
        "master.cf: bounce/unix loses -o p",
        "master.cf: old/unix is removed",
        "remove the recipients of y.example",
        "remove the recipients of subdomains /y/",
        "remove transport y.example",
    ]


def test_configuration_that_is_as_wanted_is_no_change() -> None:
    plan = MxPlan(main_cf=MainCfChange({"a": "b"}), master_cf=MasterCfChange({"relay/unix": ServiceChange({"o": ""})}))
    assert plan.changes == []
    assert replace(plan, installed=False).changes == ["main.cf: a = b"]


TABLE = TableState("hash:/t", "/t", "hash", True, "hash:/t", rows={"k": "v"})


@pytest.mark.parametrize(
    ("table", "wanted", "repair", "changed"),
    [
        (TABLE, {}, False, False),
        (TABLE, {"k": "v"}, False, False),
        (TABLE, {"k": "new"}, False, True),
        (TABLE, {"other": "v"}, False, True),
        (replace(TABLE, repair=True), {}, True, True),
        (replace(TABLE, repair=True, member=""), {}, False, False),
        (replace(TABLE, repair=True, member=""), {"k": "v"}, True, True),
        (replace(TABLE, exists=False), {"k": "v"}, True, True),
        (replace(TABLE, exists=False, member=""), {}, False, False),
        (None, {"k": "v"}, False, True),
        (None, {}, False, False),
    ],
)
def test_rows_are_written_if_one_differs_or_the_table_is_broken(
    table: TableState | None, wanted: dict[str, str], repair: bool, changed: bool
) -> None:
    place = ("hash:/t", "/t", "hash") if table else ("", "", "")
    assert TableRows.planned(table, wanted) == TableRows(*place, wanted if changed else {}, repair, changed)


SAME = replace(ITEM, changed=False)


@pytest.mark.parametrize(
    ("table", "items", "repair", "changed"),
    [
        (TABLE, [], False, False),
        (TABLE, [SAME], False, False),
        (TABLE, [SAME, ITEM], False, True),
        (replace(TABLE, repair=True), [SAME], True, True),
        (replace(TABLE, repair=True), [], False, False),
        (replace(TABLE, exists=False), [SAME], True, True),
        (None, [ITEM], False, True),
    ],
)
def test_recipients_are_written_if_one_domain_differs_or_the_table_is_broken(
    table: TableState | None, items: list[RecipientsItem], repair: bool, changed: bool
) -> None:
    place = ("hash:/t", "/t", "hash") if table else ("", "", "")
    assert RecipientRows.planned(table, items) == RecipientRows(*place, items if changed else (), repair, changed)


def test_joined_changes_name_each_member_once() -> None:
    first = MainCfChange({"a": "1", "b": "1"}, ["x"], {"list": ["m", "n"]}, {}, True)
    other = MainCfChange({"b": "2"}, ["y"], {"list": ["n", "o"]}, {"other": ["p"]})
    assert first.joined(other) == MainCfChange(
        {"a": "1", "b": "2"}, ["x", "y"], {"list": ["m", "n", "o"]}, {"other": ["p"]}
    )


def refused(*checks: str) -> tuple[list[tuple[str, str]], dict[str, int]]:
    reasons = [Refusal(f"d{number}.example", check, "cause", "remedy") for number, check in enumerate(checks)]
    result = MxPlan(refusals=reasons).as_result()
    return [(refusal["domain"], refusal["check"]) for refusal in result["refusals"]], result["refusals_left"]


def test_twenty_reasons_to_refuse_are_shown_and_the_others_counted_by_check() -> None:
    shown, left = refused(*["no_recipients"] * 3000, *["class"] * 2)
    assert shown == [(f"d{number}.example", "no_recipients") for number in range(19)] + [("d3000.example", "class")]
    assert left == {"no_recipients": 2981, "class": 1}


def test_twenty_reasons_are_all_shown() -> None:
    shown, left = refused(*["no_recipients"] * 20)
    assert ([domain for domain, _check in shown], left) == ([f"d{number}.example" for number in range(20)], {})


def test_more_kinds_of_reasons_than_are_shown_are_counted() -> None:
    shown, left = refused(*map(str, range(25)))
    assert ([check for _domain, check in shown], left) == (
        [*map(str, range(20))],
        dict.fromkeys(["20", "21", "22", "23", "24"], 1),
    )
