# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine import queue_watch
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_watch import look_at_queue
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import (
    FakePostqueue,
    queue_entry,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.own_clock import set_clock

ARRIVED = 1795359466


def host(*entries: str) -> FakePostqueue:
    found = FakePostqueue()
    found.queue = "".join(entries)
    return found


def test_look_counts_what_waits_without_what_is_held() -> None:
    look = look_at_queue(FakePostqueue().postfix(), []).as_result()
    assert {name: look[name] for name in ("waiting", "domains", "held", "later", "reasons")} == {
        "waiting": 2,
        "domains": {"other.test": 2, "slow.example": 1},
        "held": 1,
        "later": 0,
        "reasons": [{"reason": "no answer", "recipients": 3}],
    }
    assert look["since"] == look["at"]


def test_look_at_one_domain_counts_nothing_of_others() -> None:
    look = look_at_queue(FakePostqueue().postfix(), ["slow.example"]).as_result()
    assert (look["waiting"], look["domains"], look["held"]) == (1, {"slow.example": 1}, 1)
    assert look["reasons"] == [{"reason": "no answer", "recipients": 1}]


@pytest.mark.parametrize(("since", "counts"), [(ARRIVED - 1, (0, 1)), (ARRIVED, (1, 0))])
def test_what_arrives_later_is_counted_apart(since: int, counts: tuple[int, int]) -> None:
    postfix = host(queue_entry("A1", "deferred", "a@slow.example")).postfix()
    look = look_at_queue(postfix, ["slow.example"], since).as_result()
    assert (look["waiting"], look["later"]) == counts


def test_look_ends_as_soon_as_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = host(queue_entry("A1", "active", "a@slow.example"))
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        fake.queue = queue_entry("A1", "hold", "a@slow.example")

    set_clock(monkeypatch, queue_watch, sleep=sleep)
    look = look_at_queue(fake.postfix(), ["slow.example"], seconds=60)
    assert (look.as_result()["waiting"], look.held, [round(pause, 1) for pause in slept]) == (0, 1, [0.5])


def test_look_waits_no_longer_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    set_clock(
        monkeypatch,
        queue_watch,
        time=lambda: ARRIVED,
        monotonic=lambda: clock[0],
        sleep=lambda seconds: clock.__setitem__(0, clock[0] + seconds),
    )
    look = look_at_queue(FakePostqueue().postfix(), [], seconds=1.2)
    assert (look.as_result()["waiting"], round(clock[0], 1)) == (2, 1.2)
