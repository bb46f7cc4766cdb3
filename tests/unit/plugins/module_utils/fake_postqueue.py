# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A queue, and a postqueue(1) that answers from it and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.whole_output import WholeOutput

DOWN = Result(69, "", "postqueue: fatal: Cannot flush mail queue - mail system is down\n")
NO_SITE = Result(69, "", 'postqueue: fatal: Flush service is not configured for destination "other.test"\n')
NOT_ROOT = Result(1, "", "postsuper: fatal: use of this command is reserved for the superuser\n")
LISTING = "A9   100 Sun Nov 22 14:57:46 me@x.test\n (no answer)\n   a@slow.example\n"


def queue_entry(queue_id: str, queue: str, *recipients: str) -> str:
    """A line of `postqueue -j`."""
    entry = {
        "queue_name": queue,
        "queue_id": queue_id,
        "arrival_time": 1795359466,
        "message_size": 100,
        "forced_expire": False,
        "sender": "me@x.test",
        "recipients": [{"address": address, "delay_reason": "no answer"} for address in recipients],
    }
    return json.dumps(entry) + "\n"


class FakePostqueue(WholeOutput):
    """The command port. slow.example is among fast_flush_domains, other.test is not."""

    def __init__(self, config_directory: str = "/etc/postfix") -> None:
        self.config_directory = config_directory
        self.version = "3.10.13"
        self.running = True
        self.answers = True
        self.parameters = ""
        self.transport_maps = ""
        self.queue = (
            queue_entry("A1", "deferred", "a@slow.example", "b@other.test")
            + queue_entry("A2", "active", "c@other.test")
            + queue_entry("A3", "hold", "d@slow.example")
        )
        self.asked: list[list[str]] = []
        self.expires = True
        self.given: list[bytes | None] = []

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        assert list(argv[1:3]) == ["-c", self.config_directory]
        command = [argv[0], *argv[3:]]
        if command in (["postconf", "-h", "mail_version"], ["postconf", "-d", "-h", "mail_version"]):
            return Result(0, f"{self.version}\n", "")
        if command == ["postconf", "-h", "queue_directory"]:
            return Result(0, "/var/spool/postfix\n", "")
        if command == ["postconf", "-x"]:
            return Result(0, self.parameters, "")
        if command == ["postconf", "-x", "double_bounce_sender"]:
            return Result(0, "double_bounce_sender = double-bounce\n", "")
        if command[:3] == ["postconf", "-x", "queue_directory"]:
            return Result(0, f"queue_directory = /nowhere\ntransport_maps = {self.transport_maps}\n", "")
        if silence is not None and not self.answers:
            raise TimeoutError
        if command == ["postqueue", "-j"]:
            return Result(0, self.queue, "")
        if command == ["postqueue", "-p"]:
            return Result(0, LISTING, "")
        self.asked.append(command[1:])
        if command[0] == "postsuper":
            self.given.append(data)
            return Result(0, "", "") if self.expires else NOT_ROOT
        if not self.running:
            return DOWN
        if command[1:] == ["-i", "A2"]:
            return Result(1, "", "postqueue: fatal: no\n")
        return NO_SITE if command[1:] == ["-s", "other.test"] else Result(0, "", "")

    def postfix(self) -> Postfix:
        return Postfix(self, self.config_directory)
