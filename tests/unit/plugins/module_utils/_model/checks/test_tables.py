# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import checks_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import TABLE
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import TableEvidence


def judged(table: TableEvidence) -> list[Finding]:
    return [finding for check in checks_of(TABLE) for finding in check(table)]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (TableEvidence("transport_maps", "pgsql:/x", "type", 0), "table_type"),
        (TableEvidence("relay_recipient_maps", "hash:/x", "without a source", 0), "index"),
        (TableEvidence("transport_maps", "hash:/x", "missing", 1), "index"),
        (TableEvidence("transport_maps", "hash:/x", "stale", 1, 0, "postfix"), "index"),
        (TableEvidence("transport_maps", "hash:/x", "unreadable", 1), "index"),
        (TableEvidence("relay_recipient_maps", "hash:/x", "current", 1, 0, "postfix"), "table_mode"),
        (TableEvidence("relay_recipient_maps", "texthash:/x", "none", 1, 0, "postfix"), "table_mode"),
    ],
)
def test_table_is_judged(table: TableEvidence, expected: str) -> None:
    found = judged(table)
    assert [(finding.check, finding.severity) for finding in found] == [(expected, "error")]
    assert table.reference in found[0].message
    assert table.parameter in found[0].message + found[0].remedy


@pytest.mark.parametrize("index", ["current", "none"])
def test_table_with_nothing_against_it(index: str) -> None:
    assert judged(TableEvidence("transport_maps", "hash:/x", index, 1)) == []


@pytest.mark.parametrize(
    ("parameter", "place"), [("transport_maps", "nexthop"), ("relay_recipient_maps", "recipients")]
)
def test_fault_of_a_table_lies_where_its_parameter_is_asked(parameter: str, place: str) -> None:
    (finding,) = judged(TableEvidence(parameter, "hash:/x", "missing", 0))
    assert finding.place == place
    assert finding.as_result()["text"] == (
        f"this host (index): the index of hash:/x ({parameter}) is missing: lookups fail or are out of date; "
        f"run the role again, run postmap hash:/x, or remove it from {parameter}"
    )


@pytest.mark.parametrize("parameter", ["transport_maps", "relay_domains"])
def test_table_that_can_not_be_asked_is_an_error(parameter: str) -> None:
    (finding,) = judged(TableEvidence(parameter, "ldap:/x", "unreachable", 0, problem="refused"))
    assert (finding.check, finding.severity) == ("table_unreachable", "error")
    assert (
        finding.message == f"ldap:/x ({parameter}) can't be asked (refused): smtpd answers 451 (4.3.0), and mail waits"
    )
