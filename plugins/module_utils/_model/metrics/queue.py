# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of what queue_info returns, by domain.

Only relay domains have labels of their own, and no more of them than a limit: whatever strangers write to, and the rest
of the relay domains, is one, so that the number of time series is bounded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.deferral_causes import CAUSES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.exposition import (
    BYTES,
    SECONDS,
    Family,
    Number,
    Sample,
)

# No domain has this name.
OTHERS = "(other)"
DOMAINS = 1000

Counts = Mapping[str, Any]


@dataclass(frozen=True)
class _Metric:
    """How a family is made of the counts of a domain, None for no sample, and of those of several domains."""

    name: str
    help: str
    value: Callable[[Counts], Number | None]
    together: Callable[[Iterable[Number]], Number] = sum
    unit: str = ""


def _drain(counts: Counts) -> Number | None:
    drain = counts["drain"]
    return drain["seconds"] if drain["deliveries"] else None


_METRICS = (
    _Metric(
        "queue_messages", "Messages queued for the domain, those on hold included.", lambda counts: counts["count"]
    ),
    _Metric("queue_held_messages", "Messages on hold for the domain.", lambda counts: counts["held"]),
    _Metric("queue_size_bytes", "The size of the queued messages.", lambda counts: counts["size"], unit=BYTES),
    _Metric(
        "queue_refused_recipients",
        "Recipients that the mail host refused and that are tried again nevertheless.",
        lambda counts: counts["refused"],
    ),
    _Metric("queue_kept_messages", "Reports of refused mail on hold.", lambda counts: counts["kept"]["count"]),
    _Metric(
        "queue_oldest_age_seconds",
        "How long ago the oldest queued message arrived.",
        lambda counts: counts["age"],
        max,
        SECONDS,
    ),
    _Metric(
        "queue_first_bounce_seconds",
        "How long until the first message bounces if no delivery succeeds before.",
        lambda counts: counts["to_first_bounce"],
        min,
        SECONDS,
    ),
    _Metric(
        "queue_drain_seconds",
        "How long the queued mail takes to be delivered after a flush, by an estimate.",
        _drain,
        max,
        SECONDS,
    ),
)


def queue_families(queue: Mapping[str, Any], relayed: Collection[str], limit: int = DOMAINS) -> list[Family]:
    """The families of what queue_info returned, of these relay domains at most `limit`, the fullest first."""
    counts: Mapping[str, Counts] = queue["domains"]
    labels = _labelled(counts, relayed, limit)
    groups: dict[str, list[Counts]] = {name: [] for name in [*sorted(labels), OTHERS]}
    for name, found in counts.items():
        groups[_label(name, labels)].append(found)
    families = [Family(each.name, each.help, _samples(each, groups), each.unit) for each in _METRICS]
    return [*families, _deferred(groups)]


def _labelled(counts: Mapping[str, Counts], relayed: Collection[str], limit: int) -> set[str]:
    def key(name: str) -> tuple[int, str]:
        found = counts.get(name)
        return (-(found["count"] + found["kept"]["count"]) if found else 0, name)

    return set(sorted(set(relayed), key=key)[: max(0, limit)])


def _label(name: str, labels: Collection[str]) -> str:
    """The domain itself, or the relay domain that it is below."""
    while name and name not in labels:
        name = name.partition(".")[2]
    return name or OTHERS


def _samples(metric: _Metric, groups: Mapping[str, Sequence[Counts]]) -> list[Sample]:
    found: list[Sample] = []
    for name, several in groups.items():
        values = [value for value in map(metric.value, several) if value is not None]
        if values:
            found.append(({"domain": name}, metric.together(values)))
        elif metric.together is sum:
            found.append(({"domain": name}, 0))
    return found


def _deferred(groups: Mapping[str, Sequence[Counts]]) -> Family:
    samples: list[Sample] = []
    for name, several in groups.items():
        for cause in CAUSES:
            number = sum(counts["causes"].get(cause, 0) for counts in several)
            if number:
                samples.append(({"domain": name, "cause": cause}, number))
    return Family("queue_deferred_recipients", "Recipients whose mail waits, by the class of the cause.", samples)
