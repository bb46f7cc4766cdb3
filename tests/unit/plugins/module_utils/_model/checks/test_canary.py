# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.canary import OLD_SECONDS, canary
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.canary import OUTCOMES, CanaryEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState


def judged(outcome: str, age: int = 0) -> list[tuple[str, str, str]]:
    domain = DomainEvidence("x.example", canary=CanaryEvidence(outcome, "why", 1795908600, age))
    return [(finding.severity, finding.place, finding.message) for finding in canary(domain, HostState())]


@pytest.mark.parametrize(
    ("outcome", "severity", "place", "became"),
    [
        ("waiting", "warning", "mail_host", "waited in the queue"),
        ("bounced", "error", "mail_host", "bounced"),
        ("held", "error", "host", "was put on hold"),
        ("discarded", "error", "host", "was discarded"),
        ("redirected", "error", "recipients", "went to another address"),
        ("refused", "error", "sender", "was refused at the door"),
        ("standby", "info", "host", "was put off by standby"),
        ("lost", "error", "host", "is gone"),
        ("unknown", "warning", "host", "could not be followed"),
    ],
)
def test_outcome_is_judged(outcome: str, severity: str, place: str, became: str) -> None:
    assert judged(outcome) == [(severity, place, f"the canary of 2026-11-28 23:30 UTC {became} (why)")]
    assert judged(outcome, OLD_SECONDS)[0][0] == "info"


def test_every_outcome_but_delivered_is_told() -> None:
    assert [outcome for outcome in OUTCOMES if not judged(outcome)] == ["delivered"]
    assert list(canary(DomainEvidence("x.example"), HostState())) == []
