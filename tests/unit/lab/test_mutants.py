# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every role task has a claim that `./run mutate-roles` can make without it."""

from __future__ import annotations

import pathlib
import re

import pytest

from lab.mutants import CLAIMS, Claim, mutants

ROOT = pathlib.Path(__file__).parents[3]


def test_every_task_has_a_claim_and_every_claim_a_task() -> None:
    there: dict[str, set[str]] = {}
    for mutant in mutants(ROOT / "roles"):
        there.setdefault(mutant.file, set()).add(mutant.name)
    assert {file: set(tasks) for file, tasks in CLAIMS.items()} == there


@pytest.mark.parametrize("claim", sorted({claim for tasks in CLAIMS.values() for claim in tasks.values()}, key=str))
def test_every_claim_names_a_test(claim: Claim) -> None:
    files = sorted((ROOT / "molecule" / claim.scenario / "tests").glob("test_*.py"))
    names = [name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)]
    assert [name for name in names if claim.tests in name] != []
