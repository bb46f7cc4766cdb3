# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import Content
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.relaying import RelayLists, relay_lists
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    CLOSED,
    checks,
    host,
    secondary,
)


def test_deferral_of_relay_attempts_becomes_a_rejection() -> None:
    on = host(
        values={"smtpd_relay_restrictions": "permit_mynetworks permit_sasl_authenticated defer_unauth_destination"}
    )
    assert secondary(on=on).main_cf.parameters == {"smtpd_relay_restrictions": CLOSED}


def test_deferral_behind_a_name_is_written_out() -> None:
    values = {
        "mine": "permit_mynetworks, defer_unauth_destination",
        "smtpd_relay_restrictions": "permit_mynetworks, defer_unauth_destination",
    }
    on = host(values=values, explicit={"smtpd_relay_restrictions": "$mine"})
    assert secondary(on=on).main_cf.parameters == {
        "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination"
    }


KNOWN = {"hash:/open": Content((("vip.example", "OK"),)), "hash:/shut": Content(())}


@pytest.mark.parametrize(
    ("values", "parameters"),
    [
        ({"smtpd_relay_restrictions": ""}, {"smtpd_relay_restrictions": CLOSED}),
        ({"smtpd_relay_restrictions": "", "smtpd_recipient_restrictions": CLOSED}, {}),
        (
            {
                "smtpd_relay_restrictions": None,
                "smtpd_recipient_restrictions": "permit_mynetworks, defer_unauth_destination",
            },
            {"smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination"},
        ),
        ({"smtpd_relay_restrictions": None}, {"smtpd_recipient_restrictions": CLOSED}),
        (
            {"smtpd_relay_restrictions": "", "smtpd_recipient_restrictions": "reject_unknown_recipient_domain"},
            {"smtpd_relay_restrictions": CLOSED},
        ),
        ({"smtpd_relay_restrictions": "permit", "smtpd_recipient_restrictions": CLOSED}, {}),
    ],
)
def test_some_list_is_closed_afterwards(values: dict[str, Any], parameters: dict[str, str]) -> None:
    plan = secondary(on=host(values=values))
    assert plan.refusals == []
    assert plan.main_cf.parameters == parameters


def test_list_that_lets_strangers_pass_is_told_and_not_covered_by_another() -> None:
    values = {"smtpd_relay_restrictions": "", "smtpd_recipient_restrictions": "check_sender_access static:OK"}
    plan = secondary(on=host(values=values))
    assert "smtpd_relay_restrictions" not in plan.main_cf.parameters
    assert checks(plan) == [("", "open_relay")]


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        (["permit_mynetworks", "permit"], True),
        (["permit_mynetworks", "permit_sasl_authenticated"], True),
        (["check_client_access static:OK", "reject_unauth_destination"], True),
        (["check_client_access hash:/open", "reject_unauth_destination"], True),
        (["check_client_access hash:/shut", "permit_mynetworks", "reject_unauth_destination"], False),
    ],
)
def test_relay_restrictions_that_would_open_a_relay_are_refused(wanted: list[str], refused: bool) -> None:
    plan = secondary(on=host(contents=KNOWN), relay_restrictions=wanted)
    assert checks(plan) == [("", "relay_restrictions"), ("", "open_relay")] * refused
    assert plan.main_cf.parameters == {"smtpd_relay_restrictions": ", ".join(wanted)}


def test_refusal_of_relay_restrictions_names_the_variable_of_the_role() -> None:
    assert relay_lists(
        read_request({"role": "primary_mx", "relay_restrictions": ["permit"]}), host(), {}, ""
    ).refusals == [
        Refusal(
            "",
            "relay_restrictions",
            "primary_mx_relay_restrictions (permit) would let a stranger relay",
            "end them with reject_unauth_destination, after the restrictions that permit only your own clients",
        )
    ]


def test_deferral_that_is_asked_for_becomes_a_rejection() -> None:
    plan = secondary(relay_restrictions=["permit_mynetworks", "defer_unauth_destination"])
    assert plan.main_cf.parameters == {"smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination"}


def test_list_that_is_asked_for_and_there_already_is_set_all_the_same() -> None:
    request = read_request({"relay_restrictions": CLOSED.split(", ")})
    assert relay_lists(request, host(), {}, "") == RelayLists({"smtpd_relay_restrictions": CLOSED}, [])


def test_list_that_another_part_of_the_plan_sets_is_the_one_that_counts() -> None:
    planned = {"smtpd_recipient_restrictions": "check_recipient_access hash:/v, defer_unauth_destination"}
    on = host(values={"smtpd_relay_restrictions": ""})
    assert relay_lists(read_request({}), on, planned, "check_recipient_access hash:/v") == RelayLists(
        {"smtpd_recipient_restrictions": "check_recipient_access hash:/v, reject_unauth_destination"}, []
    )


def test_relay_restrictions_are_recipient_restrictions_before_2_10() -> None:
    on = host(values={"smtpd_relay_restrictions": None, "smtpd_recipient_restrictions": CLOSED})
    wanted = ["permit_mynetworks", "reject_unauth_destination", "reject_unknown_recipient_domain"]
    plan = secondary(on=on, relay_restrictions=wanted)
    assert plan.main_cf.parameters == {
        "smtpd_recipient_restrictions": ", ".join([*wanted, "permit_sasl_authenticated"])
    }


def test_relay_restrictions_before_2_10_leave_what_main_cf_asks_of_recipients_besides() -> None:
    wanted = ["permit_mynetworks", "reject_unauth_destination", "permit"]
    present = "reject_unknown_sender_domain, permit_mynetworks, reject_unauth_destination, warn_if_reject $mine"
    after = "permit_mynetworks, reject_unauth_destination, reject_unknown_sender_domain, warn_if_reject $mine, permit"
    for before in (present, after):
        lists = {"smtpd_recipient_restrictions": before}
        on = host(values={"smtpd_relay_restrictions": None, **lists}, explicit=lists)
        plan = secondary(on=on, relay_restrictions=wanted)
        assert plan.main_cf.parameters["smtpd_recipient_restrictions"] == after


def test_relay_restrictions_before_2_10_leave_the_check_of_domains_that_are_verified() -> None:
    on = host(values={"smtpd_relay_restrictions": None})
    plan = secondary(
        {"name": "x.example", "recipients_policy": "verify"},
        on=on,
        relay_restrictions=["permit_mynetworks", "reject_unauth_destination", "permit"],
    )
    assert plan.main_cf.parameters["smtpd_recipient_restrictions"] == (
        "permit_mynetworks, reject_unauth_destination, check_recipient_access hash:/t/relay_verify, permit"
    )
