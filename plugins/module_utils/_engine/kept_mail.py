# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the reports of refused mail that wait on hold, and takes the original message out of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.kept_reports import (
    Incomplete,
    NoReport,
    Report,
    parse_report,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import (
    HOLD,
    KeptMail,
    Message,
    may_be_report,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

# So many are read where only counts are wanted, the oldest first: some 10 s.
READ_AT_MOST = 1000


@dataclass(frozen=True)
class KeptMailFound:
    """The reports of refused mail, the oldest first, and how many held messages were not looked at."""

    mail: list[KeptMail] = field(default_factory=list)
    unread: int = 0


def read_kept_mail(postfix: Postfix, messages: Sequence[Message], at_most: int | None = None) -> KeptMailFound:
    """Which of the messages are reports of refused mail. Without held messages nothing is asked."""
    if not any(message.queue == HOLD for message in messages):
        return KeptMailFound()
    double_bounce = double_bounce_of(postfix)
    held = [message for message in messages if may_be_report(message, double_bounce)]
    held.sort(key=lambda message: message.arrival)
    looked_at = held if at_most is None else held[:at_most]
    found = [(message, read_report(postfix, message.queue_id, double_bounce)) for message in looked_at]
    mail = [(message, report) for message, report in found if report is not None]
    return KeptMailFound(mail, len(held) - len(looked_at))


def double_bounce_of(postfix: Postfix) -> str:
    """The local part of the address from which Postfix reports to the postmaster."""
    return postfix.parameters(["double_bounce_sender"], ["-x"]).get("double_bounce_sender", "").partition("@")[0]


def read_report(postfix: Postfix, queue_id: str, double_bounce: str) -> Report | None:
    """The report that this message is, None if it is none, or gone. The original message in it is not read."""
    head = _Head(queue_id, double_bounce)
    try:
        postfix.stream(head.take, "postcat", "-q", queue_id)
        return parse_report(head.printed, queue_id, double_bounce, at_end=True)
    except _Enough:
        return head.report
    except NoReport:
        return None


class _Enough(Exception):
    """What the command still prints is not needed."""


class _Head:
    """Takes what postcat prints until the report is known."""

    def __init__(self, queue_id: str, double_bounce: str) -> None:
        self._queue_id = queue_id
        self._double_bounce = double_bounce
        self.printed = b""
        self.report: Report | None = None

    def take(self, piece: bytes) -> None:
        self.printed += piece
        try:
            self.report = parse_report(self.printed, self._queue_id, self._double_bounce, at_end=False)
        except Incomplete:
            return
        except NoReport:
            pass
        raise _Enough


def extract(postfix: Postfix, report: Report, target: IO[bytes]) -> bool:
    """Writes the original message into the file, byte for byte as this host had taken it; False if it is not whole."""
    original = _Original(report, target)
    try:
        result = postfix.stream(original.take, "postcat", "-bhq", report.queue_id)
    except OSError as error:
        raise HostError(f"a message could not be copied to a temporary file: {error.strerror}; make room") from error
    return result.rc == 0 and original.is_whole()


class _Original:
    """Takes the content of a report, and writes what is between its head and its last line."""

    def __init__(self, report: Report, target: IO[bytes]) -> None:
        self._target = target
        self._skip = report.start
        self._end = report.end
        self._kept_back = b""

    def take(self, piece: bytes) -> None:
        skipped = min(self._skip, len(piece))
        self._skip -= skipped
        so_far = self._kept_back + piece[skipped:]
        known = max(0, len(so_far) - len(self._end))
        self._target.write(so_far[:known])
        self._kept_back = so_far[known:]

    def is_whole(self) -> bool:
        return self._kept_back == self._end
