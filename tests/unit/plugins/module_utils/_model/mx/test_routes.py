# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    Capture,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import decide
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.routes import others_routed_by
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    TRANSPORT,
    checks,
    host,
    listed,
    primary,
    secondary,
    service,
)


@pytest.mark.parametrize(
    "fields",
    [
        {"values": {"relayhost": "[smart.example]"}},
        {"values": {"sender_dependent_relayhost_maps": "hash:/s"}},
        {"values": {"relay_transport": "smtp"}},
        {"weak_captures": {"x.example": Capture("hash:/other", "*", "smtp:[smart]")}},
    ],
)
def test_what_would_capture_a_secondarys_mail_gets_a_row_against_it(fields: dict[str, Any]) -> None:
    assert secondary(on=host(**fields)).routes.rows == {"x.example": "relay:"}


def test_secondary_that_was_primary_loses_its_transport_row() -> None:
    on = host(transport=replace(TRANSPORT, rows={"x.example": "relay:[old]", "y.example": "relay:[y]"}))
    assert secondary(on=on).routes.removed == ["x.example"]


BY_HAND = {"x.example": "smtp:[198.51.100.9]"}
STAYS = (
    "the transport row x.example smtp:[198.51.100.9] stays, because this role does not write such rows; "
    "remove it by hand if mail is to go by the domain's MX records"
)


@pytest.mark.parametrize("values", [{}, {"relayhost": "[smart.example]"}])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_route_by_hand_stays_and_is_told(values: dict[str, str], state: str) -> None:
    on = host(
        values=values,
        relayed={"x.example": "x.example"},
        transport=replace(TRANSPORT, rows=BY_HAND),
        services=[service("smtp", "inet", "smtpd"), service(), service("smtp")],
    )
    plan = secondary(listed(state=state), on=on)
    assert (plan.refusals, plan.routes.rows, list(plan.routes.removed), plan.notes) == ([], {}, [], [STAYS])


@pytest.mark.parametrize("result", ["error:5.1.1 gone", "discard:", "local:"])
def test_route_by_hand_that_leads_nowhere_is_refused(result: str) -> None:
    plan = secondary(on=host(transport=replace(TRANSPORT, rows={"x.example": result})))
    assert checks(plan) == [("x.example", "transport")]


def test_route_by_hand_gives_way_to_a_mail_host() -> None:
    plan = primary(on=host(transport=replace(TRANSPORT, rows=BY_HAND)))
    assert (plan.routes.rows, plan.notes) == ({"x.example": "relay:[mail.example]"}, [])


def test_route_by_hand_for_subdomains_stays_and_is_told() -> None:
    on = host(transport=replace(TRANSPORT, rows={".x.example": "smtp:"}))
    plan = primary(on=on)
    assert (list(plan.routes.removed), plan.notes[0].split(" stays")[0]) == ([], "the transport row .x.example smtp:")
    wide = secondary(listed(subdomains=True), on=replace(on, values={**on.values, "relayhost": "[smart.example]"}))
    assert wide.routes.rows == {"x.example": "relay:"}


X_ROW = {"x.example": "relay:[mail.example]"}
X_SUB_ROW = {".x.example": "relay:[mail.example]"}
X_PRIMARY = listed("x.example", role="primary", mail_host="mail.example")
SUB_SECONDARY = listed("sub.x.example", role="secondary")
SUB_ROW = {"sub.x.example": "relay:"}


@pytest.mark.parametrize(
    ("domains", "rows", "settled"),
    [
        ([X_PRIMARY], {}, X_ROW),
        ([{**X_PRIMARY, "subdomains": True}], {}, {**X_ROW, **X_SUB_ROW, **SUB_ROW}),
        ([X_PRIMARY], X_SUB_ROW, X_ROW),
        ([{**X_PRIMARY, "state": "absent"}], {**X_SUB_ROW, **SUB_ROW}, {}),
        ([listed(role="secondary", subdomains=True)], {".x.example": "relay:", **SUB_ROW}, {}),
        ([listed(role="secondary")], {".x.example": "relay:"}, {}),
        ([], X_SUB_ROW, {**X_SUB_ROW, **SUB_ROW}),
        ([], {"*": "smtp:[smart.example]"}, {"*": "smtp:[smart.example]", **SUB_ROW}),
        ([], X_ROW, X_ROW),
    ],
)
@pytest.mark.parametrize("parents_first", [True, False])
def test_row_of_a_secondary_is_for_the_rows_that_stay(
    domains: list[dict[str, Any]], rows: dict[str, str], settled: dict[str, str], parents_first: bool
) -> None:
    """A second plan, on the rows that the first one leaves, is for the same ones."""
    declared = [*domains, SUB_SECONDARY] if parents_first else [SUB_SECONDARY, *domains]
    request = read_request({"role": "mx", "domains": declared})
    for _run in range(2):
        plan = decide(request, host(transport=replace(TRANSPORT, rows=rows)))
        assert plan.refusals == []
        rows = {**{key: value for key, value in rows.items() if key not in plan.routes.removed}, **plan.routes.rows}
        assert rows == settled


@pytest.mark.parametrize("subdomains", [True, False])
def test_row_for_subdomains_leaves_the_other_roles_domains_to_their_mx(subdomains: bool) -> None:
    on = host(relayed={"sub.x.example": "sub.x.example", ".sub.x.example": "sub.x.example", "y.example": "y.example"})
    peer = {"role": "secondary_mx", "domains": ["sub.x.example", "new.x.example", "y.example"]}
    plan = primary(listed(subdomains=subdomains), on=on, peer=peer)
    kept = {"sub.x.example": "relay:", ".sub.x.example": "relay:"} if subdomains else {}
    assert {key: result for key, result in plan.routes.rows.items() if result == "relay:"} == kept
    routed = dict.fromkeys(("sub.x.example", ".sub.x.example"), "relay:[own.example]")
    on = replace(on, transport=replace(TRANSPORT, rows=routed))
    assert "relay:" not in primary(listed(subdomains=subdomains), on=on, peer=peer).routes.rows.values()


def test_row_for_subdomains_that_takes_an_undeclared_domain_with_it_is_noted() -> None:
    on = host(relayed={"sub.x.example": "hash:/t/relayed"})
    note = "the transport row .x.example also routes sub.x.example, which no role declares"
    assert primary(listed(subdomains=True), on=on, undeclared_domains="any").notes == [note]
    routed = replace(on, transport=replace(TRANSPORT, rows={".x.example": "relay:[mail.example]"}))
    assert primary(listed(subdomains=True), on=routed, undeclared_domains="any").notes == []
    declared = read_request({"role": "mx", "domains": [{**X_PRIMARY, "subdomains": True}, SUB_SECONDARY]})
    assert decide(declared, on).notes == []


def test_rows_of_a_table_that_postfix_does_not_read_capture_nothing() -> None:
    unread = replace(TRANSPORT, member="", rows={"*": "smtp:[smart.example]"})
    assert secondary(on=host(transport=unread)).routes.rows == {}


def test_row_for_subdomains_goes_where_they_are_no_longer_wanted() -> None:
    on = host(transport=replace(TRANSPORT, rows={".x.example": "relay:[mail.example]"}))
    assert primary(on=on).routes.removed == [".x.example"]
    assert primary(listed(subdomains=True), on=on).routes.removed == []


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize(
    ("relayed", "rows", "goes"),
    [
        ({}, {}, True),
        ({"s.x.example": "s.x.example"}, {}, False),
        ({"s.x.example": "s.x.example"}, {"s.x.example": "relay:[m]"}, True),
    ],
)
def test_row_that_routes_a_subdomain_of_others_stays(
    relayed: dict[str, str], rows: dict[str, str], goes: bool, state: str
) -> None:
    on = host(
        relayed={"x.example": "x.example", **relayed},
        transport=replace(TRANSPORT, rows={"x.example": "relay:[m]", ".x.example": "relay:[m]", **rows}),
    )
    plan = primary(listed(state=state), on=on)
    assert (".x.example" in plan.routes.removed) is goes
    assert ["the transport row .x.example stays" in note for note in plan.notes] == [True] * (not goes)


def test_domain_that_goes_too_needs_no_row() -> None:
    on = host(
        relayed={"s.x.example": "s.x.example", "t.x.example": "hash:/t/d"},
        transport=replace(TRANSPORT, rows={".x.example": "relay:[m]"}),
    )
    kept, removed = (
        read_request({"role": "primary_mx", "domains": [], "remove_undeclared": remove}) for remove in (False, True)
    )
    assert others_routed_by(".x.example", kept, on) == ["s.x.example", "t.x.example"]
    # What a table relays is not ours to remove.
    assert others_routed_by(".x.example", removed, on) == ["t.x.example"]
    notes = primary(listed(subdomains=True), on=replace(on, transport=TRANSPORT), remove_undeclared=True).notes
    assert [note for note in notes if "also routes" in note] == []


def test_subdomains_of_a_declared_domain_are_no_others() -> None:
    on = host(
        relayed={".s.x.example": ".s.x.example", ".t.x.example": ".t.x.example"},
        transport=replace(TRANSPORT, rows={".x.example": "relay:[m]"}),
    )
    request = read_request({"role": "primary_mx", "domains": [listed("s.x.example", mail_host="mail.example")]})
    assert others_routed_by(".x.example", request, on) == [".t.x.example"]


@pytest.mark.parametrize("transport", ["relay", ""])
def test_relay_transport_of_the_role_captures_nothing(transport: str) -> None:
    assert secondary(on=host(values={"relay_transport": transport})).routes.rows == {}
