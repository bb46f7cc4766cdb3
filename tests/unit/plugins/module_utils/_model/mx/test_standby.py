# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import (
    CLASS,
    RESTRICTIONS,
    StandbyState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import host_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import Decision
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange, ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.standby import decide_standby
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.standby_files import StandbyRequest
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    CLOSED,
    checks,
    host,
    listed,
    primary,
    secondary,
    service,
)

LIST = "smtpd_recipient_restrictions"
CLASSES = "smtpd_restriction_classes"
RUNNING = StandbyState(supervised=True, installed=True, domains=("x.example",))


def mx(present: str = "", **fields: Any) -> HostState:
    """A host that systemd runs, with that list of recipient restrictions."""
    values = {LIST: present, CLASSES: "", **fields.pop("values", {})}
    return host(**{"standby": StandbyState(supervised=True), **fields, "values": values})


def asking(*domains: dict[str, Any], on: HostState | None = None, **settings: Any) -> Decision:
    return secondary(*(domains or [listed(standby=True)]), on=on or mx(), **settings)


def test_standby_is_refused_where_selinux_keeps_smtpd_from_asking() -> None:
    confined = StandbyState(supervised=True, confined=True)
    (refusal,) = asking(on=mx(standby=confined)).refusals
    assert (refusal.domain, refusal.check, refusal.remedy) == ("x.example", "standby", "leave standby out")
    assert refusal.cause == "SELinux is enforcing on this host, and its policy lets smtpd ask no service of a standby"


def done(on: HostState, decision: Decision) -> HostState:
    """The host after a run."""
    wanted = decision.standby
    state = StandbyState(True, bool(wanted.domains), tuple(wanted.domains), tuple(wanted.subdomains))
    return replace(host_after(on, decision.main_cf, decision.services), standby=state)


def test_service_is_asked_by_a_class_at_the_end_of_the_list() -> None:
    decision = asking()
    assert checks(decision) == []
    assert decision.standby == StandbyRequest(("x.example",), (), ("mx.example",), "mx.example")
    assert decision.main_cf.parameters[LIST] == CLASS
    assert decision.main_cf.parameters[CLASS] == RESTRICTIONS
    assert decision.main_cf.add_items[CLASSES] == [CLASS]


def test_unknown_recipients_come_first_and_a_fault_lets_mail_in() -> None:
    assert RESTRICTIONS == (
        "permit_mynetworks, reject_unlisted_recipient, check_policy_service "
        "{ unix:mxrelay/standby, timeout=3s, try_limit=1, default_action=DUNNO }"
    )


@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        (CLOSED, f"{CLOSED}, {CLASS}"),
        (f"{CLOSED}, permit", f"{CLOSED}, {CLASS}, permit"),
        (f"{CLOSED}, reject_rbl_client x.example, reject", f"{CLOSED}, reject_rbl_client x.example, {CLASS}, reject"),
        (f"{CLASS}, {CLOSED}", f"{CLOSED}, {CLASS}"),
        (
            "permit_mynetworks, permit_auth_destination, reject",
            f"permit_mynetworks, {CLASS}, permit_auth_destination, reject",
        ),
        ("$rest", f"$rest, {CLASS}"),
        # What ends the list is in what the name stands for.
        ("$ended", f"{CLOSED}, {CLASS}, permit"),
    ],
)
def test_class_comes_behind_all_that_may_refuse(present: str, wanted: str) -> None:
    on = mx(present, values={"rest": CLOSED, "ended": f"{CLOSED}, permit"})
    assert asking(on=on).main_cf.parameters[LIST] == wanted


def test_second_run_changes_nothing() -> None:
    on = mx(CLOSED)
    first = done(on, asking(on=on))
    second = asking(on=first)
    assert LIST not in second.main_cf.parameters
    assert done(first, second) == first


def test_service_with_a_list_of_its_own_asks_as_well() -> None:
    own = service("smtp", "inet", "smtpd", **{LIST: CLOSED})
    submission = service("submission", "inet", "smtpd", **{LIST: "permit_sasl_authenticated, reject"})
    on = mx(services=[own, submission, service()])
    decision = asking(on=on)
    assert decision.services["smtp/inet"] == ServiceChange({LIST: f"{CLOSED}, {CLASS}"})
    assert "submission/inet" not in decision.services


@pytest.mark.parametrize(
    ("on", "cause"),
    [
        (mx(standby=StandbyState()), "this host is not run by systemd"),
        (mx(version=(2, 11, 1)), "Postfix before 3.0 refuses mail while a policy service has a fault"),
        (mx("permit_auth_destination, reject"), f"{LIST} does not permit your own networks before it ends in"),
    ],
)
def test_host_that_can_not_be_a_standby_is_refused(on: HostState, cause: str) -> None:
    found = [refusal for refusal in asking(on=on).refusals if refusal.check == "standby"]
    assert [(refusal.domain, refusal.cause.startswith(cause)) for refusal in found] == [("x.example", True)]


def test_reason_to_refuse_names_a_domain_that_has_standby() -> None:
    refusals = asking(listed("a.example"), listed(standby=True), on=mx(standby=StandbyState())).refusals
    assert [refusal.domain for refusal in refusals if refusal.check == "standby"] == ["x.example"]


def test_primary_is_no_standby() -> None:
    assert [refusal.cause for refusal in primary(listed(standby=True)).refusals] == [
        '"x.example" (domains[0]) has standby, but this host is its primary MX: no better one takes its mail'
    ]
    assert primary(listed(), on=mx(), standby=True).standby == StandbyRequest()


@pytest.mark.parametrize(
    ("item", "setting", "domains"),
    [(None, True, ("x.example",)), (False, True, ()), (None, False, ()), (True, False, ("x.example",))],
)
def test_setting_is_the_default_of_domains(item: bool | None, setting: bool, domains: tuple[str, ...]) -> None:
    assert asking(listed(standby=item), standby=setting).standby.domains == domains


def test_host_without_standby_is_not_touched() -> None:
    decision = secondary(on=mx(CLOSED))
    names = {LIST, CLASS, CLASSES}
    assert names.isdisjoint({*decision.main_cf.parameters, *decision.main_cf.absent, *decision.main_cf.add_items})


def test_domains_that_others_declared_stay() -> None:
    state = replace(RUNNING, domains=("other.example", "gone.example"), subdomains=("other.example",))
    on = mx(standby=state, relayed={"other.example": "other.example"})
    wanted = asking(listed(standby=True, subdomains=True), on=on).standby
    assert (wanted.domains, wanted.subdomains) == (("other.example", "x.example"), ("other.example", "x.example"))


def test_service_stays_for_the_domains_of_others_alone() -> None:
    state = replace(RUNNING, domains=("other.example",))
    on = mx(standby=state, relayed={"other.example": "other.example"})
    assert asking(listed(standby=False), on=on).standby.domains == ("other.example",)


@pytest.mark.parametrize(
    ("myhostname", "names", "name"),
    [
        ("mail.example", ("mail.example", "mx.lab.example"), "mail.example"),
        ("", ("mx.lab.example",), "mx.lab.example"),
    ],
)
def test_service_knows_this_host_by_all_its_names(myhostname: str, names: tuple[str, ...], name: str) -> None:
    wanted = asking(on=mx(values={"myhostname": myhostname}, called="mx.lab.example")).standby
    assert (wanted.own, wanted.name) == (names, name)


def test_list_that_another_part_of_the_plan_shortens_is_left_as_it_is() -> None:
    on = mx(f"{CLOSED}, {CLASS}")
    request = read_request({"role": "secondary_mx", "domains": [listed(standby=True)]})
    planned = MainCfChange(parameters={LIST: CLOSED, "x": "1"})
    assert LIST not in decide_standby(request, on, (), planned).main_cf.parameters


@pytest.mark.parametrize("present", [CLOSED, ""])
def test_last_domain_takes_all_of_it_along(present: str) -> None:
    own = service("smtp", "inet", "smtpd", **{LIST: CLOSED})
    on = mx(present, services=[own, service("[::1]:smtp", "inet", "smtpd"), service()])
    standing = done(on, asking(on=on))
    decision = asking(listed(standby=False), on=standing)
    after = done(standing, decision)
    assert decision.standby == StandbyRequest()
    assert {CLASS, CLASSES} <= set(decision.main_cf.absent)
    assert (after.value(LIST), after.value(CLASSES)) == (present, "")
    assert [found.overrides for found in after.services if found.key == "smtp/inet"] == [{LIST: CLOSED}]


def test_absent_domain_no_longer_stands_by() -> None:
    on = mx(relayed={"x.example": "x.example"})
    standing = done(on, asking(on=on))
    decision = secondary({"name": "x.example", "state": "absent", "force": True}, on=standing)
    assert decision.standby == StandbyRequest()
    assert CLASS in decision.main_cf.absent
