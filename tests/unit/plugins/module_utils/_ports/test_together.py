# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import together as module
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.together import AT_ONCE, together

NAMES = [f"d{number}.example" for number in range(3000)]


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """Is set when the test is over, so that no thread outlives it."""
    event = threading.Event()
    yield event
    event.set()


def test_each_name_is_worked_on_once() -> None:
    worked: list[str] = []

    def work(name: str) -> int:
        worked.append(name)
        return len(name)

    assert together(work, [*NAMES, *NAMES], 10) == {name: len(name) for name in NAMES}
    assert sorted(worked) == sorted(NAMES)
    assert together(work, [], 10) == {}


def test_few_threads_do_the_work_of_many_names() -> None:
    most = 0

    def work(_name: str) -> None:
        nonlocal most
        most = max(most, threading.active_count())
        time.sleep(0.001)

    before = threading.active_count()
    together(work, NAMES, 10)
    assert 1 < most <= before + AT_ONCE


def test_names_that_take_for_ever_do_not_take_the_place_of_others(
    never: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    dead = [f"dead{number}.example" for number in range(3 * AT_ONCE)]

    def work(name: str) -> str:
        if name.startswith("dead"):
            never.wait()
        return name

    begun = time.monotonic()
    assert together(work, [*dead, *NAMES], 2) == {name: name for name in NAMES}
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("given", [0, 3])
def test_work_is_done_where_the_system_gives_few_threads(monkeypatch: pytest.MonkeyPatch, given: int) -> None:
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if len(started) == given:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    assert together(str.upper, NAMES, 10) == {name: name.upper() for name in NAMES}
    assert len(started) == given


def test_nothing_more_is_begun_when_time_is_up(never: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 1)
    monkeypatch.setattr(module, "MOST", 1)
    begun: dict[str, threading.Thread] = {}

    def work(name: str) -> None:
        begun[name] = threading.current_thread()
        never.wait()

    assert together(work, ["a", "b"], 0.1) == {}
    never.set()
    begun["a"].join(10)
    assert list(begun) == ["a"]
