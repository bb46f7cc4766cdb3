# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An MX host with a queue and a log for unit tests of canaries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.fate import Handed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.message import Canary
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost


class FakeCanaryHost(FakeMxHost):
    """FakeMxHost with a queue: the text of each message by its queue id, all of them deferred."""

    def __init__(self, config_directory: str, main_cf: str = "relay_domains = x.example, y.example\n") -> None:
        super().__init__(config_directory, main_cf)
        self.queue: dict[str, str] = {}
        self.deleted: list[str] = []

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        if argv[0] == "postqueue":
            return Result(0, "".join(self._entry(queue_id) for queue_id in self.queue), "")
        if argv[0] == "postcat":
            return Result(0, self.queue[argv[-1]], "") if argv[-1] in self.queue else Result(1, "", "fatal: open")
        if argv[0] == "postsuper":
            self.deleted.append(argv[-1])
            return Result(0, "", "")
        return super().run(argv, data, silence)

    def _entry(self, queue_id: str) -> str:
        recipients = [{"address": "a@x.example", "delay_reason": "connect: timed out"}]
        entry = {"queue_name": "deferred", "queue_id": queue_id, "arrival_time": 1, "message_size": 2, "sender": ""}
        return json.dumps({**entry, "recipients": recipients}) + "\n"


class FakeMailLog:
    """The log port: one log, to which lines are added each time that it is read."""

    def __init__(self, *additions: Sequence[str]) -> None:
        self.additions = list(additions)
        self.lines: list[str] = []

    def positions(self) -> list[Mapping[str, Any]]:
        return [{"log": "journal", "cursor": "1"}]

    def since(self, _position: Mapping[str, Any]) -> list[str]:
        if self.additions:
            self.lines += self.additions.pop(0)
        return self.lines


class FakeMessenger:
    """The port that sends: each message is taken under the queue id given for its domain, or refused."""

    def __init__(self, **answers: tuple[int, str]) -> None:
        self.answers = answers
        self.sent: list[tuple[str, int, list[Canary]]] = []

    def hand_in(self, server: str, port: int, canaries: Sequence[Canary], _seconds: float) -> list[Handed]:
        self.sent.append((server, port, list(canaries)))
        return [self._handed(canary) for canary in canaries]

    def _handed(self, canary: Canary) -> Handed:
        answer = self.answers[canary.domain.partition(".")[0]]
        if answer[0] >= 400:
            return Handed((("MAIL", (250, "ok")), ("RCPT", answer)))
        return Handed((("MAIL", (250, "ok")), ("RCPT", (250, "ok")), ("DATA", answer)), seconds=0.1)
