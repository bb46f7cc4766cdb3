# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab makes a fault for each check of the registry."""

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import every_check
from lab.mx_faults import FAULTS

# A host of the lab has dnspython: without it the verify scenario could ask DNS nothing.
# What becomes of a canary is made in a scenario of its own.
NOT_MADE = {"dns", "canary"}


def test_every_check_has_a_fault_that_it_finds() -> None:
    made = {check for fault in FAULTS for _domain, check in fault.found}
    assert made | NOT_MADE == {check.name for check in every_check()}
    assert made & NOT_MADE == set()


def test_faults_are_told_from_each_other_by_name() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names)
