# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much mail comes for domains, as Postfix's log tells: the sizes that qmgr(8) logs, by the recipients' domains."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.log import parse_line
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import MailVolume
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.rate import moment_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sizes import told_size

DAY = 86400
# From a shorter part of a log nothing is concluded about a day.
LEAST_SECONDS = 3600
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_QUEUED = re.compile(r"(\w{5,}): from=<[^>]*>, size=(\d+), ")
_TRIED = re.compile(r"(\w{5,}): to=<[^>]*@([^>@]+)>, ")


@dataclass(frozen=True)
class MeasuredVolume:
    """What a log of so many seconds tells: of each domain the bytes and the messages, each message once."""

    seconds: float = 0
    sizes: Mapping[str, int] = field(default_factory=dict)
    messages: Mapping[str, int] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        return self.seconds >= LEAST_SECONDS

    def of(self, domains: Collection[str]) -> MailVolume:
        """A day's mail for all of these together. A message for several of them counts in each."""
        if not self.known:
            return MailVolume()
        part = DAY / self.seconds
        size, messages = (sum(count.get(name, 0) for name in domains) for count in (self.sizes, self.messages))
        return MailVolume(round(size * part), round(messages * part))


def measured_volume(lines: Sequence[str], domains: Collection[str], now: float) -> MeasuredVolume:
    """What these lines of a log tell of the domains."""
    first, last = _moment(lines, now), _moment(reversed(lines), now)
    queued: dict[str, int] = {}
    sizes: dict[str, int] = dict.fromkeys(domains, 0)
    seen: set[tuple[str, str]] = set()
    for text in lines:
        line = parse_line(text) if ": from=<" in text or ": to=<" in text else None
        if line is None:
            continue
        of_queue, tried = _QUEUED.match(line.text), _TRIED.match(line.text)
        if of_queue:
            queued[of_queue.group(1)] = int(of_queue.group(2))
        elif tried and (tried.group(1), tried.group(2).lower()) not in seen:
            queue_id, domain = tried.group(1), tried.group(2).lower()
            if domain in sizes and queue_id in queued:
                seen.add((queue_id, domain))
                sizes[domain] += queued[queue_id]
    counts = Counter(domain for _queue_id, domain in seen)
    return MeasuredVolume(max(0.0, last - first), sizes, {name: counts[name] for name in domains})


def given_volume(text: str) -> int:
    """Bytes of a size such as 500M. Raises InvalidInput."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise InvalidInput(f'volume: "{text}" is not a size; use a value such as 500M or 2G')
    return round(float(match.group(1)) * _UNITS[match.group(2).lower()])


def volume_lines(volume: Mapping[str, Any]) -> list[str]:
    """What is expected, as mx_outage returns it, in words."""
    if volume["size"] is None:
        return ["expected in a day: not known, as the mail log tells of less than an hour; give the volume"]
    told = f"expected in a day: {told_size(volume['size'])}"
    if volume["days"] is None:
        return [f"{told}, as given"]
    return [f"{told} in {volume['messages']} messages, as the last {volume['days']} days of the log tell"]


def _moment(lines: Iterable[str], now: float) -> float:
    """When the first of the lines that has a time was written, in whole seconds since 1970; 0 without any."""
    return float(next(filter(None, (int(moment_of(line, now)) for line in lines)), 0))
