# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.admission import AdmissionEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.reading import (
    ListReading,
    RowsLead,
    access_tables_asked,
    is_for_everybody,
    list_reading_of,
    table_of,
)

CLASSES = {"one": "check_recipient_access hash:/r, two", "two": "check_client_access hash:/c"}
RESULTS = {"hash:/c": ("one", "REJECT"), "hash:/r": ("OK",), "pcre:/p": ("$1",), "mysql:/m": None}


@pytest.mark.parametrize(
    ("part", "table"),
    [
        ("check_client_access hash:/c", "hash:/c"),
        ("CHECK_SENDER_MX_ACCESS hash:/c", "hash:/c"),
        ("hash:/c", "hash:/c"),
        ("check_policy_service unix:private/p", ""),
        ("reject_rbl_client a", ""),
    ],
)
def test_restriction_asks_the_table_that_it_names(part: str, table: str) -> None:
    assert table_of(part) == table


def test_static_table_is_for_everybody() -> None:
    parts = ("check_client_access static:reject", "randmap:{a,b}", "hash:/c", "reject")
    assert [is_for_everybody(part) for part in parts] == [True, True, False, False]


def test_classes_are_read_in_their_place() -> None:
    reading = ListReading(lambda value: value.replace("$x", "reject"), CLASSES)
    assert reading.parts("permit, one, $x") == [
        "permit",
        "check_recipient_access hash:/r",
        "check_client_access hash:/c",
        "reject",
    ]


@pytest.mark.parametrize(
    ("part", "rows"),
    [
        # A class whose table leads to the class again ends there.
        ("check_client_access hash:/c", RowsLead(("check_recipient_access hash:/r", "check_client_access hash:/c"))),
        ("hash:/r", RowsLead()),
        ("reject_rbl_client a", RowsLead()),
        (
            "check_sender_access pcre:/p",
            RowsLead(("check_recipient_access hash:/r", "check_client_access hash:/c"), listed=False),
        ),
        (
            "check_sender_access mysql:/m",
            RowsLead(("check_recipient_access hash:/r", "check_client_access hash:/c"), listed=False),
        ),
    ],
)
def test_rows_lead_to_restrictions_and_those_that_cannot_be_listed_to_any_class(part: str, rows: RowsLead) -> None:
    assert ListReading(str, CLASSES, RESULTS).rows(part) == rows


def test_class_is_known_by_the_service_and_its_tables_are_asked() -> None:
    values = {
        "smtpd_client_restrictions": "check_client_access hash:$dir/a",
        "dir": "/etc",
        "two": "check_client_access hash:/main",
    }
    services = MasterCf(
        "smtp inet n - y - - smtpd -o smtpd_restriction_classes=two -o two=check_sender_access,hash:/own\n"
    ).effective
    state = HostState(
        parameters=values,
        values={**values, "smtpd_client_restrictions": "check_client_access hash:/etc/a"},
        services=services,
        admission=AdmissionEvidence(results={"hash:/etc/a": ("two",)}),
    )
    reading = list_reading_of(state, services[0])
    assert reading.rows("check_client_access hash:/etc/a").leads_to == ("check_sender_access hash:/own",)
    assert access_tables_asked(state, services, ["smtpd_client_restrictions"]) == ["hash:/etc/a", "hash:/own"]
