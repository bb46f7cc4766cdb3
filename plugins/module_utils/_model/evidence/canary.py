# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the last canary, a real message that was followed to its end."""

from __future__ import annotations

from dataclasses import dataclass

DELIVERED = "delivered"
WAITING = "waiting"
BOUNCED = "bounced"
HELD = "held"
DISCARDED = "discarded"
REDIRECTED = "redirected"
REFUSED = "refused"
STANDBY = "standby"
LOST = "lost"
UNKNOWN = "unknown"
OUTCOMES = (DELIVERED, WAITING, BOUNCED, HELD, DISCARDED, REDIRECTED, REFUSED, STANDBY, LOST, UNKNOWN)


@dataclass(frozen=True)
class CanaryEvidence:
    """The outcome and its reason, without addresses, when it was known, and how many seconds ago that is."""

    outcome: str
    reason: str
    time: int
    age: int = 0
