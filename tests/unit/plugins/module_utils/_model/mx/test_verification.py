# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    TableState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.verification import (
    ACTION,
    Verification,
    verification,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    PATTERNS,
    VERIFY,
    WIDE,
    checks,
    host,
    primary,
    secondary,
)


@pytest.mark.parametrize(
    ("parents", "rows"), [("smtpd_access_maps", ["x.example"]), ("relay_domains", ["x.example", ".x.example"])]
)
def test_mail_host_is_asked_about_subdomains_as_well(parents: str, rows: list[str]) -> None:
    on = host(subdomains=PATTERNS, values={"parent_domain_matches_subdomains": parents})
    assert list(primary({**WIDE, "recipients_policy": "verify"}, on=on).verify) == rows


def test_check_by_an_older_table_goes_with_it() -> None:
    old, new = (f"check_recipient_access {kind}:/t/relay_verify" for kind in ("hash", "lmdb"))
    on = host(
        verify=TableState("lmdb:/t/relay_verify", "/t/relay_verify", "lmdb", replaces=("hash:/t/relay_verify",)),
        values={"smtpd_recipient_restrictions": f"{old}, reject_unknown_recipient_domain"},
    )
    plan = primary({"name": "x.example", "recipients_policy": "verify"}, on=on)
    assert plan.main_cf.parameters["smtpd_recipient_restrictions"] == f"reject_unknown_recipient_domain, {new}"


VERIFIED = {"name": "x.example", "recipients_policy": "verify"}
CHECK = "check_recipient_access hash:/t/relay_verify"


def test_verified_domain_has_a_wildcard_and_asks_its_mail_host() -> None:
    plan = primary(VERIFIED)
    assert plan.refusals == []
    assert plan.recipients[0].policy == "any"
    assert plan.verify == {"x.example": "reject_unlisted_recipient, reject_unverified_recipient"}
    assert plan.main_cf.parameters == {"smtpd_recipient_restrictions": CHECK, "unverified_recipient_defer_code": "250"}


def test_verification_needs_postfix_2_6() -> None:
    on = host(values={"unverified_recipient_defer_code": None})
    assert checks(primary(VERIFIED, on=on)) == [("x.example", "verify")]


@pytest.mark.parametrize("name", ["smtpd_recipient_restrictions", "smtpd_sender_restrictions"])
def test_other_use_of_verification_is_refused(name: str) -> None:
    on = host(values={name: "reject_unverified_sender"})
    assert checks(primary(VERIFIED, on=on)) == [("x.example", "verify")]


@pytest.mark.parametrize(
    ("before", "parameters", "absent"),
    [
        (f"permit_mynetworks, {CHECK}", {"smtpd_recipient_restrictions": "permit_mynetworks"}, []),
        (CHECK, {}, ["smtpd_recipient_restrictions"]),
    ],
)
def test_last_verified_domain_takes_its_check_along(before: str, parameters: dict[str, str], absent: list[str]) -> None:
    rows = {"x.example": "reject_unverified_recipient"}
    values = {"smtpd_recipient_restrictions": before}
    plan = secondary(on=host(values=values, verify=replace(VERIFY, exists=True, rows=rows)))
    assert plan.verify_removed == ["x.example"]
    assert (plan.main_cf.parameters, plan.main_cf.absent) == (parameters, absent)
    other = secondary(on=host(values=values, verify=replace(VERIFY, exists=True, rows={**rows, "y.example": "z"})))
    assert (other.verify_removed, other.main_cf.parameters, other.main_cf.absent) == (["x.example"], {}, [])


def test_row_that_is_there_and_wanted_is_not_removed() -> None:
    on = host(verify=replace(VERIFY, exists=True, rows={"x.example": ACTION, "y.example": ACTION}))
    request = read_request({"role": "secondary_mx", "domains": [VERIFIED]})
    found = verification(request, on, ["y.example"])
    assert (found.rows, found.removed, found.check) == ({"x.example": ACTION}, ["y.example"], CHECK)


def test_no_check_is_left_if_nobody_is_verified() -> None:
    request = read_request({"role": "secondary_mx", "domains": [{**VERIFIED, "recipients_policy": "any"}]})
    assert verification(request, host(), []) == Verification({}, [], MainCfChange({}, []), "", [])


def test_rows_are_known_before_it_is_known_where_they_go() -> None:
    request = read_request({"role": "secondary_mx", "domains": [VERIFIED]})
    assert verification(request, host(verify=None), []) == Verification({"x.example": ACTION}, [], refusals=[])
