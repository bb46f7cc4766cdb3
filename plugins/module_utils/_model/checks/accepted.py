# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings that somebody has looked at and accepts, with a reason and until a day.

An accepted finding is information. What is proven to be open can't be accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import Check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import INFO, Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_KEYS = ("check", "subject", "reason", "until")


@dataclass(frozen=True)
class Accepted:
    """One finding that is accepted: of which check, about what (its subject, or its domain), why, until which day."""

    check: str
    subject: str
    reason: str
    until: str

    def covers(self, finding: Finding, today: str) -> bool:
        """Whether it is this finding, and the day has not passed; `today` and the day are like 2026-12-31."""
        about = finding.subject or finding.domain
        return (self.check, self.subject) == (finding.check, about) and not (self.until and self.until < today)


def read_accepted(given: Sequence[Mapping[str, Any]], every: Sequence[Check]) -> list[Accepted]:
    """The list as a playbook has it, of findings of the checks that there are. Raises InvalidInput, with the item."""
    checks = {check.name: check for check in every}
    return [_read(item, f"accepted[{index}]", checks) for index, item in enumerate(given)]


def _read(item: Mapping[str, Any], place: str, checks: Mapping[str, Check]) -> Accepted:
    unknown = sorted(set(item) - set(_KEYS))
    if unknown:
        raise InvalidInput(f"{place} has no option {unknown[0]}; it takes {', '.join(_KEYS)}")
    text = {key: str(item.get(key) or "").strip() for key in _KEYS}
    if text["check"] not in checks:
        raise InvalidInput(f'{place}.check is "{text["check"]}", which is not a check; copy it from the finding')
    if not checks[text["check"]].acceptable:
        raise InvalidInput(
            f'{place}.check is {text["check"]}, a proven opening, which can\'t be accepted; do what its remedy says'
        )
    if not text["reason"]:
        raise InvalidInput(f"{place} has no reason; say why the finding is accepted")
    if text["until"] and not _DAY.fullmatch(text["until"]):
        raise InvalidInput(f'{place}.until is "{text["until"]}", which is not a day; write it like 2026-12-31')
    return Accepted(**text)


def accept(findings: Iterable[Finding], accepted: Sequence[Accepted], today: str) -> list[Finding]:
    """The findings, with those that are accepted made information that says why."""
    found = []
    for finding in findings:
        item = next((item for item in accepted if item.covers(finding, today)), None)
        if item is not None:
            until = f" until {item.until}" if item.until else ""
            finding = replace(finding, severity=INFO, accepted=f"accepted{until}: {item.reason}")
        found.append(finding)
    return found
