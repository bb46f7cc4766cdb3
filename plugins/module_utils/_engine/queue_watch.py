# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at what is left in the queue of the messages that were there at a given time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import POLL_SECONDS, read_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import HOLD, Message, summary, waiting_for
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

# A look waits for so many times as long as it took, since reading a long queue keeps the disk busy.
PAUSE = 4.0


@dataclass(frozen=True)
class QueueLook:
    """The messages that wait, of those that arrived until `since`; how many are on hold, and how many came later."""

    at: float
    since: float
    waiting: Sequence[Message]
    held: int
    later: int
    domains: Sequence[str] = ()

    def as_result(self) -> dict[str, Any]:
        """Counts and reasons, without any address."""
        counted = summary(self.waiting, self.domains, self.at)
        return {
            "at": self.at,
            "since": self.since,
            "waiting": len(self.waiting),
            "domains": {domain: found["count"] for domain, found in counted["domains"].items() if found["count"]},
            "reasons": counted["total"]["reasons"],
            "held": self.held,
            "later": self.later,
        }


def look_at_queue(
    postfix: Postfix, domains: Sequence[str], since: float | None = None, seconds: float = 0.0
) -> QueueLook:
    """What waits for the domains, or for any, and had arrived by `since` (now, if it is not given).

    Looks again until none of it waits, for so many seconds. Raises HostError if the queue can't be read.
    """
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        found = _look(read_queue(postfix), domains, time.time(), since)
        if not found.waiting or time.monotonic() >= deadline:
            return found
        pause = max(POLL_SECONDS, PAUSE * (time.monotonic() - began))
        time.sleep(max(0.0, min(pause, deadline - time.monotonic())))


def _look(messages: Sequence[Message], domains: Sequence[str], now: float, since: float | None) -> QueueLook:
    ours = _each_once(messages, domains)
    moment = now if since is None else since
    waiting = [message for message in ours if message.queue != HOLD]
    early = [message for message in waiting if message.arrival <= moment]
    return QueueLook(now, moment, early, len(ours) - len(waiting), len(waiting) - len(early), domains)


def _each_once(messages: Sequence[Message], domains: Sequence[str]) -> list[Message]:
    """The messages for any of the domains, without any all."""
    wanted = {message.queue_id for found in waiting_for(messages, domains).values() for message in found}
    return [message for message in messages if message.queue_id in wanted]
