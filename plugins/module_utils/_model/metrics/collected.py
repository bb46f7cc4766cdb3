# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was collected of one instance of Postfix at a moment, as metrics and as what a monitoring plugin says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.exposition import SECONDS, Family
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.host import host_families
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.queue import DOMAINS, queue_families

QUEUE = "queue"
VERIFY = "verify"
# The last time when the host could be looked at; what collects keeps it while it can't.
VERIFIED = "verify_timestamp_seconds"


@dataclass(frozen=True)
class MetricsFound:
    """What mx_info and queue_info returned, None if they failed, and of each part that failed why.

    Times are seconds since 1970. `verified` is when mx_info last returned something, None for never.
    """

    now: float
    mx: Mapping[str, Any] | None = None
    queue: Mapping[str, Any] | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    verified: float | None = None
    duration: float | None = None

    def families(self, limit: int = DOMAINS) -> Sequence[Family]:
        """The families of all that is known, with at most so many domains that have labels of their own."""
        relayed = self.mx["domains"] if self.mx else ()
        found = [
            Family(
                "collect_success",
                "1 if this part of the host could be looked at, else 0.",
                [({"part": part}, int(part not in self.problems)) for part in (QUEUE, VERIFY)],
            ),
            Family("collect_timestamp_seconds", "When this was collected.", [({}, int(self.now))], SECONDS),
            Family(
                "collect_duration_seconds",
                "How long it took.",
                [] if self.duration is None else [({}, round(self.duration, 3))],
                SECONDS,
            ),
            Family(
                VERIFIED,
                "When the host was last verified, whatever the checks found.",
                [] if self.verified is None else [({}, int(self.verified))],
                SECONDS,
            ),
        ]
        if self.queue is not None:
            found += queue_families(self.queue, relayed, limit)
        if self.mx is not None:
            found += host_families(self.mx, self.now, limit)
        return found
