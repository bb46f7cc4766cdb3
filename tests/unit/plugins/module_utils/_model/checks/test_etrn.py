# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.etrn import etrn
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.admission import AdmissionEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import host, service

LIST = "smtpd_etrn_restrictions"
ROWS = "inline:{x.example=mxrelay_etrn_1}"
CLIENTS = "cidr:{{192.0.2.10 OK}}"
CLASSES = {
    "smtpd_restriction_classes": "mxrelay_etrn, mxrelay_etrn_1",
    "mxrelay_etrn": f"check_etrn_access {ROWS}",
    "mxrelay_etrn_1": f"check_client_access {CLIENTS}, reject",
}
ANSWERS = {ROWS: {"x.example": "mxrelay_etrn_1"}, CLIENTS: {}}


def mx(present: str, *services: object, **values: str) -> HostState:
    names = ("x.example", "y.example", ".y.example", "bücher.example")
    return host(
        values={"fast_flush_domains": "x.example, y.example", **CLASSES, LIST: present, **values},
        relayed={name: name for name in names},
        admission=AdmissionEvidence(answers=ANSWERS),
        **({"services": list(services)} if services else {}),
    )


def found(state: HostState) -> list[tuple[str, str]]:
    return [(fault.severity, fault.domain) for fault in etrn(state, HostFacts())]


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ("mxrelay_etrn, permit_mynetworks, reject", []),
        ("permit_mynetworks, mxrelay_etrn, reject", []),
        ("mxrelay_etrn", [("info", "")]),
        ("permit_mynetworks, reject", []),
        ("permit", [("warning", "x.example"), ("info", "")]),
        ("", [("warning", "x.example"), ("info", "")]),
    ],
)
def test_strangers_who_can_ask_for_queues_are_told(present: str, expected: list[tuple[str, str]]) -> None:
    assert found(mx(present)) == expected


def test_both_say_what_to_do() -> None:
    faults = [(fault.message, fault.remedy) for fault in etrn(mx("permit"), HostFacts())]
    assert faults == [
        (
            f"{LIST} lets strangers ask for its queue by ETRN, although it has etrn_from",
            f"run the role again, which puts mxrelay_etrn first in {LIST}",
        ),
        (
            f"{LIST} lets strangers ask for the queue of y.example by ETRN",
            f"set {LIST} to permit_mynetworks, reject; mail hosts that use ETRN can be named in etrn_from",
        ),
    ]


def test_service_with_a_list_of_its_own_is_told() -> None:
    smtp = service("smtp", "inet", "smtpd", **{LIST: "permit"})
    other = service("2525", "inet", "smtpd")
    state = mx("mxrelay_etrn, reject", smtp, other)
    assert [fault.message for fault in etrn(state, HostFacts())][:1] == [
        f"{LIST} of smtp/inet lets strangers ask for its queue by ETRN, although it has etrn_from"
    ]


def test_without_flush_service_nobody_gets_anything() -> None:
    assert found(mx("", fast_flush_domains="")) == []
