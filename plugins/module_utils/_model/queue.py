# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits in Postfix's queue, for whom and why. See postqueue(1) and showq(8)."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.deferral_causes import (
    CAUSES,
    SERVER,
    cause_class,
    reason_itself,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.kept_reports import Failure, Report
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.quoted import reason_without

HOLD = "hold"
DEFERRED = "deferred"
ACTIVE = "active"
INCOMING = "incoming"
# Whom postqueue(1) names as the sender where there is none.
NO_SENDER = "MAILER-DAEMON"
# How many reasons are told of one domain, the most frequent first.
REASONS = 10

_ENTRY = re.compile(r"^(\w+)([*!]?)#?\s+(\d+) \w{3} (\w{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\s+(.*))?$")
_QUEUES = {"*": ACTIVE, "!": HOLD, "": DEFERRED}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNAVAILABLE = "(reason unavailable)"
_DAY = 86400
# What a server's refusal for good reads like, as the reason why mail waits that is tried again nevertheless.
_REFUSED = re.compile(SERVER + r"5\d\d[ -]")
# What a server says of a recipient repeats the address, which is no reason and somebody's name.
_LOCAL_PART = re.compile(r"(?:\"(?:[^\"\\]|\\.)*\"|[^\s<>@\"(),;:]+)@(?=[^\s<>@])")


@dataclass(frozen=True)
class Message:
    """One message: `arrival` in seconds since 1970, `size` in bytes, and why each recipient waits ("": unknown)."""

    queue_id: str
    queue: str
    arrival: int
    size: int
    recipients: tuple[tuple[str, str], ...]
    sender: str = ""


# A held message that reports refused mail, and what it says.
KeptMail = tuple[Message, Report]


@dataclass
class _Counts:
    """What is added up of some messages."""

    count: int = 0
    recipients: int = 0
    size: int = 0
    oldest: int | None = None

    def _count(self, message: Message, recipients: int) -> None:
        self.count += 1
        self.recipients += recipients
        self.size += message.size
        self.oldest = message.arrival if self.oldest is None else min(self.oldest, message.arrival)

    def _counted(self, now: float) -> dict[str, Any]:
        return {
            "count": self.count,
            "recipients": self.recipients,
            "size": self.size,
            "oldest": self.oldest,
            "age": None if self.oldest is None else max(0, int(now) - self.oldest),
        }


@dataclass
class KeptCounts(_Counts):
    """The reports of refused mail of one domain, or of all, that wait on hold."""

    causes: Counter[str] = field(default_factory=Counter)

    def add(self, message: Message, failures: Sequence[Failure]) -> None:
        self._count(message, len(failures))
        self.causes.update({failure.cause for failure in failures})

    def as_result(self, now: float) -> dict[str, Any]:
        most = sorted(self.causes.items(), key=lambda item: (-item[1], item[0]))
        return {**self._counted(now), "causes": [{"cause": cause, "count": count} for cause, count in most]}


@dataclass
class _Waiting(_Counts):
    """What adds up for one domain, or for all."""

    held: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    kept: KeptCounts = field(default_factory=KeptCounts)

    def add(self, message: Message, reasons: Sequence[str]) -> None:
        self._count(message, len(reasons))
        self.held += message.queue == HOLD
        self.reasons.update(common_reason(reason) for reason in reasons if reason)
        self.causes.update(cause_class(reason) for reason in reasons if reason)
        if message.queue == DEFERRED:
            self.refused += sum(1 for reason in reasons if is_refusal(reason))

    def as_result(self, now: float) -> dict[str, Any]:
        most = sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))[:REASONS]
        return {
            **self._counted(now),
            "held": self.held,
            "refused": self.refused,
            "reasons": [{"reason": reason, "recipients": recipients} for reason, recipients in most],
            "causes": {cause: self.causes[cause] for cause in CAUSES if self.causes[cause]},
            "kept": self.kept.as_result(now),
        }


def parse_json(text: str) -> list[Message]:
    """The messages in the output of `postqueue -j`, one JSON object a line. Raises HostError if it is none."""
    try:
        return [_from_object(json.loads(line)) for line in text.split("\n") if line.strip()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostError(f"postqueue -j did not print valid JSON ({error}); try `postqueue -p`") from error


def _from_object(entry: Mapping[str, Any]) -> Message:
    return Message(
        queue_id=entry["queue_id"],
        queue=entry["queue_name"],
        arrival=int(entry["arrival_time"]),
        size=int(entry["message_size"]),
        recipients=tuple(
            (recipient["address"], recipient.get("delay_reason", "")) for recipient in entry["recipients"]
        ),
        sender=entry["sender"],
    )


def parse_listing(text: str, now: float) -> list[Message]:
    """The messages in the output of `postqueue -p`, whose times have no year: they lie in the year before `now`.

    A reason stands before the recipients that it is about.
    """
    found: list[Message] = []
    recipients: list[tuple[str, str]] = []
    reason = ""
    for line in text.split("\n"):
        entry = _ENTRY.match(line)
        if entry:
            recipients, reason = [], ""
            found.append(_from_entry(entry, now))
        elif line.startswith(("-Queue ID-", "--")) or not found:
            continue
        elif line.strip().startswith("("):
            reason = "" if line.strip() == _UNAVAILABLE else line.strip()[1:].rstrip(")")
        elif line.strip():
            recipients.append((line.strip(), reason))
            found[-1] = Message(**{**vars(found[-1]), "recipients": tuple(recipients)})
    return found


def _from_entry(entry: re.Match[str], now: float) -> Message:
    queue_id, mark, size, month, day, *clock, sender = entry.groups()
    number = _MONTHS.index(month) + 1 if month in _MONTHS else 1
    year = time.localtime(now).tm_year
    arrival = _seconds(year, number, int(day), clock)
    if arrival > now + _DAY:
        arrival = _seconds(year - 1, number, int(day), clock)
    return Message(queue_id, _QUEUES[mark], arrival, int(size), (), sender or "")


def _seconds(year: int, month: int, day: int, clock: Sequence[str]) -> int:
    hour, minute, second = (int(part) for part in clock)
    return int(time.mktime((year, month, day, hour, minute, second, 0, 0, -1)))


def common_reason(reason: str) -> str:
    """What the reasons of several recipients have in common: an address is reduced to its domain
    (`<...@x.example>: User unknown`), and a host that is not tried at the moment is as bad as when it was.
    """
    return _LOCAL_PART.sub("...@", reason_itself(reason))


def is_refusal(reason: str) -> bool:
    """Whether the mail host refused the recipient for good, by what is told of mail that is tried again."""
    return _REFUSED.match(reason_itself(reason)) is not None


def may_be_report(message: Message, double_bounce: str) -> bool:
    """Whether the held message has the sender of a report; its file proves whether it is one."""
    return message.queue == HOLD and (
        message.sender in ("", NO_SENDER) or message.sender.rpartition("@")[0] == double_bounce
    )


def counted_address(address: str, wanted: Container[str]) -> str:
    """The address as if it were at the wanted domain that its own is a subdomain of, if there is one."""
    labels = domain_of(address).lower().split(".")
    above = [".".join(labels[place:]) for place in range(len(labels))]
    return next((f"{address.rpartition('@')[0]}@{name}" for name in above if name in wanted), address)


def with_subdomains(messages: Iterable[Message], domains: Iterable[str]) -> list[Message]:
    """The messages as if who has an address at a subdomain of one of the domains had it at that domain."""
    wanted = set(domains)
    return [
        replace(
            message,
            recipients=tuple((counted_address(address, wanted), reason) for address, reason in message.recipients),
        )
        for message in messages
    ]


def kept_with_subdomains(kept: Iterable[KeptMail], domains: Iterable[str]) -> list[KeptMail]:
    """The reports as if who has an address at a subdomain of one of the domains had it at that domain."""
    wanted = set(domains)
    return [
        (
            message,
            replace(
                report,
                failures=tuple(
                    replace(failure, recipient=counted_address(failure.recipient, wanted))
                    for failure in report.failures
                ),
            ),
        )
        for message, report in kept
    ]


def waiting_for(messages: Iterable[Message], domains: Iterable[str]) -> dict[str, list[Message]]:
    """For each domain that something waits for the messages, in the order of the queue; of `domains` alone if any."""
    wanted = set(domains)
    found: dict[str, list[Message]] = {}
    for message in messages:
        for domain in _recipient_domains(message):
            if not wanted or domain in wanted:
                found.setdefault(domain, []).append(message)
    return found


def returnable(message: Message, domains: Container[str]) -> bool:
    """Whether the message can be returned without anybody's loss elsewhere: it waits for these domains alone.

    What is on hold is kept back by somebody's decision, such as a filter's.
    """
    return message.queue == DEFERRED and all(domain in domains for domain in _recipient_domains(message))


def _recipient_domains(message: Message) -> Iterator[str]:
    """Each domain of the message's recipients once."""
    return iter(dict.fromkeys(domain_of(address).lower() for address, _reason in message.recipients))


def summary(
    messages: Sequence[Message], domains: Sequence[str], now: float, kept: Sequence[KeptMail] = ()
) -> dict[str, Any]:
    """What queue_info returns: `total`, and for each of `domains` (any that mail waits for) what is added up.

    A message for several domains counts in each of them, with its whole size, and once in the total. What is kept of a
    domain counts there, and not as a message for the sender to whom a report is addressed.
    """
    total = _Waiting()
    each = {domain: _Waiting() for domain in domains}
    reports = {message.queue_id for message, _report in kept}
    for message in messages:
        if message.queue_id in reports:
            continue
        reasons: dict[str, list[str]] = {}
        for address, reason in message.recipients:
            domain = domain_of(address).lower()
            if not domains or domain in each:
                reasons.setdefault(domain, []).append(reason_without(reason, address))
        for domain, why in reasons.items():
            each.setdefault(domain, _Waiting()).add(message, why)
        if reasons or not domains:
            total.add(message, [reason for why in reasons.values() for reason in why])
    for message, report in kept:
        failures = failures_by_domain(report, domains)
        for domain, of_domain in failures.items():
            each.setdefault(domain, _Waiting()).kept.add(message, of_domain)
        if failures:
            total.kept.add(message, [failure for of_domain in failures.values() for failure in of_domain])
    return {
        "total": total.as_result(now),
        "domains": {domain: each[domain].as_result(now) for domain in sorted(each)},
    }


def failures_by_domain(report: Report, domains: Container[str] = ()) -> dict[str, list[Failure]]:
    """The failures of each of the domains that has any, or of all if none is named."""
    found: dict[str, list[Failure]] = {}
    for failure in report.failures:
        if not domains or failure.domain in domains:
            found.setdefault(failure.domain, []).append(failure)
    return found
