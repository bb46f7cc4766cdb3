# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""queue_info and queue_flush from their options to their results, on a Postfix that answers as postqueue does."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ansible.module_utils import basic

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import run
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.modules import queue_flush, queue_info

Run = Callable[..., dict]
DOWN = Result(69, "", "postqueue: fatal: Cannot flush mail queue - mail system is down\n")
NO_SITE = Result(69, "", 'postqueue: fatal: Flush service is not configured for destination "other.test"\n')


def entry(queue_id: str, queue: str, *recipients: str) -> str:
    listed = [{"address": one, "delay_reason": "no answer"} for one in recipients]
    return (
        json.dumps(
            {
                "queue_name": queue,
                "queue_id": queue_id,
                "arrival_time": 1795359466,
                "message_size": 100,
                "forced_expire": False,
                "sender": "me@x.test",
                "recipients": listed,
            }
        )
        + "\n"
    )


class FakePostqueue:
    """The command port: a queue, and what was asked of it."""

    def __init__(self) -> None:
        self.version = "3.10.13"
        self.queue = (
            entry("A1", "deferred", "a@slow.example", "b@other.test")
            + entry("A2", "active", "c@other.test")
            + entry("A3", "hold", "d@slow.example")
        )
        self.running = True
        self.works = True
        self.answers = True
        self.asked: list[list[str]] = []

    def run(self, argv: Sequence[str], _data: bytes | None = None, silence: float | None = None) -> Result:
        assert list(argv[1:3]) == ["-c", "/etc/postfix-out"]
        command = [argv[0], *argv[3:]]
        if command == ["postconf", "-h", "mail_version"]:
            return Result(0, f"{self.version}\n", "")
        if silence is not None and not self.answers:
            raise TimeoutError
        if command == ["postqueue", "-j"]:
            return Result(0, self.queue, "")
        if command == ["postqueue", "-p"]:
            return Result(0, "A9   100 Sun Nov 22 14:57:46 me@x.test\n (no answer)\n   a@slow.example\n", "")
        self.asked.append(command[1:])
        if not self.running:
            return DOWN
        if not self.works:
            return Result(1, "", "postqueue: fatal: no\n")
        return NO_SITE if command[1:] == ["-s", "other.test"] else Result(0, "", "")


@pytest.fixture(name="postqueue")
def _postqueue(monkeypatch: pytest.MonkeyPatch) -> FakePostqueue:
    fake = FakePostqueue()
    monkeypatch.setattr(run, "LocalCommands", lambda: fake)
    return fake


@pytest.fixture(name="module")
def _module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def start(main: Callable[[], None], check_mode: bool = False, **options: Any) -> dict[str, Any]:
        warned: list[str] = []
        monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, warning: warned.append(warning))
        arguments = {"config_directory": "/etc/postfix-out", "_ansible_check_mode": check_mode, **options}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit):
            main()
        return {**json.loads(capsys.readouterr().out), "warned": warned}

    return start


@pytest.mark.parametrize("check_mode", [True, False])
def test_info_tells_each_domain(module: Run, postqueue: FakePostqueue, check_mode: bool) -> None:
    found = module(queue_info.main, check_mode)
    assert found["changed"] is False
    assert {name: (one["count"], one["held"]) for name, one in found["domains"].items()} == {
        "other.test": (2, 0),
        "slow.example": (2, 1),
    }
    assert (found["total"]["count"], found["total"]["size"]) == (3, 300)
    assert postqueue.asked == []


@pytest.mark.usefixtures("postqueue")
def test_info_takes_domains_as_people_write_them(module: Run) -> None:
    assert list(module(queue_info.main, domains=["Slow.Example", "slow.example"])["domains"]) == ["slow.example"]
    assert "has white space" in module(queue_info.main, domains=["a b"])["msg"].replace("contains", "has")


def test_info_of_an_old_postfix_reads_the_listing(module: Run, postqueue: FakePostqueue) -> None:
    postqueue.version = "3.0.15"
    found = module(queue_info.main)
    assert list(found["domains"]) == ["slow.example"]
    assert found["domains"]["slow.example"]["reasons"] == [{"reason": "no answer", "recipients": 1}]


def test_flush_of_everything_is_one_request(module: Run, postqueue: FakePostqueue) -> None:
    found = module(queue_flush.main)
    assert (found["changed"], found["count"], found["domains"]) == (True, 2, {"other.test": 2, "slow.example": 1})
    assert found["warned"] == [
        "1 message(s) for slow.example stay on hold; release them with `postsuper -H` on the host"
    ]
    assert found["held"] == {"slow.example": 1}
    assert postqueue.asked == [["-f"]]


def test_flush_of_a_relay_domain_is_one_request(module: Run, postqueue: FakePostqueue) -> None:
    found = module(queue_flush.main, domains=["slow.example"])
    assert (found["changed"], found["count"], found["domains"]) == (True, 1, {"slow.example": 1})
    assert postqueue.asked == [["-s", "slow.example"]]


def test_flush_of_another_domain_names_its_messages(module: Run, postqueue: FakePostqueue) -> None:
    found = module(queue_flush.main, domains=["other.test"])
    assert (found["changed"], found["count"], found["domains"]) == (True, 2, {"other.test": 2})
    assert postqueue.asked == [["-s", "other.test"], ["-i", "A1"], ["-i", "A2"]]


def test_flush_in_check_mode_asks_for_nothing(module: Run, postqueue: FakePostqueue) -> None:
    found = module(queue_flush.main, True, domains=["slow.example"])
    assert (found["changed"], found["count"]) == (True, 1)
    assert postqueue.asked == []


@pytest.mark.parametrize("main", [queue_info.main, queue_flush.main])
def test_queue_that_nobody_answers_for_is_an_error(
    module: Run, postqueue: FakePostqueue, main: Callable[[], None]
) -> None:
    postqueue.answers = False
    assert module(main)["msg"] == (
        "postqueue got no answer within 60 s; see in the mail log which daemon of Postfix fails"
    )


@pytest.mark.parametrize("domains", [["idle.example"], ["idle.example", "idle2.example"]])
def test_flush_where_nothing_waits_changes_nothing(module: Run, postqueue: FakePostqueue, domains: list[str]) -> None:
    found = module(queue_flush.main, domains=domains)
    assert (found["changed"], found["count"], found["domains"]) == (False, 0, {})
    assert postqueue.asked == []


def test_flush_leaves_what_is_on_hold(module: Run, postqueue: FakePostqueue) -> None:
    postqueue.queue = entry("A3", "hold", "d@slow.example")
    found = module(queue_flush.main)
    assert (found["changed"], found["count"], len(found["warned"])) == (False, 0, 1)
    assert postqueue.asked == []


@pytest.mark.parametrize("domains", [[], ["slow.example"], ["other.test"]])
def test_flush_of_a_stopped_postfix_fails(module: Run, postqueue: FakePostqueue, domains: list[str]) -> None:
    postqueue.running = False
    found = module(queue_flush.main, domains=domains)
    assert found["failed"] is True
    assert found["msg"] == "Postfix is not running, so nothing in its queue is delivered; start it"


def test_flush_that_postfix_does_not_take_fails(module: Run, postqueue: FakePostqueue) -> None:
    postqueue.works = False
    assert module(queue_flush.main)["msg"].startswith("postqueue -f failed; see the mail log")
