# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast mail was delivered, by what Postfix logged of each delivery: its time, its `delays` and its size.

Of the four delays the second is how long the message waited in the active queue, the last two are how long its delivery
took. See postconf(5), delay_logging_resolution_limit.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.log import parse_line
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.estimate import Measured

# Fewer deliveries of a domain tell less than those of others by its transport.
FEW = 5
# A rate is that of the last minute since a longer pause, if it lasted so long and there were so many.
MINUTE = 60
SHORTEST = 10
FEWEST = 10
# What sizes explain less of is not laid to them.
EXPLAINED = 0.5
_DAY = 86400

_SENT = re.compile(r"(\w+): to=<([^>]*)>.*, delays=([\d.]+)/([\d.]+)/([\d.]+)/([\d.]+), .*status=sent ")
_SIZE = re.compile(r"(\w+): from=<.*>, size=(\d+), nrcpt=")
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:?\d\d)?")
_SHORT_DATE = re.compile(r"(\w{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) ")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Sent(NamedTuple):
    """A delivery that succeeded: its moment in seconds since 1970, how long the message waited and what it took.

    `size` is in bytes, 0 if the log does not tell.
    """

    moment: float
    service: str
    domain: str
    waited: float
    took: float
    size: int = 0


def sent_mail(lines: Iterable[str], now: float) -> list[Sent]:
    """The deliveries in lines of a log. Several recipients of one delivery count once."""
    sizes: dict[str, int] = {}
    found: dict[tuple[str, ...], Sent] = {}
    for text in lines:
        if ", size=" not in text and "status=sent" not in text:
            continue
        line = parse_line(text)
        sized, sent = (pattern.match(line.text) if line else None for pattern in (_SIZE, _SENT))
        if sized:
            sizes[sized.group(1)] = int(sized.group(2))
        elif sent and line:
            queue_id, address, *delays = sent.groups()
            _before, waited, connection, transmission = map(float, delays)
            domain = domain_of(address).lower()
            found[(queue_id, domain, *delays)] = Sent(
                moment_of(text, now), line.service, domain, waited, connection + transmission, sizes.get(queue_id, 0)
            )
    return list(found.values())


def moment_of(line: str, now: float) -> float:
    """When a line was logged, 0 if it does not tell. The usual form has no year: it lies in the year before `now`."""
    match = _SHORT_DATE.match(line)
    if match and match.group(1) in _MONTHS:
        month, (day, hour, minute, second) = _MONTHS.index(match.group(1)) + 1, map(int, match.groups()[1:])
        year = time.localtime(now).tm_year
        moments = [time.mktime((each, month, day, hour, minute, second, 0, 0, -1)) for each in (year, year - 1)]
        return next((moment for moment in moments if moment <= now + _DAY), 0.0)
    match = _ISO.match(line)
    return _moment_with_year(*match.groups(default="")) if match else 0.0


def _moment_with_year(day: str, clock: str, fraction: str, zone: str) -> float:
    # Python before 3.11 reads a zone in this form only.
    offset = "+00:00" if zone == "Z" else f"{zone[:3]}:{zone[-2:]}" if zone else ""
    try:
        return datetime.fromisoformat(f"{day}T{clock}{offset}").timestamp() + float(f"0.{fraction}")
    except ValueError:
        return 0.0


class Rates:
    """The deliveries that a log tells of, and the moment `since` when they are made by the settings of now."""

    def __init__(self, sent: Iterable[Sent] = (), since: float = 0) -> None:
        self._since = since
        self._of_domain: dict[str, list[Sent]] = {}
        self._of_service: dict[str, list[Sent]] = {}
        for delivery in sent:
            self._of_domain.setdefault(delivery.domain, []).append(delivery)
            self._of_service.setdefault(delivery.service, []).append(delivery)
        self._measured: dict[str, Measured] = {}

    def measured(self, domains: Iterable[str], service: str, now: float) -> Measured | None:
        """What deliveries for the domains took, or if there were few, those by the service; None without any.

        How many there are a second is always that of the domains.
        """
        own = [delivery for domain in domains for delivery in self._of_domain.get(domain, ())]
        found = self._by_service(service) if len(own) < FEW else None
        found = found or (_measured(own) if own else None)
        return replace(found, per_second=_per_second(own, now, self._since)) if found else None

    def _by_service(self, service: str) -> Measured | None:
        if service not in self._measured and service in self._of_service:
            self._measured[service] = _measured(self._of_service[service])
        return self._measured.get(service)


def _measured(sent: Sequence[Sent]) -> Measured:
    mean = sum(delivery.took for delivery in sent) / len(sent)
    sizes = [(delivery.size, delivery.took) for delivery in sent if delivery.size]
    size = sum(size for size, _took in sizes) / len(sizes) if sizes else 0.0
    return Measured(len(sent), mean, None, size, _per_byte(sizes, size))


def _per_second(sent: Sequence[Sent], now: float, since: float) -> float | None:
    """How many deliveries a second there are now, None if mail does not wait for others to be delivered."""
    # The log tells whole seconds.
    start = max(now - MINUTE, since + 1)
    moments = sorted(
        delivery.moment for delivery in sent if delivery.moment >= start and delivery.waited > delivery.took
    )
    pauses = [place for place in range(1, len(moments)) if moments[place] - moments[place - 1] > SHORTEST]
    lately = moments[pauses[-1] if pauses else 0 :]
    if len(lately) < FEWEST or lately[-1] - lately[0] < SHORTEST or now - lately[-1] > SHORTEST:
        return None
    # Those of the first moment took their time before it.
    return sum(1 for moment in lately if moment > lately[0]) / (lately[-1] - lately[0])


def _per_byte(sizes: Sequence[tuple[int, float]], mean_size: float) -> float:
    """By how much a delivery takes longer for each byte, by least squares; 0 if the sizes do not explain it."""
    mean = sum(took for _size, took in sizes) / max(1, len(sizes))
    spread = sum((size - mean_size) ** 2 for size, _took in sizes)
    variance = sum((took - mean) ** 2 for _size, took in sizes)
    together = sum((size - mean_size) * (took - mean) for size, took in sizes)
    if len(sizes) < FEWEST or together <= 0 or together**2 < EXPLAINED * spread * variance:
        return 0.0
    # No delivery takes less than nothing.
    return min(together / spread, mean / mean_size)
