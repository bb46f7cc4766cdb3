# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of checks: what each is called, whom it concerns, and the one function that makes it.

A check is a function of evidence that yields a Fault for each thing that is wrong. What it found is rendered as a
finding (mx_info, verify, the report) or, if it is one of this host itself, as a refusal (mx_plan, on the state that the
run would leave); the table in docs/verify.md and the marks of the report come from here as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import HOST, Fault, Finding

CheckFunction = Callable[..., Iterator[Fault]]

# What a check is about, with the evidence that each function of this subject takes.
UNREADABLE = "a configuration that can't be read"  # error: MxRelayError
WHOLE_HOST = "the whole host"  # state: HostState, facts: HostFacts
TABLE = "a table"  # table: TableEvidence
DOMAIN = "a domain on this host"  # domain: DomainEvidence, state: HostState
DOMAIN_IN_DNS = "a domain in DNS"  # the same
DOMAIN_ON_MAIL_HOST = "a domain on its mail host"  # the same
STRANGER = "what a stranger is told"  # told: StrangerEvidence
SEVERAL_HOSTS = "the MX hosts of a domain"  # domain: str, hosts: Sequence[HostOfDomain]
# In the order in which checks are made and documented.
SUBJECTS = (UNREADABLE, WHOLE_HOST, TABLE, DOMAIN, DOMAIN_IN_DNS, DOMAIN_ON_MAIL_HOST, STRANGER, SEVERAL_HOSTS)
ABOUT_A_DOMAIN = (DOMAIN, DOMAIN_IN_DNS, DOMAIN_ON_MAIL_HOST)

# Where on the report's picture a check is drawn: at a station, or on the link that leads to it.
LOOKUP = "lookup"
ARRIVAL = "arrival"
DEPARTURE = "departure"
DELIVERY = "delivery"


# Where what is wrong with a part of the path is drawn, unless the check says otherwise.
MARKS = {
    "sender": LOOKUP,
    "mx": "mx",
    "host": "host",
    "recipients": "host",
    "nexthop": DEPARTURE,
    "mail_host": DELIVERY,
}


@dataclass(frozen=True)
class Check:
    """One check.

    `subject` is what it is about, and so what evidence its function takes. `scope` tells whether this host, DNS or
    another host has to be put right, `place` which part of a message's path it concerns, `mark` where the report draws
    it, and `summary` what is wrong if it finds something. Not `acceptable`: what it finds is a proven opening, which
    nobody may accept.
    """

    name: str
    subject: str
    scope: str
    place: str
    mark: str
    summary: str
    acceptable: bool
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
                subject=fault.subject,
            )


# By name, in the order of registration. What is in it depends on the files that were imported: ask `every.py`.
CHECKS: dict[str, Check] = {}


@dataclass(frozen=True)
class Register:
    """The decorator of the checks of one subject, which is given once for each file of them."""

    subject: str

    def __call__(
        self,
        name: str,
        scope: str,
        summary: str,
        place: str = HOST,
        mark: str = "",
        acceptable: bool = True,
    ) -> Callable[[CheckFunction], Check]:
        """Register the function below as the check of this name. Raises ValueError for a name that is taken."""

        def register(function: CheckFunction) -> Check:
            if name in CHECKS:
                raise ValueError(f"the check {name} is registered twice")
            CHECKS[name] = Check(name, self.subject, scope, place, mark or MARKS[place], summary, acceptable, function)
            return CHECKS[name]

        return register


def registered(*subjects: str) -> list[Check]:
    """The registered checks of these subjects, in the order of the subjects and then of registration."""
    return [check for subject in subjects for check in CHECKS.values() if check.subject == subject]
