# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all faults share: the prepared host, and how long the suite may take."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import pytest

from faults import host

CASES = (
    "kills",
    "calls",
    "disk",
    "copy-kills",
    "copy-calls",
    "copy-disk",
    "copy-postmap",
    "copy-race",
    "copy-room",
    "copy-slow",
    "copy-form",
    "postmap",
    "parts",
    "together",
    "orders",
    "readonly",
    "symlink",
    "owner",
    "theirs",
    "leftovers",
    "migration",
    "namesake",
    "international",
)


@dataclasses.dataclass(frozen=True)
class Extent:
    """How much is done: rows of a table, kills of each type, rounds of runs at once, every step and system call."""

    rows: int
    kills: int
    rounds: int
    thorough: bool


SHORT = Extent(rows=5_000, kills=3, rounds=1, thorough=False)
LONG = Extent(rows=100_000, kills=50, rounds=10, thorough=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "types(all, when_short): the types of tables that the attack is made on")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for mark in metafunc.definition.iter_markers("types"):
        every, when_short = mark.args
        metafunc.parametrize("kind", every if metafunc.config.getoption("long") else when_short)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="100,000 rows, 50 kills of each type, every system call")
    parser.addoption("--seed", type=int, default=None, help="where all that is random starts from")


@pytest.fixture(scope="session")
def extent(request: pytest.FixtureRequest) -> Extent:
    return LONG if request.config.getoption("long") else SHORT


@pytest.fixture(scope="session")
def start(request: pytest.FixtureRequest) -> int:
    """Where everything random starts from: the short form repeats itself, the long one tells what --seed repeats."""
    given = request.config.getoption("seed")
    drawn = random.SystemRandom().randrange(10**6) if request.config.getoption("long") else 0
    found = drawn if given is None else given
    print(f"\nseed {found}")
    return found


@pytest.fixture(scope="session")
def chance(start: int) -> random.Random:
    """Random moments."""
    return random.Random(start)


@pytest.fixture(scope="session")
def ports() -> dict[tuple[str, str], int]:
    """Prepare the host; return the port of each case of each type."""
    cases = [(kind, case) for kind in host.SUFFIXES for case in CASES]
    host.prepare(cases)
    return {case: host.FIRST_PORT + number for number, case in enumerate(cases)}


@pytest.fixture(scope="session")
def table_for(ports: dict[tuple[str, str], int]) -> Callable[[str, str], host.Table]:
    return lambda kind, case: host.Table(kind, case, ports[kind, case])
