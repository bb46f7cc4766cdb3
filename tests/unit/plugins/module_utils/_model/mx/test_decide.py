# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.admission import AdmissionEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    Capture,
    DomainRows,
    HostState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import joined_services
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import RecipientsItem, ServiceChange
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    RECIPIENTS,
    TRANSPORT,
    checks,
    host,
    listed,
    primary,
    secondary,
    service,
)


def test_new_secondary_is_relayed_with_its_recipients_and_no_transport_row() -> None:
    plan = secondary()
    assert plan.refusals == []
    assert plan.main_cf.add_items == {"relay_domains": ["x.example"]}
    assert plan.main_cf.parameters == {}
    assert plan.routes.rows == {}
    assert plan.recipients == [
        RecipientsItem("x.example", "listed", index=0, postmaster=True, changed=True, digest="d")
    ]


def test_new_primary_has_a_transport_row_as_well() -> None:
    plan = primary(listed(port=2525))
    assert plan.refusals == []
    assert plan.routes.rows == {"x.example": "relay:[mail.example]:2525"}


def test_converged_host_needs_nothing() -> None:
    on = host(
        relayed={"x.example": "x.example"},
        recipient_rows={"x.example": DomainRows(2, "d", True, False, True)},
        transport=replace(TRANSPORT, rows={"x.example": "relay:[mail.example]"}),
    )
    plan = primary(on=on)
    assert (plan.refusals, plan.main_cf.add_items, plan.main_cf.remove_items, plan.main_cf.parameters) == (
        [],
        {},
        {},
        {},
    )
    assert [item.changed for item in plan.recipients] == [False]
    assert plan.routes.removed == []


def test_mail_captured_before_our_row_is_refused() -> None:
    on = host(captures={"x.example": Capture("regexp:/t/all", "any address of x.example", "smtp:[other]")})
    assert checks(primary(on=on)) == [("x.example", "captured")]
    assert checks(secondary(on=on)) == [("x.example", "captured")]


def test_removal_of_undeclared_domains_does_not_close_those_that_stay() -> None:
    on = host(
        values={"relay_recipient_maps": ""},
        recipients=replace(RECIPIENTS, member="", exists=False),
        relayed={"old.example": "old.example", "t.example": "hash:/t/d", "peer.example": "peer.example"},
        unlisted_relay_members=["ldap:/l"],
    )
    peer = {"role": "primary_mx", "domains": ["peer.example"]}
    plan = secondary(on=on, remove_undeclared=True, peer=peer)
    assert checks(plan) == [("t.example", "undeclared"), ("ldap:/l", "undeclared")]
    assert [(item.name, item.policy) for item in plan.recipients] == [("x.example", "listed"), ("peer.example", "any")]
    assert plan.main_cf.remove_items == {"relay_domains": ["old.example"]}


def test_host_without_postfix_is_judged_by_the_values_alone() -> None:
    bare = HostState(missing_packages=["postfix"])
    plan = primary(on=bare)
    assert plan.refusals == []
    assert plan.main_cf.add_items == {"relay_domains": ["x.example"]}
    assert plan.routes.rows == {"x.example": "relay:[mail.example]"}
    assert checks(primary({"name": "x.example"}, on=bare)) == [("x.example", "no_recipients")]


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        (["permit_mynetworks", "reject"], True),
        (["reject_rbl_client rbl.example", "defer"], True),
        (["check_client_access hash:/etc/postfix/clients", "reject"], True),
        (["warn_if_reject reject", "permit"], False),
        (["reject_rbl_client rbl.example"], False),
    ],
)
def test_client_restrictions_that_let_nobody_in_are_refused(wanted: list[str], refused: bool) -> None:
    assert checks(secondary(client_restrictions=wanted)) == [("", "refuses_strangers")] * refused


def test_client_restrictions_that_let_strangers_in_mend_those_that_did_not() -> None:
    on = host(values={"smtpd_client_restrictions": "permit_mynetworks, reject"})
    assert checks(secondary(on=on)) == [("", "refuses_strangers")]
    assert checks(secondary(on=on, client_restrictions=["permit_mynetworks"])) == []
    overridden = [service("smtp", "inet", "smtpd", smtpd_client_restrictions="reject"), service()]
    assert checks(secondary(on=host(services=overridden), client_restrictions=["permit_mynetworks"])) == [
        ("", "refuses_strangers")
    ]


def test_table_that_the_run_makes_is_no_refusal() -> None:
    values = {"smtpd_recipient_restrictions": "reject_unauth_destination, check_recipient_access hash:/t/relay_verify"}
    gone = AdmissionEvidence(unread={"hash:/t/relay_verify": "no such file", "hash:/other": "no such file"})
    assert (
        checks(
            primary(
                {"name": "x.example", "recipients_policy": "verify", "mail_host": "mail.example"},
                on=host(values=values, admission=gone),
            )
        )
        == []
    )
    values = {"smtpd_sender_restrictions": "check_sender_access hash:/other"}
    assert checks(secondary(on=host(values=values, admission=gone))) == [("", "restriction_table")]


def test_changes_of_one_service_are_one() -> None:
    first = {"smtpd/pass": ServiceChange({"a": "1"}, command="smtpd", renamed_from="smtp/inet")}
    second = {"smtpd/pass": ServiceChange({"b": "2"}), "relay/unix": ServiceChange({"c": "3"})}
    assert joined_services(first, second) == {
        "smtpd/pass": ServiceChange({"a": "1", "b": "2"}, command="smtpd", renamed_from="smtp/inet"),
        "relay/unix": ServiceChange({"c": "3"}),
    }
