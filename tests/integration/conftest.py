# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host for all, pristine for each test; `--long` makes the counts of generated cases and kills large."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration import host as lab_host


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="many more generated cases and kills")


@pytest.fixture(scope="session")
def machine() -> Iterator[lab_host.Host]:
    """The host; what it was left with does not matter to who uses only directories of its own."""
    found = lab_host.Host()
    yield found
    found.end()


@pytest.fixture
def host(machine: lab_host.Host) -> lab_host.Host:
    """The host, with the configuration that the package made."""
    machine.reset()
    return machine


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long"))
