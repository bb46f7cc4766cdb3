# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from ansible_collections.mxrelay.postfix.plugins.action import queue_watch
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.own_clock import set_clock

DOWN = [{"reason": "connection refused", "recipients": 4}]


class Host:
    """Answers each look with the next of the counts, 10 s after the one before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *counts: int, **options: Any) -> None:
        self.counts = list(counts)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.flushed: dict[str, Any] = {"changed": True, "warnings": ["1 on hold"]}
        self.clock = 0.0
        self.options = {"flush": True, "wait": 600, "interval": 10, **options}
        task = MagicMock(args={"domains": ["x.example"], **options}, async_val=0, check_mode=False)
        self.action = queue_watch.ActionModule(task, MagicMock(), MagicMock(), MagicMock(), None, None)
        self.action._display = MagicMock()
        monkeypatch.setattr(queue_watch.ActionBase, "run", lambda *_: {})
        set_clock(monkeypatch, queue_watch, monotonic=lambda: self.clock)
        monkeypatch.setattr(self.action, "_execute_module", self.execute)

    def execute(self, module_name: str, module_args: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.asked.append((module_name.rpartition(".")[2], module_args))
        if module_name.endswith("queue_flush"):
            return self.flushed
        self.clock += module_args.get("_look", {}).get("seconds", 0)
        waiting = self.counts.pop(0)
        found = {"waiting": waiting, "since": 5.0, "reasons": DOWN * bool(waiting), "domains": {}, "held": 1}
        return {**found, "later": 2, **self.options}

    def run(self) -> dict[str, Any]:
        return self.action.run(task_vars={"inventory_hostname": "mx1"})

    @property
    def told(self) -> list[str]:
        return [call.args[0] for call in self.action._display.display.call_args_list]


def test_queue_is_watched_until_it_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, 40, 30, 0)
    assert host.run() == {
        "changed": True,
        "warnings": ["1 on hold"],
        "start": 40,
        "gone": 40,
        "waiting": 0,
        "domains": {},
        "reasons": [],
        "later": 2,
        "held": 1,
        "seconds": 20.0,
        "rate": 2.0,
        "lines": ["all 40 messages are gone after 20 s"],
    }
    assert host.told == [
        "mx1: 30 of 40 messages still wait, 10 gone after 10 s; 1.0 a second, about 30 s to go",
        "mx1: all 40 messages are gone after 20 s",
    ]
    assert host.asked == [
        ("queue_watch", {"domains": ["x.example"]}),
        ("queue_flush", {"domains": ["x.example"]}),
        ("queue_watch", {"domains": ["x.example"], "_look": {"since": 5.0, "seconds": 10}}),
        ("queue_watch", {"domains": ["x.example"], "_look": {"since": 5.0, "seconds": 10}}),
    ]


def test_what_stays_is_told_with_its_reasons_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, 4, 4, 4, wait=15)
    found = host.run()
    assert (found["waiting"], found["seconds"]) == (4, 15.0)
    assert found["lines"] == ["4 of 4 messages are still queued after 15 s", "4 recipients: connection refused"]


def test_what_does_not_go_is_flushed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, 4, 4, 2, 0)
    assert host.run()["seconds"] == 30.0
    assert [name for name, _options in host.asked] == [
        "queue_watch",
        "queue_flush",
        "queue_watch",
        "queue_flush",
        "queue_watch",
        "queue_watch",
    ]


@pytest.mark.parametrize(("wait", "looks"), [(0, 2), (10, 2), (11, 3)])
def test_last_look_is_at_the_end_of_the_time(monkeypatch: pytest.MonkeyPatch, wait: int, looks: int) -> None:
    host = Host(monkeypatch, 4, 3, 2, 1, wait=wait)
    assert (host.run()["seconds"], len(host.asked)) == (float(wait), looks + 1)


def test_check_mode_looks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, 4, flush=False)
    host.action._task.check_mode = True
    found = host.run()
    assert (found["changed"], found["waiting"], len(host.asked), host.told) == (False, 4, 1, [])
    assert found["lines"] == ["4 of 4 messages are still queued after 0 s", "4 recipients: connection refused"]


def test_flush_that_fails_is_the_failure_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, 4)
    host.flushed = {"failed": True, "msg": "Postfix is not running"}
    assert host.run() == {"failed": True, "msg": "Postfix is not running"}


def test_background_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch)
    host.action._task.async_val = 60
    assert host.run() == {"failed": True, "msg": "queue_watch can't run in the background; remove async from the task"}
