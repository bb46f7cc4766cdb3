# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine import routing
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import flush, plan_flush
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import FakePostqueue


class Clock:
    """What time tells, and when Postfix was reloaded by it; a pause takes as long as it says."""

    def __init__(self, now: float, reloads: list[float | None]) -> None:
        self.now = now
        self.reloads = reloads
        self.pauses = 0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses += 1

    def reloaded_at(self, queue_directory: str) -> float | None:
        assert queue_directory == "/nowhere"
        return self.reloads.pop(0) if len(self.reloads) > 1 else self.reloads[0]


def waited(
    monkeypatch: pytest.MonkeyPatch, table: Path, maps: str, since: float, reloads: list[float | None]
) -> tuple[float, list[list[str]]]:
    """For how long a flush waits so many seconds after the table was written, and what is asked then.

    Reloads are given in seconds after the table was written, as found in one look after the other.
    """
    changed = os.stat(table).st_ctime
    clock = Clock(changed + since, [None if moment is None else changed + moment for moment in reloads])
    monkeypatch.setattr(routing, "time", clock)
    monkeypatch.setattr(routing, "reloaded_at", clock.reloaded_at)
    postqueue = FakePostqueue()
    postqueue.transport_maps = maps
    flush(postqueue.postfix(), plan_flush(postqueue.postfix(), []))
    return clock.pauses * routing.POLL_SECONDS, postqueue.asked


@pytest.mark.parametrize("maps", ["hash:{}", "regexp:/nowhere, proxy:lmdb:{}"])
@pytest.mark.parametrize("suffix", ["", ".db", ".lmdb"])
@pytest.mark.parametrize(
    ("since", "reloads", "seconds"),
    [
        (0, [None], 40),
        (12.5, [None], 27.5),
        (12.5, [-100], 27.5),
        (40, [-100], 0),
        (5, [2], 0),
        (5, [-100, -100, -100, 6], 1.5),
        (-3600, [-100], 0),
    ],
)
def test_flush_waits_until_a_changed_table_is_in_force(
    maps: str,
    suffix: str,
    since: float,
    reloads: list[float | None],
    seconds: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = tmp_path / f"transport{suffix}"
    table.write_text("")
    found = waited(monkeypatch, table, maps.format(tmp_path / "transport"), since, reloads)
    assert found == (seconds, [["-f"]])


@pytest.mark.parametrize("maps", ["", "ldap:/etc/postfix/routes", "hash:/nowhere/transport"])
def test_flush_waits_for_no_table_that_is_not_a_file_of_the_host(
    maps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert waited(monkeypatch, tmp_path, maps, 0, [None]) == (0, [["-f"]])
