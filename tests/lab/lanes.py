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

# Lanes for what runs hosts, whose tests wait for what happens there. What runs none has a lane of its own, beside
# them, and takes the time of the processors that they leave.
LANES = 2
PATIENT = LANES
# Each is a run of its own: the word, and its options.
WITHOUT_HOSTS = (
    ("lint",),
    ("unit",),
    ("docs",),
    ("docsite",),
    ("importer",),
    ("release", "--dry"),
    ("sanity",),
)


def with_hosts() -> Iterator[tuple[str, ...]]:
    """Yield the parts that run hosts, what others wait for first, and long scenarios before short ones.

    So the lanes end at about the same time.
    """
    yield from (("images",), ("awx",), ("eda",), ("faults",), ("integration",))
    for name in longest_first():
        yield ("molecule", "--keep", name)


def run_all(session: nox.Session) -> Count:
    """Run all parts, each that runs hosts in the first lane that is free; return their count."""
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

    def in_turn() -> Count:
        return sum((run_part(words, PATIENT) for words in WITHOUT_HOSTS), NOTHING)

    remove_lane_labs(session)  # a run that was cut off left its own
    with concurrent.futures.ThreadPoolExecutor(LANES + 1) as pool:
        beside = pool.submit(in_turn)
        counts = sum(pool.map(in_a_free_lane, with_hosts()), NOTHING) + beside.result()
    remove_lane_labs(session)
    return counts


def run_part(words: Sequence[str], lane: int) -> Count:
    """Run one part in the lab of a lane; say how it ended, and show its output where it failed."""
    title = " ".join(word for word in words if word != "--keep")
    log = REPORTS / f"{title.replace(' ', '-')}.log"
    told = log.with_suffix(".json")
    told.unlink(missing_ok=True)
    patience = ("nice", "-n", "19") if lane == PATIENT else ()
    began = time.monotonic()
    with log.open("w") as output:
        subprocess.run(
            [*patience, "nox", "--noxfile", str(ROOT / "noxfile.py"), "--session", words[0], "--", *words[1:]],
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
    for lane in (*range(LANES), PATIENT):
        remove_lab(session, command, lane_lab(lane))
