# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.standby import standby, standby_accepts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import CLASS, StandbyState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import host

HEALTHY = host(values={"smtpd_recipient_restrictions": CLASS}, standby=StandbyState(True, True, ("x.example",)))


def found(state: HostState) -> list[tuple[str, str, str]]:
    return [(fault.severity, fault.message, fault.remedy) for fault in standby(state, HostFacts())]


def test_standby_that_works_is_right() -> None:
    assert found(HEALTHY) == []
    assert found(replace(HEALTHY, standby=StandbyState(True))) == []


@pytest.mark.parametrize(
    ("problem", "remedy"),
    [
        (
            "it does not answer (gone)",
            "run the role again, which repairs and starts it; its unit is mxrelay-standby, for journalctl",
        ),
        (
            "it can't ask DNS, as python3-dnspython is missing",
            "install python3-dnspython, as the role does unless manage_package is false",
        ),
    ],
)
def test_service_with_a_problem_is_told(problem: str, remedy: str) -> None:
    message = (
        f"the standby service does not do its work: {problem}; mail is accepted although a better MX host may answer"
    )
    stopped = replace(HEALTHY.standby, problem=problem)
    assert found(replace(HEALTHY, standby=stopped)) == [("warning", message, remedy)]
    # That nobody asks it comes to the same, and is mended by the same.
    assert found(host(values={"smtpd_recipient_restrictions": ""}, standby=stopped)) == [("warning", message, remedy)]


def test_remedy_for_selinux_is_to_do_without() -> None:
    confined = replace(HEALTHY.standby, confined=True, problem="SELinux is enforcing")
    ((_severity, _message, remedy),) = found(replace(HEALTHY, standby=confined))
    assert remedy == "run the role without standby, which takes the service away"


def test_missing_library_has_the_name_that_it_has_on_the_host() -> None:
    lacking = replace(HEALTHY.standby, problem="it can't ask DNS, as python3-dnspython is missing")
    ((_severity, _message, remedy),) = found(replace(HEALTHY, standby=lacking, dns_lacks="py3-dnspython"))
    assert remedy == "install py3-dnspython, as the role does unless manage_package is false"


def test_service_of_postfix_that_does_not_ask_is_told() -> None:
    state = host(values={"smtpd_recipient_restrictions": "permit_mynetworks"}, standby=HEALTHY.standby)
    assert found(state) == [
        (
            "warning",
            "smtp/inet does not ask the standby service, so it accepts mail although a better MX host answers",
            "run the role again, which adds mxrelay_standby to smtpd_recipient_restrictions",
        )
    ]


OK = (250, "2.1.0 Ok")


@pytest.mark.parametrize(
    ("lets_in", "mail", "problem", "number"),
    [
        ({"x.example"}, OK, "", 1),
        ({"y.example"}, OK, "", 0),
        ({"x.example"}, (550, "5.7.1"), "", 0),
        ({"x.example"}, OK, "it does not answer", 0),
    ],
)
def test_standby_that_lets_mail_in_beside_its_mail_host_is_told(
    lets_in: set[str], mail: tuple[int, str], problem: str, number: int
) -> None:
    state = replace(HEALTHY, standby=replace(HEALTHY.standby, lets_in=frozenset(lets_in), problem=problem))
    talk = Talk("mail.example", banner=(220, "mail.example"), mail=mail)
    found = list(standby_accepts(DomainEvidence(name="x.example", relayed="x.example", talk=talk), state))
    assert len(found) == number
    for finding in found:
        assert (finding.severity, finding.domain) == ("warning", "x.example")
        assert finding.message == (
            "this standby accepts mail from strangers, although its mail host mail.example takes it"
        )
