# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which ./run mutate-engine breaks the engine can be applied to the engine as it is."""

from __future__ import annotations

import os
import pathlib

import pytest

from faults.mutants import MUTANTS, Mutant

COLLECTION = pathlib.Path(os.environ["ANSIBLE_COLLECTIONS_PATH"]) / "ansible_collections/mxrelay/postfix"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_can_be_applied(mutant: Mutant) -> None:
    original = (COLLECTION / mutant.file).read_text()
    assert mutant.applied(original) != original
