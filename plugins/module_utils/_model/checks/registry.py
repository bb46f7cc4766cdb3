# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of checks: what each is called, whom it concerns, and the one function that makes it.

A check is a function of evidence that yields a Fault for each thing that is wrong. What it found is rendered as a
finding (mx_info, verify, the report) or as a refusal (mx_plan, on the state that the run would leave); the table in
docs/verify.md and the marks of the report come from here as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import HOST, Fault, Finding

CheckFunction = Callable[..., Iterator[Fault]]

# Where on the report's picture a check is drawn: at a station, or on the link that leads to it.
LOOKUP = "lookup"
ARRIVAL = "arrival"
DEPARTURE = "departure"
DELIVERY = "delivery"


@dataclass(frozen=True)
class Check:
    """One check.

    `scope` tells whether this host, DNS or another host has to be put right, `place` which part of a message's path
    it concerns, `mark` where the report draws it, and `summary` what is wrong where it finds something. `refuses`:
    a run that would make or leave this host so is refused.
    """

    name: str
    scope: str
    place: str
    mark: str
    summary: str
    refuses: bool
    function: CheckFunction

    def __call__(self, *evidence: Any) -> Iterator[Finding]:
        """What it finds in the evidence that its function takes."""
        for fault in self.function(*evidence):
            yield Finding(
                domain=fault.domain,
                check=self.name,
                severity=fault.severity,
                scope=self.scope,
                message=fault.message,
                remedy=fault.remedy,
                place=fault.place or self.place,
            )


CHECKS: Dict[str, Check] = {}


def check(
    name: str, scope: str, summary: str, place: str = HOST, mark: str = "", refuses: bool = False
) -> Callable[[CheckFunction], Check]:
    """Register the function below as the check of this name. Raises ValueError for a name that is taken."""

    def register(function: CheckFunction) -> Check:
        if name in CHECKS:
            raise ValueError(f"the check {name} is registered twice")
        CHECKS[name] = Check(name, scope, place, mark or MARKS[place], summary, refuses, function)
        return CHECKS[name]

    return register


# Where what is wrong with a part of the path is drawn, unless the check says otherwise.
MARKS = {
    "sender": LOOKUP,
    "mx": "mx",
    "host": "host",
    "recipients": "host",
    "nexthop": DEPARTURE,
    "mail_host": DELIVERY,
}
