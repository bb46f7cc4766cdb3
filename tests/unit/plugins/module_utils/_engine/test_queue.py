# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine import queue as module
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import (
    Flush,
    flush,
    left_after,
    plan_flush,
    read_queue,
    waiting_after,
    waiting_mail,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, NoAnswer
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import Message
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import (
    FakePostqueue,
    queue_entry,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.own_clock import set_clock


def ids(plan: Flush) -> dict[str, list[str]]:
    return {domain: [message.queue_id for message in messages] for domain, messages in plan.waiting.items()}


@pytest.mark.parametrize(("version", "queue_ids"), [("3.1.0", ["A1", "A2", "A3"]), ("3.0.15", ["A9"])])
def test_queue_is_read_as_json_from_the_release_that_prints_it(version: str, queue_ids: list[str]) -> None:
    postqueue = FakePostqueue()
    postqueue.version = version
    assert [message.queue_id for message in read_queue(postqueue.postfix())] == queue_ids


def test_plan_for_all_has_every_message_that_is_not_on_hold() -> None:
    plan = plan_flush(FakePostqueue().postfix(), [])
    assert ids(plan) == {"slow.example": ["A1"], "other.test": ["A1", "A2"]}
    assert (plan.held, plan.queue_ids, plan.everything) == ({"slow.example": 1}, ["A1", "A2"], True)


def test_plan_for_a_domain_has_its_messages_alone() -> None:
    plan = plan_flush(FakePostqueue().postfix(), ["other.test", "idle.example"])
    assert ids(plan) == {"other.test": ["A1", "A2"]}
    assert (plan.held, plan.everything) == ({}, False)


def test_domain_whose_mail_is_all_on_hold_is_not_flushed() -> None:
    postqueue = FakePostqueue()
    postqueue.queue = queue_entry("A3", "hold", "d@slow.example")
    plan = plan_flush(postqueue.postfix(), ["slow.example"])
    assert (plan.waiting, plan.held) == ({}, {"slow.example": 1})
    flush(postqueue.postfix(), plan)
    assert postqueue.asked == []


@pytest.mark.parametrize("version", ["3.1.0", "3.0.15"])
def test_queue_that_nobody_answers_for_is_an_error(version: str) -> None:
    postqueue = FakePostqueue()
    postqueue.answers, postqueue.version = False, version
    with pytest.raises(NoAnswer) as caught:
        read_queue(postqueue.postfix())
    assert caught.value.message == (
        "postqueue got no answer within 60 s; see in the mail log which daemon of Postfix fails"
    )


def test_flush_that_nobody_answers_for_is_an_error() -> None:
    postqueue = FakePostqueue()
    plan = plan_flush(postqueue.postfix(), [])
    postqueue.answers = False
    with pytest.raises(NoAnswer):
        flush(postqueue.postfix(), plan)


def test_domain_of_which_postfix_keeps_a_log_is_flushed_by_one_request() -> None:
    postqueue = FakePostqueue()
    flush(postqueue.postfix(), plan_flush(postqueue.postfix(), ["slow.example"]))
    assert postqueue.asked == [["-s", "slow.example"]]


def test_message_that_can_not_be_retried_is_an_error() -> None:
    postqueue = FakePostqueue()
    with pytest.raises(HostError) as caught:
        flush(postqueue.postfix(), plan_flush(postqueue.postfix(), ["other.test"]))
    assert caught.value.message == ("postqueue -i A2 failed; see the mail log, and try `postqueue -f` on the host")
    assert postqueue.asked == [["-s", "other.test"], ["-i", "A1"], ["-i", "A2"]]


def test_message_is_not_flushed_by_its_id_before_2_4() -> None:
    postqueue = FakePostqueue()
    plan = plan_flush(postqueue.postfix(), ["slow.example", "other.test"])
    postqueue.version = "2.3.19"
    with pytest.raises(HostError) as caught:
        flush(postqueue.postfix(), plan)
    assert caught.value.message == (
        "messages for other.test can't be tried again by themselves before Postfix 2.4, as fast_flush_domains does not "
        "have it; add it there, or flush without naming domains"
    )
    assert postqueue.asked == [["-s", "slow.example"], ["-s", "other.test"]]


@pytest.mark.parametrize("domains", [[], ["slow.example"]])
def test_stopped_postfix_is_asked_once(domains: list[str]) -> None:
    postqueue = FakePostqueue()
    postqueue.running = False
    with pytest.raises(HostError) as caught:
        flush(postqueue.postfix(), plan_flush(postqueue.postfix(), domains))
    assert caught.value.message == "Postfix is not running, so nothing in its queue is delivered; start it"
    assert len(postqueue.asked) == 1


def test_waiting_mail_is_counted_by_domain() -> None:
    """What is in the active queue is being delivered, and so does not wait."""
    assert waiting_mail(FakePostqueue().postfix()) == (
        {"slow.example": 2, "other.test": 1},
        {"slow.example": 2, "other.test": 1},
    )


def test_waiting_mail_of_a_domain_alone_can_be_returned_unless_it_is_on_hold() -> None:
    postqueue = FakePostqueue()
    postqueue.queue = queue_entry("B1", "deferred", "a@slow.example", "b@Slow.example")
    postqueue.queue += queue_entry("B2", "deferred", "a@slow.example")
    postqueue.queue += queue_entry("B3", "hold", "a@slow.example")
    assert waiting_mail(postqueue.postfix()) == ({"slow.example": 3}, {"slow.example": 1})


def awaited(
    monkeypatch: pytest.MonkeyPatch, queues: list[list[Message]], sessions: list[int], seconds: float = 60
) -> tuple[list[str], int, int]:
    """The queue and the sessions that are found in the end, and how often was looked; the last ones go on."""
    pauses: list[float] = []
    set_clock(monkeypatch, module, sleep=pauses.append)
    looks = iter([*queues, *[queues[-1]] * 9])
    counts = iter([*sessions, *[sessions[-1]] * 9])
    messages, left = waiting_after(lambda: next(looks), ["x.example"], seconds, lambda: next(counts))
    return [message.queue_id for message in messages], left, len(pauses) + 1


OURS = Message("A1", "active", 1, 1, (("a@x.example", ""),))
OTHERS = Message("B1", "deferred", 1, 1, (("b@y.example", ""),))


def test_mail_and_sessions_are_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    assert awaited(monkeypatch, [[OTHERS]], [0]) == (["B1"], 0, 1)
    assert awaited(monkeypatch, [[OURS], [OURS, OTHERS], [OTHERS]], [0]) == (["B1"], 0, 3)
    assert awaited(monkeypatch, [[]], [2, 1, 0]) == ([], 0, 3)
    assert awaited(monkeypatch, [[], [OURS], []], [1, 0, 0]) == ([], 0, 3)


@pytest.mark.parametrize(
    ("looks", "seconds", "left", "pauses"),
    [([["A1", "A2"], ["A2", "B1"], ["B1"]], 60, 0, 2), ([["A1", "A2"], ["A2", "B1"]], 0, 2, 0)],
)
def test_retried_mail_is_awaited_and_no_other(
    looks: list[list[str]], seconds: float, left: int, pauses: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    set_clock(monkeypatch, module, sleep=slept.append)
    plan = plan_flush(FakePostqueue().postfix(), ["other.test"])
    queues = iter([[replace(OURS, queue_id=queue_id) for queue_id in look] for look in looks])
    assert (left_after(lambda: next(queues), plan, seconds), len(slept)) == (left, pauses)


def test_what_does_not_end_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert awaited(monkeypatch, [[OURS]], [1], seconds=0) == (["A1"], 1, 1)
