# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was logged from a moment on: in Postfix's own file, the journal, or a file of syslog, whatever the host has."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Commands

JOURNAL = "journal"
# What says where Postfix logs, with what it is without a value.
LOG_PARAMETERS = {"maillog_file": "", "syslog_facility": "mail"}
SYSLOG_FILES = ("/var/log/mail.log", "/var/log/maillog", "/var/log/mail", "/var/log/syslog", "/var/log/messages")
# Of what was written since, no more than this is looked at.
LOG_BYTES = 64 << 20
# What a line of the log has on average, so that so many lines of the journal are so many bytes.
LINE_BYTES = 200
# For how long journalctl may be silent.
SECONDS_TO_READ = 20
_DELIVERY = ", delays="
_FACILITIES = {"mail": 2, **{f"local{number}": 16 + number for number in range(8)}}
_CURSOR = "-- cursor: "

# Where a log ended: of the journal its `cursor`, of a file its `inode` and `size`.
Position = Mapping[str, Any]


class MailLog(Protocol):
    """The port."""

    def positions(self) -> list[Position]:
        """Where each log that the host has ends now, the likeliest to hold Postfix's lines first."""

    def since(self, position: Position) -> list[str]:
        """What was written after that position; nothing where it can't be read."""

    def lately(self, position: Position, days: int) -> list[str]:
        """What was written up to that position: of the journal in so many days, of a file as much as is looked at."""


class HostMailLog:
    """The logs of this host, which Postfix writes to by its parameters maillog_file and syslog_facility."""

    def __init__(self, commands: Commands, maillog_file: str = "", facility: str = "mail") -> None:
        self._commands = commands
        self._maillog_file = maillog_file
        self._facility = _FACILITIES.get(facility)

    @classmethod
    def of(cls, commands: Commands, values: Mapping[str, str]) -> HostMailLog:
        """The logs of an instance with these values of LOG_PARAMETERS."""
        return cls(commands, *(values.get(name, default) for name, default in LOG_PARAMETERS.items()))

    def positions(self) -> list[Position]:
        own = [self._end_of(self._maillog_file)] if self._maillog_file else []
        found = [*own, self._journal(), *(self._end_of(path) for path in SYSLOG_FILES)]
        return [position for position in found if position]

    def since(self, position: Position) -> list[str]:
        if position["log"] == JOURNAL:
            return self._journal_since(str(position["cursor"]))
        return _text_since(str(position["log"]), position["inode"], position["size"]).split("\n")

    def tail(self, size: int) -> list[str]:
        """About so many of the last bytes, of the first log that tells of deliveries; nothing where none does."""
        for position in self.positions():
            if position["log"] == JOURNAL:
                lines = self._journalctl("-a", "-o", "short", "-n", str(size // LINE_BYTES), *self._only)
            else:
                lines = self.since({**position, "size": max(0, position["size"] - size)})
            if any(_DELIVERY in line for line in lines):
                return lines
        return []

    def lately(self, position: Position, days: int) -> list[str]:
        if position["log"] == JOURNAL:
            return self._journalctl("-a", "-o", "short", f"--since=-{days}d", *self._only)
        return self.since({**position, "size": max(0, position["size"] - LOG_BYTES)})

    def _end_of(self, path: str) -> Position:
        try:
            seen = os.stat(path)
        except OSError:
            return {}
        # /dev/stdout is our own here, whatever it is for Postfix.
        is_log = stat.S_ISREG(seen.st_mode) and not path.startswith("/dev/")
        return {"log": path, "inode": seen.st_ino, "size": seen.st_size} if is_log else {}

    def _journal(self) -> Position:
        said = self._journalctl("-n", "0", "--show-cursor")
        cursors = [line[len(_CURSOR) :] for line in said if line.startswith(_CURSOR)]
        return {"log": JOURNAL, "cursor": cursors[-1].strip()} if cursors else {}

    def _journal_since(self, cursor: str) -> list[str]:
        return self._journalctl("-a", "-o", "short", f"--after-cursor={cursor}", *self._only)

    @property
    def _only(self) -> list[str]:
        return [f"SYSLOG_FACILITY={self._facility}"] if self._facility is not None else []

    def _journalctl(self, *options: str) -> list[str]:
        """The lines that it prints, nothing where it does not within SECONDS_TO_READ."""
        try:
            result = self._commands.run(["journalctl", "-q", "--no-pager", *options], silence=SECONDS_TO_READ)
        except (FileNotFoundError, TimeoutError):
            return []
        return result.out.split("\n") if result.rc == 0 else []


def _text_since(path: str, inode: int, size: int) -> str:
    """A file that took the place of the other, as logrotate does it, is read from its start."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as stream:
        now = os.fstat(stream.fileno())
        if not stat.S_ISREG(now.st_mode):
            return ""
        stream.seek(size if now.st_ino == inode and now.st_size >= size else 0)
        return stream.read(LOG_BYTES).decode("utf-8", "replace")


def first_with(lines: Sequence[Sequence[str]], words: Sequence[str]) -> Sequence[str]:
    """The first of several logs that has one of these words, nothing if none has."""
    return next((log for log in lines if any(word in line for line in log for word in words)), ())
