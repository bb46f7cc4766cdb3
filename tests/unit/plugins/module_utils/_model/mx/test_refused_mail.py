# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, TableState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reports import ReportEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import host_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import Decision
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange, ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.refused_mail import (
    OTHER_LINES,
    own_domain,
    report_targets,
    reports_after,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.subdomain_patterns import (
    domain_of_report_pattern,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    checks,
    host,
    listed,
    secondary,
    service,
)

REPORTS = TableState("regexp:/t/relay_refused_mail", "/t/relay_refused_mail", "regexp")
PATTERN = "/^(Final|Original)-Recipient: *(rfc822|utf-8); *.*@x\\.example$/"
VALUES = {
    "bounce_service_name": "bounce",
    "defer_service_name": "defer",
    "cleanup_service_name": "cleanup",
    "notify_classes": "resource, software",
    "internal_mail_filter_classes": "",
    "smtpd_discard_ehlo_keywords": "",
    "bounce_size_limit": "50000",
    "mydestination": "mx.example, localhost.example, localhost",
}
SERVICES = [
    service("smtp", "inet", "smtpd"),
    service(),
    service("cleanup", "unix", "cleanup"),
    service("bounce", "unix", "bounce"),
    service("defer", "unix", "bounce"),
]


def mx(**fields: Any) -> HostState:
    values = {**VALUES, **fields.pop("values", {})}
    return host(**{"values": values, "services": SERVICES, "refused": REPORTS, **fields})


def keeping(on: HostState, *domains: dict[str, Any], **settings: Any) -> Decision:
    return secondary(*(domains or [listed(refused_mail="hold")]), on=on, **settings)


def done(on: HostState, decision: Decision) -> HostState:
    """The host after a run."""
    rows = (
        {key: value for key, value in on.refused.rows.items() if key not in decision.refused_removed}
        if on.refused
        else {}
    )
    after = host_after(on, MainCfChange(), decision.services)
    member = REPORTS.reference if any(each.name == "bounce-cleanup" for each in after.services) else ""
    return replace(after, refused=replace(REPORTS, exists=True, member=member, rows={**rows, **decision.refused}))


def test_bounces_go_through_a_cleanup_that_knows_the_domain() -> None:
    plan = keeping(mx())
    assert plan.refusals == []
    assert plan.refused == {OTHER_LINES: "DUNNO", PATTERN: "HOLD"}
    reporting = ServiceChange(
        {
            "cleanup_service_name": "bounce-cleanup",
            "bounce_size_limit": "2000000000",
            "internal_mail_filter_classes": "bounce",
            "notify_classes": "resource,software,2bounce",
        }
    )
    assert {key: change for key, change in plan.services.items() if key != "relay/unix"} == {
        "bounce-cleanup/unix": ServiceChange(
            {
                "body_checks": "regexp:/t/relay_refused_mail",
                "body_checks_size_limit": "20000000",
                "header_checks": "",
                "message_size_limit": "0",
                "mime_header_checks": "",
                "nested_header_checks": "",
                "non_smtpd_milters": "",
            },
            "cleanup",
            private=False,
            process_limit="0",
        ),
        "bounce/unix": reporting,
        "defer/unix": reporting,
        "smtp/inet": ServiceChange({"smtpd_discard_ehlo_keywords": "silent-discard,dsn"}),
    }


def test_second_run_changes_nothing() -> None:
    after = done(mx(), keeping(mx()))
    again = keeping(after)
    assert host_after(after, MainCfChange(), again.services).services == after.services
    assert again.refused == after.refused.rows if after.refused else False
    assert again.refused_removed == []


@pytest.mark.parametrize("gone", [{"name": "x.example", "state": "absent"}, listed(refused_mail="bounce")])
def test_last_domain_takes_it_all_back(gone: dict[str, Any]) -> None:
    before = mx(relayed={"x.example": "x.example"})
    after = done(before, keeping(before))
    plan = keeping(after, gone)
    assert plan.refused == {}
    assert sorted(plan.refused_removed) == sorted([OTHER_LINES, PATTERN])
    assert [each for each in done(after, plan).services if each.name != "relay"] == [
        each for each in before.services if each.name != "relay"
    ]


def test_domain_that_stays_keeps_it() -> None:
    before = mx(relayed={"x.example": "x.example", "y.example": "y.example"})
    both = [listed(refused_mail="hold"), listed("y.example", refused_mail="postmaster")]
    after = done(before, keeping(before, *both))
    plan = keeping(after, {"name": "x.example", "state": "absent"})
    assert (list(plan.refused_removed), set(plan.services) - {"relay/unix"}) == ([PATTERN], set())
    assert done(after, plan).services == after.services


@pytest.mark.parametrize(
    ("own", "value"),
    [
        ({}, "chunking"),
        ({"smtpd_discard_ehlo_keywords": "etrn, chunking"}, "chunking"),
        ({"smtpd_discard_ehlo_keywords": "dsn"}, ""),
        ({"smtpd_discard_ehlo_keywords": "chunking,dsn,silent-discard"}, "chunking"),
        ({}, "DSN"),
    ],
)
def test_keywords_of_others_stay(own: dict[str, str], value: str) -> None:
    services = [service("smtp", "inet", "smtpd", **own), *SERVICES[1:]]
    before = mx(services=services, values={"smtpd_discard_ehlo_keywords": value})
    after = done(before, keeping(before))
    kept = own.get("smtpd_discard_ehlo_keywords", value)
    if "dsn" in kept.lower():
        assert after.services[0] == services[0]
    else:
        assert after.services[0].overrides == {"smtpd_discard_ehlo_keywords": f"{kept},silent-discard,dsn"}
    assert done(after, keeping(after, listed())).services[0] == services[0]


def test_own_settings_of_the_bounce_service_stay() -> None:
    bounce = service("bounce", "unix", "bounce", notify_classes="bounce, 2bounce", bounce_size_limit="90")
    before = mx(services=[*SERVICES[:3], bounce, SERVICES[4]])
    after = done(before, keeping(before))
    assert after.services[3].overrides["notify_classes"] == "bounce, 2bounce"
    assert after.services[3].overrides["bounce_size_limit"] == "2000000000"


def test_postmaster_is_one_who_gets_mail_here() -> None:
    item = listed(refused_mail="postmaster")
    assert keeping(mx(), item).refused[PATTERN] == "REDIRECT postmaster@localhost"
    assert (
        keeping(mx(values={"mydestination": "mx.example"}), item).refused[PATTERN] == "REDIRECT postmaster@mx.example"
    )
    plan = keeping(mx(values={"mydestination": ""}), item)
    assert checks(plan) == [("x.example", "refused_mail")]
    plan = keeping(mx(values={"mydestination": ""}), item, refused_mail_to="ops@there.example")
    assert (plan.refusals, plan.refused[PATTERN]) == ([], "REDIRECT ops@there.example")


@pytest.mark.parametrize("given", ["ops", "@there.example", "ops@", "o ps@there.example", "ops@X.example"])
def test_address_that_gets_no_report_is_refused(given: str) -> None:
    plan = keeping(mx(), listed(refused_mail="postmaster"), refused_mail_to=given)
    assert [check for _domain, check in checks(plan)] == ["refused_mail"]


def test_own_domain_is_a_name() -> None:
    assert own_domain(mx(values={"mydestination": "hash:/d, /etc/d, mx.other"})) == "mx.other"
    assert own_domain(mx(values={"mydestination": "hash:/d"})) == ""


@pytest.mark.parametrize(
    "theirs",
    [
        service("bounce-cleanup", "unix", "cleanup"),
        service("bounce-cleanup", "unix", "cleanup", body_checks="regexp:/mine"),
        service("bounce", "unix", "bounce", cleanup_service_name="pre-cleanup"),
    ],
)
def test_services_of_others_are_not_taken(theirs: Any) -> None:
    services = [each for each in SERVICES if each.name != theirs.name] + [theirs]
    assert checks(keeping(mx(services=services))) == [("x.example", "refused_mail")]


def test_retry_needs_what_keeps_the_report() -> None:
    assert [check for _domain, check in checks(keeping(mx(), listed(refused_mail_retry=True)))] == ["invalid"]


def matches(pattern: str, line: str) -> bool:
    return bool(re.search(pattern.strip("/"), line, re.IGNORECASE))


@pytest.mark.parametrize(
    ("address", "narrow", "wide"),
    [
        ("u@x.example", True, True),
        ('"a b"@X.Example', True, True),
        ("u@sub.x.example", False, True),
        ("u@a.sub.x.example", False, True),
        ("u@own.x.example", False, False),
        ("u@a.own.x.example", False, False),
        ("u@yx.example", False, False),
        ("u@x.example.org", False, False),
        ("u@xaexample", False, False),
    ],
)
def test_pattern_is_that_of_the_domain(address: str, narrow: bool, wide: bool) -> None:
    own = listed("own.x.example")
    for subdomains, expected in ((False, narrow), (True, wide)):
        plan = keeping(mx(), listed(refused_mail="hold", subdomains=subdomains), own)
        pattern = list(plan.refused)[1]
        for field in ("Final-Recipient: rfc822; ", "Original-Recipient: rfc822;", "Final-Recipient: utf-8; "):
            assert matches(pattern, field + address) is expected
        assert not matches(pattern, f"To: {address}")


def test_what_main_cf_has_looked_for_in_mail_is_not_looked_for_in_bounces() -> None:
    plan = keeping(mx(values={"body_checks": "pcre:/b"}))
    assert plan.services["bounce-cleanup/unix"].overrides["body_checks"] == REPORTS.reference


def test_reports_go_to_one_address() -> None:
    given = [{"role": "secondary_mx", "domains": [listed(refused_mail=mode)]} for mode in ("postmaster", "bounce")]
    assert [report_targets(read_request(params), mx()) for params in given] == [["postmaster@localhost"], []]


def test_own_table_can_be_read_after_the_run_and_others_as_before() -> None:
    unread = {REPORTS.reference: "no such file", "pcre:/o": "no such table"}
    request = read_request({"role": "secondary_mx", "domains": [listed(refused_mail="hold")]})
    after = reports_after(request, mx(reports=ReportEvidence(unread=unread)))
    assert after.unread == {"pcre:/o": "no such table"}
    without = reports_after(request, mx(refused=None, reports=ReportEvidence(unread=unread)))
    assert without.unread == unread


def test_host_that_looks_at_its_bounces_goes_on_to_do_so() -> None:
    """By milters that sign them, or by rules of its own."""
    values = {"internal_mail_filter_classes": "bounce, notify", "body_checks": "pcre:/b, pcre:/c"}
    plan = keeping(mx(values=values))
    assert plan.services["bounce-cleanup/unix"].overrides == {
        "body_checks": "regexp:/t/relay_refused_mail,pcre:/b,pcre:/c",
        "body_checks_size_limit": "20000000",
        "message_size_limit": "0",
    }
    after = done(mx(values=values), plan)
    assert checks(keeping(after)) == []
    assert [each.name for each in done(after, keeping(after, listed())).services] == [each.name for each in SERVICES]


def test_cleanup_that_main_cf_names_makes_way_for_ours() -> None:
    own = replace(service("mine", "unix", "cleanup"), chroot="y")
    plan = keeping(mx(services=[*SERVICES, own], values={"cleanup_service_name": "mine"}))
    assert (plan.refusals, plan.services["bounce-cleanup/unix"].chroot) == ([], True)


def test_table_that_is_gone_takes_nothing_along() -> None:
    """The other role may have domains in it."""
    after = done(mx(), keeping(mx()))
    lost = replace(after, refused=replace(REPORTS, member=REPORTS.reference))
    plan = keeping(lost, listed())
    assert set(plan.services) - {"relay/unix"} == set()
    assert plan.notes == ["regexp:/t/relay_refused_mail is gone: the role that keeps refused mail puts it back"]


def test_table_in_another_directory_is_named_and_can_be_given_up() -> None:
    after = done(mx(), keeping(mx()))
    moved = replace(after, refused=TableState("regexp:/n/relay_refused_mail", "/n/relay_refused_mail", "regexp"))
    (refusal,) = keeping(moved).refusals
    assert refusal.remedy == "keep table_directory as it was, or run once with refused_mail: bounce for every domain"
    plan = keeping(moved, listed())
    assert plan.services["bounce-cleanup/unix"] == ServiceChange(state="absent")


def test_bounces_that_are_handed_to_nobody_go_the_usual_way_again() -> None:
    after = done(mx(), keeping(mx()))
    without = replace(after, services=[each for each in after.services if each.name != "bounce-cleanup"])
    plan = keeping(replace(without, refused=REPORTS), {"name": "x.example", "state": "absent"})
    assert plan.services["bounce/unix"].overrides["cleanup_service_name"] is None


def test_domain_with_mail_does_not_go_before_its_reports_are_nobodys() -> None:
    before = mx(relayed={"x.example": "x.example"})
    after = replace(done(before, keeping(before)), waiting={"x.example": 3})
    gone = {"name": "x.example", "state": "absent"}
    (refusal,) = (each for each in keeping(after, gone).refusals if each.check == "waiting_mail")
    assert (
        refusal.cause
        == "3 messages wait for it in the queue, and would bounce to strangers if the mail host refuses it"
    )
    assert checks(keeping(after, {**gone, "waiting_mail": "bounce"})) == []


def test_letters_beyond_ascii_match_in_both_cases() -> None:
    plan = keeping(mx(), listed("bücher.example", refused_mail="hold"))
    pattern = list(plan.refused)[1]
    for address in ("u@bücher.example", "u@BÜCHER.Example"):
        assert re.search(pattern.strip("/"), f"Final-Recipient: utf-8; {address}", re.IGNORECASE | re.ASCII)
    assert domain_of_report_pattern(pattern) == "bücher.example"
