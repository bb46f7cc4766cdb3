# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import MxRecord, TableState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import Decision
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.leaving_mail import (
    LeavingDomain,
    LeavingMail,
    leaving_mail,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.subdomain_patterns import report_patterns
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    OWN,
    TRANSPORT,
    host,
    secondary,
    service,
)

BETTER = MxRecord(10, "mail.example", ("192.0.2.1",))
ROUTED = LeavingDomain("x.example", ["x.example"], [], True)
BARE = LeavingDomain("x.example", [], [], True)


def found(leaving: LeavingDomain, asked: str, **fields: Any) -> LeavingMail:
    declared = [{"name": "declared.x.example", "recipients_policy": "any"}]
    request = read_request({"role": "secondary_mx", "domains": declared})
    on = host(**{"waiting": {"x.example": 2, "sub.x.example": 1, "declared.x.example": 9}, **fields})
    return leaving_mail(replace(leaving, asked=asked), request, on)


def told(mail: LeavingMail) -> list[str]:
    return [*mail.notes, *(refusal.cause for refusal in mail.refusals)]


@pytest.mark.parametrize("asked", ["refuse", "keep", "flush", "bounce"])
def test_nothing_is_done_where_nothing_waits(asked: str) -> None:
    assert found(ROUTED, asked, waiting={"yx.example": 1}) == LeavingMail()


@pytest.mark.parametrize("relayed", [True, False])
def test_mail_that_is_kept_keeps_its_rows(relayed: bool) -> None:
    mail = found(replace(ROUTED, relayed=relayed), "keep")
    assert mail == LeavingMail(
        keeps_routes=True,
        keeps_reports=True,
        notes=["rows of x.example stay for now: 3 messages wait for it in the queue"],
    )


@pytest.mark.parametrize("asked", ["refuse", "keep"])
def test_mail_that_needs_no_row_is_told_of(asked: str) -> None:
    mail = found(BARE, asked, mx={"x.example": (BETTER, OWN)})
    assert told(mail) == ["x.example: 3 messages wait for it in the queue, for the hosts of its MX records"]
    assert mail.refusals == ()


def test_mail_is_retried_before_the_domain_goes() -> None:
    assert found(ROUTED, "flush") == LeavingMail(
        flushed=["x.example", "sub.x.example"],
        keeps_reports=True,
        notes=["x.example: 3 messages wait for it in the queue, and are tried again first"],
    )


def test_mail_of_a_domain_that_is_gone_is_kept_instead_of_retried_in_each_run() -> None:
    gone = replace(ROUTED, relayed=False)
    assert found(gone, "flush") == found(gone, "keep")


@pytest.mark.parametrize(
    ("waiting", "said"),
    [
        ({"x.example": 2}, "2 messages wait for it in the queue, and are returned to the senders"),
        ({"x.example": 1}, "1 message waits for it in the queue, and is returned to the sender"),
    ],
)
@pytest.mark.parametrize("leaving", [ROUTED, replace(ROUTED, relayed=False), BARE])
def test_mail_is_returned(leaving: LeavingDomain, waiting: dict[str, int], said: str) -> None:
    assert found(leaving, "bounce", waiting=waiting, mx={"x.example": (OWN,)}) == LeavingMail(
        returned=["x.example"], keeps_reports=True, notes=[f"x.example: {said}"]
    )


def test_mail_that_is_on_hold_or_also_for_others_is_not_returned() -> None:
    some = found(ROUTED, "bounce", unreturnable={"x.example": 1})
    assert some.returned == ["x.example", "sub.x.example"]
    assert told(some) == [
        "x.example: 3 messages wait for it in the queue, and are returned to the senders; "
        "1 of them stays, on hold or also for another domain"
    ]
    every = found(ROUTED, "bounce", unreturnable={"x.example": 2, "sub.x.example": 1})
    assert (every.returned, every.keeps_routes) == ((), True)
    assert told(every) == [
        "rows of x.example stay for now: 3 messages wait for it in the queue; "
        "3 of them stay, on hold or also for another domain"
    ]


def test_mail_can_not_be_returned_before_3_5() -> None:
    mail = found(ROUTED, "bounce", version=(3, 4, 23))
    assert told(mail) == [
        "3 messages wait for it in the queue, and Postfix before 3.5 can't return mail before it expires"
    ]
    assert [refusal.remedy for refusal in mail.refusals] == ["set waiting_mail: keep on the item, or deliver it first"]
    assert found(ROUTED, "bounce", version=(3, 4, 23), waiting={}) == LeavingMail()


@pytest.mark.parametrize("asked", ["keep", "flush", "bounce"])
def test_mail_can_not_keep_a_row_by_which_more_comes_in(asked: str) -> None:
    mail = found(replace(ROUTED, relayed_by_row=True), asked)
    assert told(mail) == [
        "3 messages wait for it in the queue, and relay_domains has it from the transport row that the mail needs"
    ]


@pytest.mark.parametrize("asked", ["keep", "flush"])
def test_mail_that_would_loop_has_no_way_to_keep(asked: str) -> None:
    mail = found(BARE, asked, mx={"x.example": (OWN,)})
    assert told(mail) == [
        "3 messages wait for it in the queue, and DNS names no better MX host than this one, so it would bounce"
    ]


def leaves(asked: str, **fields: Any) -> Decision:
    """What is decided of the host's only domain, whose mail goes by a relay service that was guarded for it."""
    on = {
        "values": {"smtp_fallback_relay": "[fallback.example]"},
        "services": [service("smtp", "inet", "smtpd"), service(smtp_fallback_relay="")],
        "relayed": {"x.example": "x.example"},
        "transport": replace(TRANSPORT, rows={"x.example": "relay:[m]"}),
        "waiting": {"x.example": 1},
        "refused": TableState(
            "regexp:/t/relay_refused_mail", "/t/relay_refused_mail", "regexp", rows={REPORTS: "HOLD"}
        ),
    }
    return secondary({"name": "x.example", "state": "absent", "waiting_mail": asked}, on=host(**{**on, **fields}))


(REPORTS,) = report_patterns([("x.example", False)], ())


@pytest.mark.parametrize(
    ("asked", "removed", "flushed", "returned"),
    [
        ("keep", [], [], []),
        ("flush", ["x.example"], ["x.example"], []),
        ("bounce", ["x.example"], [], ["x.example"]),
    ],
)
def test_domain_goes_and_its_mail_stays_in_good_hands(
    asked: str, removed: list[str], flushed: list[str], returned: list[str]
) -> None:
    plan = leaves(asked)
    assert plan.refusals == []
    assert plan.main_cf.remove_items == {"relay_domains": ["x.example"]}
    assert (plan.routes.removed, plan.flushed, plan.returned) == (removed, flushed, returned)
    # A report of what is still refused is kept from strangers as before, and no fallback relay gets the mail.
    assert (plan.refused_removed, plan.services) == ([], {})


def test_rows_go_once_nothing_waits() -> None:
    plan = leaves("keep", waiting={}, relayed={})
    assert plan.routes.removed == ["x.example"]
    assert plan.refused_removed == [REPORTS]
    assert plan.services == {"relay/unix": ServiceChange({"smtp_fallback_relay": None})}


def test_mail_that_needs_no_row_keeps_no_setting_of_the_relay_service() -> None:
    plan = leaves("keep", transport=TRANSPORT, refused=None)
    assert plan.services == {"relay/unix": ServiceChange({"smtp_fallback_relay": None})}
