# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.accepted import accept, read_accepted
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import every_check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    ERROR,
    INFO,
    LOCAL,
    WARNING,
    Finding,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput

DOUBT = Finding("", "relay_unproven", WARNING, LOCAL, "cannot show it", "list it", subject="main.cf mynetworks lab")
DOMAIN = Finding("x.example", "soft_bounce", ERROR, LOCAL, "it bounces", "mend it")
ITEM = {"check": "relay_unproven", "subject": "main.cf mynetworks lab", "reason": "ours", "until": "2026-12-31"}


def test_accepted_finding_is_information_that_says_why() -> None:
    found = accept([DOUBT, DOMAIN], read_accepted([ITEM], every_check()), "2026-11-28")
    assert [(finding.check, finding.severity, finding.accepted) for finding in found] == [
        ("relay_unproven", INFO, "accepted until 2026-12-31: ours"),
        ("soft_bounce", ERROR, ""),
    ]
    assert found[0].as_result()["text"] == (
        "this host (relay_unproven): cannot show it; accepted until 2026-12-31: ours"
    )


@pytest.mark.parametrize(
    ("changes", "today", "severity"),
    [
        ({}, "2026-12-31", INFO),
        ({}, "2027-01-01", WARNING),
        ({"until": ""}, "2099-01-01", INFO),
        ({"subject": "main.cf mynetworks other"}, "2026-01-01", WARNING),
        ({"check": "soft_bounce"}, "2026-01-01", WARNING),
    ],
)
def test_only_the_named_finding_is_accepted_and_only_until_its_day(
    changes: dict[str, str], today: str, severity: str
) -> None:
    (found,) = accept([DOUBT], read_accepted([{**ITEM, **changes}], every_check()), today)
    assert found.severity == severity


def test_finding_without_a_subject_is_named_by_its_domain() -> None:
    item = {"check": "soft_bounce", "subject": "x.example", "reason": "for now"}
    (found,) = accept([DOMAIN], read_accepted([item], every_check()), "2026-11-28")
    assert (found.severity, found.accepted) == (INFO, "accepted: for now")


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({**ITEM, "check": "open_relay"}, "accepted[0].check is open_relay, a proven opening, which can't be accepted"),
        ({**ITEM, "check": "mynetworks"}, "a proven opening"),
        ({**ITEM, "check": "foreign_domains"}, "a proven opening"),
        ({**ITEM, "check": "probe_open_relay"}, "a proven opening"),
        ({**ITEM, "check": "relay_unprovn"}, 'accepted[0].check is "relay_unprovn", which is not a check'),
        ({**ITEM, "reason": " "}, "accepted[0] has no reason; say why the finding is accepted"),
        ({**ITEM, "until": "31.12.2026"}, 'accepted[0].until is "31.12.2026", which is not a day'),
        ({**ITEM, "untill": "2026-12-31"}, "accepted[0] has no option untill; it takes check, subject, reason, until"),
    ],
)
def test_bad_item_is_named(item: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_accepted([item], every_check())
    assert message in caught.value.message
