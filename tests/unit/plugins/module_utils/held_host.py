# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with a queue, and a postsuper(1) that puts mail on hold and releases it."""

from __future__ import annotations

import json
import pathlib
import time
from collections.abc import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_kept_mail import FakeKeptMail
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import queue_entry


class HeldHost(FakeKeptMail):
    """The command port, over reports and other mail. What is `gone` postsuper passes over, `refusal` is its failure.

    What is `moving` postsuper passes over once, what is `stuck` always. What is active is `tried` for so many looks,
    and then deferred. What is `unseen` is not shown at that many looks, and what is `arriving` is there from the second
    look on.
    """

    def __init__(self, directory: pathlib.Path, *reports: str) -> None:
        super().__init__(directory / "queue", *reports)
        self.directory = directory
        self.queue = ""
        self.gone: set[str] = set()
        self.moving: set[str] = set()
        self.tried = 1
        self.stuck: set[str] = set()
        self.unseen: dict[str, int] = {}
        self.arriving: list[tuple[str, ...]] = []
        self.refusal = ""
        self.down = False
        self.retried: list[str] = []
        self.moves: list[tuple[str, list[str]]] = []

    def add(self, queue_id: str, queue: str, *recipients: str) -> None:
        """Puts one more message in the queue."""
        self.queue += queue_entry(queue_id, queue, *recipients)

    def queues(self) -> dict[str, str]:
        """Where each message is that is no report."""
        entries = [json.loads(line) for line in self.queue.split("\n")[:-1]]
        return {entry["queue_id"]: entry["queue_name"] for entry in entries}

    def run(
        self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None, **other: float
    ) -> Result:
        if list(argv[3:4]) == ["-i"]:
            self.retried.append(argv[4])
            return Result(69, "", "mail system is down\n") if self.down else Result(0, "", "")
        if argv[0] == "postqueue":
            reports = super().run(argv, data, silence, **other).out
            return Result(0, reports + self._look(), "")
        if argv[0] != "postsuper":
            return super().run(argv, data, silence, **other)
        if self.refusal:
            return Result(1, "", self.refusal)
        assert argv[4] == "-"
        ids = (data or b"").decode().split()
        self.moves.append((" ".join([argv[3], *argv[5:]]), ids))
        self.queue = "".join(self._moved(line, argv[3], ids, argv[5:]) for line in self.queue.split("\n")[:-1])
        return Result(0, "", "")

    def _look(self) -> str:
        lines = self.queue.splitlines(keepends=True)
        shown = "".join(line for line in lines if not self._hidden(json.loads(line)["queue_id"]))
        self.tried -= 1
        if self.tried <= 0:
            self.queue = self.queue.replace('"active"', '"deferred"')
        for queue_id, queue, *recipients in self.arriving:
            late = json.loads(queue_entry(queue_id, queue, *recipients))
            self.queue += json.dumps({**late, "arrival_time": int(time.time()) + 60}) + "\n"
        self.arriving = []
        return shown

    def _hidden(self, queue_id: str) -> bool:
        self.unseen[queue_id] = self.unseen.get(queue_id, 0) - 1
        return self.unseen[queue_id] >= 0

    def _moved(self, line: str, option: str, ids: list[str], queues: Sequence[str]) -> str:
        entry = json.loads(line)
        if queues and entry["queue_name"] not in queues:
            return line + "\n"
        if entry["queue_id"] in ids and entry["queue_id"] in self.gone:
            return ""
        if entry["queue_id"] in self.stuck:
            return line + "\n"
        if entry["queue_id"] in self.moving:
            self.moving.remove(entry["queue_id"])
        elif entry["queue_id"] in ids:
            entry["queue_name"] = {"-h": "hold", "-H": "deferred"}[option]
        return json.dumps(entry) + "\n"

    def postfix(self) -> Postfix:
        return Postfix(self, str(self.directory))
