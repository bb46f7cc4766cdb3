# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from lab.preview import inventory_options


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], []),
        (["--remove"], []),
        (["-i", "hosts.yml", "--limit", "mx1"], ["-i", "hosts.yml"]),
        (["--inventory=hosts.yml", "-v", "-imore.yml"], ["--inventory=hosts.yml", "-imore.yml"]),
        (["--inventory", "a.yml", "-i", "b.yml"], ["--inventory", "a.yml", "-i", "b.yml"]),
    ],
)
def test_options_that_name_inventories_are_found(words: list[str], found: list[str]) -> None:
    assert inventory_options(words) == found
