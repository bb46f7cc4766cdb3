# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

from lab.checkout import ROOT
from lab.cores import PYTHONS, WORD, supported
from lab.execution_environment import lowest, newest
from lab.matrix import outcomes


def minor(release: str) -> str:
    return ".".join(release.split(".")[:2])


def test_all_releases_from_the_lowest_to_the_newest_are_there() -> None:
    assert (min(PYTHONS), max(PYTHONS)) == (minor(lowest().release), minor(newest().release))


def test_each_release_is_pinned() -> None:
    pinned = {
        controller.release: re.findall(r"^ansible-core==(\S+)$", controller.pins.read_text(), re.MULTILINE)
        for controller in supported(list(PYTHONS))
    }
    assert {release: [minor(pin) for pin in pins] for release, pins in pinned.items()} == {
        release: [release] for release in PYTHONS
    }


def test_newest_is_the_one_of_run() -> None:
    tools = (ROOT / "requirements/tools.txt").read_text()
    assert set(re.findall(r"^ansible(?:-core)?==[^\s;]+", tools, re.MULTILINE)) == {
        pin
        for release in ("2.19", "2.21")
        for pin in re.findall(
            r"^ansible(?:-core)?==[^\s;]+", (ROOT / f"requirements/core-{release}.txt").read_text(), re.MULTILINE
        )
    }


def test_table_has_each_of_them() -> None:
    told = outcomes(WORD)
    listed = {
        (row.removeprefix("ansible-core "), python)
        for row, cells in told.items()
        for python, cell in cells.items()
        if cell != "not supported"
    }
    assert listed == {(controller.release, controller.python) for controller in supported(list(PYTHONS))}
