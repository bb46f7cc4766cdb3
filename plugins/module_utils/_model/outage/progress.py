# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a queue empties: what is told of it at each look, and at the end.

It is about the messages that were queued at the beginning. What arrives later neither hides that they go nor keeps the
end from coming.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# The rate is that of so many seconds before the last look, or of a longer pause between two looks.
RATE_SECONDS = 60.0
REASONS_TOLD = 5


@dataclass(frozen=True)
class Look:
    """What still waits of the messages, so many seconds after the beginning; why, each reason with its recipients."""

    seconds: float
    waiting: int
    reasons: Sequence[Mapping[str, Any]] = ()


@dataclass
class Progress:
    """The messages that waited at the beginning, and the looks since."""

    start: int
    looks: list[Look] = field(default_factory=list)

    def add(self, look: Look) -> None:
        """Adds a look, the latest."""
        self.looks.append(look)

    @property
    def last(self) -> Look:
        return self.looks[-1] if self.looks else Look(0.0, self.start)

    @property
    def reasons(self) -> Sequence[Mapping[str, Any]]:
        """Why mail stays, by the last look that tells: while a message is tried Postfix does not know why it waited."""
        return next((look.reasons for look in reversed(self.looks) if look.reasons), ())

    @property
    def gone(self) -> int:
        """How many have left the queue: delivered, or returned to their senders."""
        return self.start - self.last.waiting

    @property
    def rate(self) -> float:
        """How many leave the queue a second, of late."""
        last = self.last
        before = [look for look in (Look(0.0, self.start), *self.looks[:-1]) if look.seconds < last.seconds]
        lately = [look for look in before if last.seconds - look.seconds <= RATE_SECONDS] or before[-1:]
        if not lately:
            return 0.0
        return max(0.0, (lately[0].waiting - last.waiting) / (last.seconds - lately[0].seconds))

    @property
    def seconds_left(self) -> int | None:
        """How long the rest takes at this rate; None if nothing goes."""
        return round(self.last.waiting / self.rate) if self.rate else None

    def line(self) -> str:
        """What is told at the last look."""
        counted = f"{self.last.waiting} of {self.start} messages still wait, {self.gone} gone"
        after = f" after {self.last.seconds:.0f} s"
        if not self.last.waiting:
            return f"all {_messages(self.start)} gone{after}"
        if self.seconds_left is None:
            return f"{counted}{after}; none goes at the moment{_because(self.reasons[:1])}"
        return f"{counted}{after}; {self.rate:.1f} a second, about {self.seconds_left} s to go"

    def verdict(self) -> list[str]:
        """What is told at the end: a line, and one for each reason why some stay."""
        if not self.start:
            return ["nothing was queued"]
        if not self.last.waiting:
            return [self.line()]
        counted = f"{self.last.waiting} of {_messages(self.start)} still queued after {self.last.seconds:.0f} s"
        told = self.reasons[:REASONS_TOLD]
        lines = [f"{_recipients(reason['recipients'])}: {reason['reason']}" for reason in told]
        more = len(self.reasons) - len(told)
        return [counted, *lines, *([f"and {more} other reasons"] if more > 0 else [])]


def _messages(number: int) -> str:
    return "1 message is" if number == 1 else f"{number} messages are"


def _recipients(number: int) -> str:
    return "1 recipient" if number == 1 else f"{number} recipients"


def _because(reasons: Sequence[Mapping[str, Any]]) -> str:
    return "".join(f" ({reason['reason']})" for reason in reasons)
