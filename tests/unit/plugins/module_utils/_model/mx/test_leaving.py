# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    DomainRows,
    MxRecord,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    OWN,
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
