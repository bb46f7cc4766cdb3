# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the first queued mail bounces, and how long the queue takes to drain. Times are seconds, moments since 1970.

A message that waits is tried again when it is as old again as at its last try, but not before minimal_backoff_time and
not after maximal_backoff_time, by the next of the queue runs, which are queue_run_delay apart. It bounces at the first
try that fails when it is older than its lifetime. See qmgr(8), and SCHEDULER_README on the concurrency.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import DEFERRED, NO_SENDER, Message

# On what an estimate of the drain time is based: on this host's settings and what a delivery usually takes, or on what
# the deliveries took that the log tells of.
SETTINGS = "settings"
MEASURED = "measured"
# What a delivery takes if the log tells of none.
SECONDS_ASSUMED = 1.0
# What one parameter is if Postfix does not tell, and the unit of a value without one.
_TIMES = {
    "maximal_queue_lifetime": ("5d", "d"),
    "bounce_queue_lifetime": ("5d", "d"),
    "minimal_backoff_time": ("300s", "s"),
    "maximal_backoff_time": ("4000s", "s"),
    "queue_run_delay": ("300s", "s"),
}
_FEEDBACK = re.compile(r"(\d*\.?\d+)(?:\s*/\s*(concurrency|sqrt_concurrency))?\Z")


@dataclass(frozen=True)
class RetryTimes:
    """The lifetimes of mail and of reports (whose sender is empty), the least and the longest wait, the queue runs."""

    lifetime: float
    of_reports: float
    minimal: float
    maximal: float
    run: float

    @classmethod
    def from_values(cls, values: Mapping[str, str]) -> RetryTimes:
        """From the effective values of Postfix's parameters."""
        lifetime, of_reports, minimal, maximal, run = (
            _time(values.get(name, ""), default, unit) for name, (default, unit) in _TIMES.items()
        )
        minimal = max(minimal, 1)
        return cls(lifetime, min(of_reports, lifetime), minimal, max(minimal, maximal), max(run, 1))

    def wait(self, age: float) -> float:
        """For how long a message of that age waits after a try that failed, until the first queue run after it is due.

        A new message is not tried by a queue run, and so waits for half of the time between two of them on average.
        """
        if age < self.minimal:
            return self.minimal + self.run / 2
        least = min(self.maximal, age)
        return least + -least % self.run

    def age_at_last_try(self, until_due: float) -> float:
        """How old a message was when it was tried that is due so many seconds after its arrival."""
        if until_due <= 2 * self.minimal:
            return until_due - self.minimal
        return until_due / 2 if until_due <= 2 * self.maximal else until_due - self.maximal


@dataclass(frozen=True)
class Route:
    """How mail goes: its transport and destination, and what Postfix's settings allow there.

    `concurrency` deliveries at a time, the `initial` number of them and its growth, `rate_delay` between two of them,
    `recipients` in one. `deferred`: it waits for a flush, by defer_transports.
    """

    transport: str
    destination: str
    concurrency: int = 20
    initial: int = 5
    feedback: str = "1"
    rate_delay: float = 0
    recipients: int = 50
    deferred: bool = False

    @classmethod
    def from_values(cls, transport: str, destination: str, values: Mapping[str, str], processes: int) -> Route:
        """From the effective values of Postfix's parameters; `processes` of the transport run at most, 0: no limit."""

        def value(name: str, general: str, default: str) -> str:
            return values.get(f"{transport}_{name}") or values.get(general) or default

        limit = _number(value("destination_concurrency_limit", "default_destination_concurrency_limit", "20"), 20)
        recipients = _number(value("destination_recipient_limit", "default_destination_recipient_limit", "50"), 50)
        delays = [
            _time(value(name, f"default_{name}", "0s"), "0s", "s")
            for name in ("destination_rate_delay", "transport_rate_delay")
        ]
        allowed = [number for number in (processes, limit if recipients != 1 else 0) if number]
        concurrency = 1 if any(delays) else min(allowed, default=100)
        initial = _number(value("initial_destination_concurrency", "initial_destination_concurrency", "5"), 5)
        return cls(
            transport,
            # A delay of the whole transport makes of all its destinations one.
            "" if delays[1] else destination,
            concurrency,
            concurrency if recipients == 1 else max(1, min(initial, concurrency)),
            value(
                "destination_concurrency_positive_feedback", "default_destination_concurrency_positive_feedback", "1"
            ),
            max(delays),
            recipients,
            transport in re.split(r"[\s,]+", values.get("defer_transports", "")),
        )


@dataclass(frozen=True)
class Measured:
    """What the log tells of deliveries: how many, what one took, and how many a second there are.

    `per_second` is None unless mail waits for the concurrency limit, as it does when a queue drains. Their mean `size`
    and what each byte takes are 0 if unknown.
    """

    deliveries: int
    per_delivery: float
    per_second: float | None = None
    size: float = 0
    per_byte: float = 0

    def takes(self, size: float) -> float:
        """What the delivery of a message of that size takes."""
        return self.per_delivery + self.per_byte * (size - self.size)

    def as_result(self) -> dict[str, Any]:
        return {
            "deliveries": self.deliveries,
            "per_delivery": round(self.per_delivery, 3),
            "per_second": None if self.per_second is None else round(self.per_second, 3),
        }


@dataclass(frozen=True)
class Drain:
    """How long so many deliveries take: `seconds` after a flush, `unaided` without one, None if never by themselves."""

    deliveries: int
    seconds: float
    unaided: float | None
    based_on: str
    per_delivery: float
    route: Route | None = None

    def as_result(self) -> dict[str, Any]:
        return {
            "deliveries": self.deliveries,
            "seconds": math.ceil(self.seconds),
            "unaided": None if self.unaided is None else math.ceil(self.unaided),
            "from": self.based_on,
            "per_delivery": round(self.per_delivery, 3),
            "transport": self.route.transport if self.route else None,
            "concurrency": self.route.concurrency if self.route else None,
            "rate_delay": int(self.route.rate_delay) if self.route else None,
        }


NOTHING = Drain(0, 0, 0, SETTINGS, SECONDS_ASSUMED)


def next_try(message: Message, times: RetryTimes, now: float, due: float | None = None) -> float:
    """When a message is tried again: now if it is being tried, else by the queue run after it is due.

    `due` is what Postfix noted in the queue file; without it, the message was tried since its arrival as often as
    Postfix does by itself.
    """
    if message.queue != DEFERRED:
        return now
    if due is not None:
        age = times.age_at_last_try(due - message.arrival)
        tried = message.arrival + age + times.wait(age) if age >= times.minimal else due + times.run / 2
        return tried if tried > now else now + times.run / 2
    return _try_after(message.arrival, now, message.arrival, times)


def bounce_of(message: Message, times: RetryTimes, now: float, due: float | None = None) -> float:
    """When a message bounces if each try fails."""
    expires = message.arrival + (times.of_reports if message.sender in ("", NO_SENDER) else times.lifetime)
    first = next_try(message, times, now, due)
    return first if first >= expires else _try_after(first, expires, message.arrival, times)


def _try_after(tried: float, moment: float, arrival: float, times: RetryTimes) -> float:
    """The first try at or after the moment, of those that follow the one at `tried`."""
    while tried < moment:
        age = tried - arrival
        wait = times.wait(age)
        # Once the wait no longer grows, so many tries are passed at once.
        steps = math.ceil((moment - tried) / wait) if age >= times.maximal else 1
        tried += wait * steps
    return tried


def first_bounce(
    messages: Sequence[Message], times: RetryTimes, now: float, due: Mapping[str, float] | None = None
) -> float | None:
    """When the first of the messages bounces, None without any; none of them is on hold. `due` is by queue id."""
    known = due or {}
    return min((bounce_of(message, times, now, known.get(message.queue_id)) for message in messages), default=None)


def drain_seconds(deliveries: int, each: float, route: Route) -> float:
    """How long so many deliveries take that wait all at once and take `each` seconds.

    The concurrency begins with the initial one, and grows with each delivery up to its limit.
    """
    if route.rate_delay:
        return deliveries * each + max(0, deliveries - 1) * route.rate_delay
    reached, window = _rounds(route)
    beyond = deliveries - (reached[-1] if reached else 0)
    rounds = bisect_left(reached, deliveries) + 1 if beyond <= 0 else len(reached) + math.ceil(beyond / window)
    return rounds * each if deliveries else 0


@cache
def _rounds(route: Route) -> tuple[tuple[int, ...], int]:
    """How many deliveries there were after each round in which the concurrency grew, and what it then stays at."""
    reached: list[int] = []
    window = float(max(1, route.initial))
    while window < route.concurrency:
        grown = window + int(window) * _growth(window, route.feedback)
        if grown <= window:
            break
        reached.append(int(window) + (reached[-1] if reached else 0))
        window = min(grown, float(route.concurrency))
    return tuple(reached), int(window)


def _growth(window: float, feedback: str) -> float:
    """By how much a delivery that succeeds raises the concurrency."""
    match = _FEEDBACK.match(feedback.strip())
    if not match:
        return 1.0
    divisors = {"concurrency": window, "sqrt_concurrency": math.sqrt(window)}
    return float(match.group(1)) / divisors.get(match.group(2) or "", 1.0)


def drain(
    waits: Sequence[tuple[float, int]], route: Route, each: float | None = None, per_second: float | None = None
) -> Drain:
    """How long mail takes to drain. `waits` has for each message the seconds to its next try, and its deliveries.

    `each` is what a delivery takes, None if nobody measured it; `per_second` how many there are now.
    """
    taken = SECONDS_ASSUMED if each is None else each
    total = sum(deliveries for _wait, deliveries in waits)

    def lasts(deliveries: int) -> float:
        return deliveries / per_second if per_second else drain_seconds(deliveries, taken, route)

    left, unaided = total, 0.0
    for wait, deliveries in sorted(waits):
        # All that are tried from here on can't be done sooner.
        unaided = max(unaided, wait + lasts(left))
        left -= deliveries
    based_on = SETTINGS if each is None and per_second is None else MEASURED
    return Drain(total, lasts(total), None if route.deferred and total else unaided, based_on, taken, route)


def slowest(found: Sequence[Drain]) -> Drain:
    """How long several destinations take side by side: what the slowest does, with all their deliveries."""
    if not found:
        return NOTHING
    last = max(found, key=lambda drain: drain.seconds)
    unaided = [drain.unaided for drain in found]
    known = [seconds for seconds in unaided if seconds is not None]
    return Drain(
        sum(drain.deliveries for drain in found),
        last.seconds,
        max(known) if len(known) == len(unaided) else None,
        last.based_on,
        last.per_delivery,
        last.route,
    )


def deliveries_for(recipients: int, route: Route) -> int:
    """In how many deliveries a message goes to so many recipients of one destination."""
    return math.ceil(recipients / route.recipients) if route.recipients else 1


def _time(value: str, default: str, unit: str) -> float:
    known = seconds(value, unit)
    return float((seconds(default, unit) or 0) if known is None else known)


def _number(value: str, default: int) -> int:
    return int(value) if value.isascii() and value.isdigit() else default
