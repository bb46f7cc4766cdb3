# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is collected as the one line of a Nagios or Icinga plugin, with its performance data and its exit status.

See the Monitoring Plugins Development Guidelines. No address and no domain is in the line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import ERROR, WARNING
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.collected import MetricsFound
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.exposition import Number, written_number
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.index_states import GOOD_STATES

OK, WARN, CRITICAL, UNKNOWN = range(4)
_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
# From which value on it is a warning, and critical; of what is to be large, below which value.
THRESHOLDS: Mapping[str, Sequence[int]] = {
    "oldest_age": (3600, 14400),
    "first_bounce": (86400, 21600),
    "free_bytes": (2 << 30, 1 << 30),
}
_FALLING = ("first_bounce", "free_bytes")
_UNITS = {"oldest_age": "s", "first_bounce": "s", "free_bytes": "B"}


@dataclass
class _Verdict:
    """The worst status so far, and what is told and measured."""

    status: int = OK
    told: list[str] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)

    def add(self, status: int, text: str) -> None:
        if status != OK:
            self.told.append(text)
        self.status = max(self.status, status)


def read_thresholds(given: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """THRESHOLDS with what is given in place of theirs. Raises InvalidInput."""
    found = {name: (pair[0], pair[1]) for name, pair in THRESHOLDS.items()}
    for name, pair in given.items():
        if name not in found:
            raise InvalidInput(f'thresholds: "{name}" is not one of {", ".join(THRESHOLDS)}')
        try:
            warn, critical = (int(value) for value in pair)
        except (TypeError, ValueError):
            raise InvalidInput(
                f"thresholds.{name} is not a pair of whole numbers; give the value for a warning and the critical one"
            ) from None
        found[name] = (warn, critical)
    return found


def plugin_line(collected: MetricsFound, thresholds: Mapping[str, tuple[int, int]]) -> tuple[str, int]:
    """The line, and the exit status. What can't be looked at is critical: Postfix or its configuration is broken."""
    verdict = _Verdict()
    for part, problem in sorted(collected.problems.items()):
        verdict.add(CRITICAL, f"{part}: {problem}")
    if collected.queue is not None:
        total = collected.queue["total"]
        verdict.measured.append(f"waiting={total['count']};;;0")
        _hold_against(verdict, "oldest_age", total["age"], "the oldest message has waited {} s", thresholds)
        _hold_against(
            verdict, "first_bounce", total["to_first_bounce"], "the first message bounces in {} s", thresholds
        )
        verdict.measured.append(f"drain={total['drain']['seconds']}s;;;0")
    if collected.mx is not None:
        space = collected.mx["queue_space"] or {}
        _hold_against(verdict, "free_bytes", space.get("bytes"), "the queue has {} bytes left", thresholds)
        _judge(verdict, collected.mx)
    waiting = collected.queue["total"]["count"] if collected.queue else None
    summary = "" if waiting is None else f"{waiting} {'message' if waiting == 1 else 'messages'} waiting"
    # What stands behind a bar is performance data.
    told = " ".join("; ".join([*verdict.told, *filter(None, [summary])]).replace("|", "/").split())
    return f"MXRELAY {_WORDS[verdict.status]} - {told} | {' '.join(verdict.measured)}", verdict.status


def _hold_against(
    verdict: _Verdict,
    name: str,
    value: Number | None,
    sentence: str,
    thresholds: Mapping[str, tuple[int, int]],
) -> None:
    warn, critical = thresholds[name]
    if value is None:
        return
    falling = name in _FALLING
    sign = ":" if falling else ""
    verdict.measured.append(f"{name}={written_number(value)}{_UNITS[name]};{warn}{sign};{critical}{sign};0")
    reached = [value < limit if falling else value > limit for limit in (warn, critical)]
    status = CRITICAL if reached[1] else WARN if reached[0] else OK
    verdict.add(status, sentence.format(written_number(value)))


def _judge(verdict: _Verdict, mx: Mapping[str, Any]) -> None:
    bad = sum(1 for table in mx["tables"] if table["index"] not in GOOD_STATES)
    verdict.measured.append(f"bad_tables={bad};;0;0")
    verdict.add(CRITICAL if bad else OK, f"{bad} {'table does' if bad == 1 else 'tables do'} not match the source")
    for severity, status, limits in ((ERROR, CRITICAL, ";0"), (WARNING, WARN, "0;")):
        found = [finding["check"] for finding in mx["findings"] if finding["severity"] == severity]
        verdict.measured.append(f"{severity}s={len(found)};{limits};0")
        names = ", ".join(sorted(set(found)))
        verdict.add(status if found else OK, f"{len(found)} {severity}{'' if len(found) == 1 else 's'} ({names})")
