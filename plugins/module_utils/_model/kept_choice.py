# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the kept mail a person chose, and what is told of it: counts, never an address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.kept_reports import CAUSES, NOTICE, Failure, Report
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_of, shown
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import (
    KeptCounts,
    KeptMail,
    counted_address,
    failures_by_domain,
    kept_with_subdomains,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import as_list, domains_option, lines_in

SHOW = "show"
DELIVER = "deliver"
BOUNCE = "bounce"
DELETE = "delete"
ACTIONS = (SHOW, DELIVER, BOUNCE, DELETE)

# Why a report is left where it is.
OTHERS_TOO = "also concerns other domains or causes; choose those as well"
STILL_QUEUED = "only says that the message is late, which is still queued"
HEADERS_ONLY = "holds no more than the headers of the message; bounce or delete it"
NOT_WHOLE = "could not be read whole; see `postcat -q` on the host"
NOT_TAKEN = "was not taken by sendmail(1); see the mail log"
GONE = "was released or removed meanwhile"

_DONE = {
    SHOW: "kept",
    DELIVER: "given to Postfix to deliver again",
    BOUNCE: "released to the sender",
    DELETE: "deleted",
}


@dataclass(frozen=True)
class Choice:
    """What to do with which reports: those of the domains (all if none is named), for the causes (any if none)."""

    action: str = SHOW
    domains: tuple[str, ...] = ()
    subdomains: bool = False
    causes: tuple[str, ...] = ()

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Choice:
        """Raises InvalidInput."""
        domains = tuple(domains_option(params))
        if domains and params["all"]:
            raise InvalidInput("domains and all are both given; give one of them")
        if params["action"] != SHOW and not domains and not params["all"]:
            raise InvalidInput(f"action is {params['action']}, and neither domains nor all is given; name the domains")
        given = as_list(params["causes"], "causes", lines_in, "write one cause an item")
        causes = [line for value in given for line in lines_in(str(value))]
        return cls(
            params["action"],
            domains,
            params["subdomains"],
            tuple(_cause(value, f"causes[{place}]") for place, value in enumerate(causes)),
        )

    def of(self, kept: Iterable[KeptMail]) -> tuple[list[KeptMail], int]:
        """The reports that are chosen, and how many more are of chosen and of other failures, and so of none."""
        chosen: list[KeptMail] = []
        others = 0
        for message, report in kept:
            wanted = [self._has(failure) for failure in report.failures]
            if all(wanted):
                chosen.append((message, report))
            elif any(wanted):
                others += 1
        return chosen, others

    def _has(self, failure: Failure) -> bool:
        address = counted_address(failure.recipient, self.domains) if self.subdomains else failure.recipient
        if self.domains and domain_of(address).lower() not in self.domains:
            return False
        kind = failure.cause.partition(":")[0].lower()
        return not self.causes or failure.cause.lower() in self.causes or kind in self.causes

    def obstacle(self, report: Report) -> str:
        """Why the action can't be done with the report; "" if it can."""
        if self.action != DELIVER or report.whole:
            return ""
        return STILL_QUEUED if any(failure.cause == NOTICE for failure in report.failures) else HEADERS_ONLY

    def counted(self, kept: Sequence[KeptMail]) -> list[KeptMail]:
        """The reports as they count for the chosen domains."""
        return kept_with_subdomains(kept, self.domains) if self.subdomains else list(kept)


def _cause(value: str, place: str) -> str:
    """A cause as it is told, or its class alone, in lower case."""
    kind = value.partition(":")[0].strip().lower()
    if kind not in {cause.lower() for cause in CAUSES}:
        raise InvalidInput(f"{shown(value)} ({place}) is no cause; give one of: {', '.join(CAUSES)}")
    return " ".join(value.lower().split())


def release_result(choice: Choice, done: Sequence[KeptMail], left: Mapping[str, int], now: float) -> dict[str, Any]:
    """What queue_release returns of the reports with which something was done, and of those that are left."""
    total, domains = counts(choice, done)
    return {
        "action": choice.action,
        "total": total.as_result(now),
        "domains": {domain: found.as_result(now) for domain, found in sorted(domains.items())},
        "left": [{"reason": reason, "count": count} for reason, count in sorted(left.items())],
        "lines": lines(choice, done, left),
    }


def counts(choice: Choice, kept: Sequence[KeptMail]) -> tuple[KeptCounts, dict[str, KeptCounts]]:
    """The reports added up, in total and by domain."""
    total = KeptCounts()
    domains: dict[str, KeptCounts] = {domain: KeptCounts() for domain in choice.domains}
    for message, report in choice.counted(kept):
        total.add(message, report.failures)
        for domain, failures in failures_by_domain(report).items():
            domains.setdefault(domain, KeptCounts()).add(message, failures)
    return total, domains


def lines(choice: Choice, done: Sequence[KeptMail], left: Mapping[str, int]) -> list[str]:
    """The same in words, a line for each domain."""
    _total, domains = counts(choice, done)
    found = [
        f"{domain}: {_reports(counted.count)} {_DONE[choice.action]}{_because(counted.causes)}"
        for domain, counted in sorted(domains.items())
    ]
    nothing = [] if found else [f"no report of refused mail is {'kept' if choice.action == SHOW else 'chosen'}"]
    return found + nothing + [f"{_reports(count)} left: {reason}" for reason, count in sorted(left.items())]


def _reports(count: int) -> str:
    return "1 report" if count == 1 else f"{count} reports"


def _because(causes: Counter[str]) -> str:
    most = sorted(causes.items(), key=lambda item: (-item[1], item[0]))
    return f" ({', '.join(f'{cause}: {count}' for cause, count in most)})" if most else ""


def table(choice: Choice, kept: Sequence[KeptMail]) -> str:
    """How many are kept of which domain for which cause, as a diff shows it."""
    _total, domains = counts(choice, kept)
    return "".join(
        f"{domain}, {cause}: {count}\n"
        for domain, counted in sorted(domains.items())
        for cause, count in sorted(counted.causes.items())
    )
