# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run everything: each part in a process of its own, several at the same time, each of them in a lab of its own."""

from __future__ import annotations

import concurrent.futures
import os
import queue
import subprocess
import time
from collections.abc import Iterator, Sequence

import nox

from lab.checkout import LAB, REPORTS, ROOT
from lab.counts import NOTHING, Count
from lab.environment import find_engine, remove_lab
from lab.scenarios import longest_first

LANES = 2
# Each is a run of its own: the word, and its options. What others wait for comes first.
FAST_PARTS = (
    ("images",),
    ("sanity",),
    ("unit",),
    ("lint",),
    ("docs",),
    ("docsite",),
    ("importer",),
    ("release", "--dry"),
)


def parts() -> Iterator[tuple[str, ...]]:
    """Yield all parts, long scenarios before short ones, so that the lanes end at about the same time."""
    yield from FAST_PARTS
    yield ("awx",)
    yield ("eda",)
    yield ("faults",)
    yield ("integration",)
    for name in longest_first():
        yield ("molecule", "--keep", name)


def run_all(session: nox.Session) -> Count:
    """Run all parts, each in the first lane that is free; return their count."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    free: queue.SimpleQueue[int] = queue.SimpleQueue()
    for lane in range(LANES):
        free.put(lane)

    def in_a_free_lane(words: Sequence[str]) -> Count:
        lane = free.get()
        try:
            return run_part(words, lane)
        finally:
            free.put(lane)

    remove_lane_labs(session)  # a run that was cut off left its own
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        counts = sum(pool.map(in_a_free_lane, parts()), NOTHING)
    remove_lane_labs(session)
    return counts


def run_part(words: Sequence[str], lane: int) -> Count:
    """Run one part in the lab of a lane; say how it ended, and show its output where it failed."""
    title = " ".join(word for word in words if word != "--keep")
    log = REPORTS / f"{title.replace(' ', '-')}.log"
    told = log.with_suffix(".json")
    told.unlink(missing_ok=True)
    began = time.monotonic()
    with log.open("w") as output:
        subprocess.run(
            ["nox", "--noxfile", str(ROOT / "noxfile.py"), "--session", words[0], "--", *words[1:]],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "MXRELAY_LAB": lane_lab(lane), "MXRELAY_COUNTS": str(told)},
            check=False,
        )
    counts = Count.read(told)
    verdict = f"{title}: {counts.passed} passed, {counts.failed} failed, {time.monotonic() - began:.0f} s"
    print(f"{log.read_text()}{verdict}" if counts.failed else verdict, flush=True)
    for what in counts.not_run:
        print(f"{title}: not run: {what}", flush=True)
    return counts


def lane_lab(lane: int) -> str:
    """Return the name of a lane's lab."""
    return f"{LAB}-{lane}"


def remove_lane_labs(session: nox.Session) -> None:
    """Remove the labs of all lanes."""
    command = find_engine(session)
    for lane in range(LANES):
        remove_lab(session, command, lane_lab(lane))
