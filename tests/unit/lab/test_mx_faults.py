# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab makes a fault for each check of the registry."""

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import every_check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.followed import (
    FollowedDomain,
    FollowedSource,
    load,
)
from lab.mx_faults import FAULTS, SECONDARY, record

# A host of the lab has dnspython: without it the verify scenario could ask DNS nothing.
# What becomes of a canary is made in a scenario of its own.
# A standby that works, and lets mail in by mistake, is made there too.
# Mail that is about to bounce is made in the scenario outage.
# How much mail comes, and how many inodes a file system has, no remedy changes in a moment.
NOT_MADE = {"dns", "canary", "standby_accepts", "first_bounce", "outage_inodes", "outage_volume"}


def test_every_check_has_a_fault_that_it_finds() -> None:
    made = {check for fault in FAULTS for _domain, check in fault.found}
    assert made | NOT_MADE == {check.name for check in every_check()}
    assert made & NOT_MADE == set()


def test_faults_are_told_from_each_other_by_name() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names)


def test_record_that_the_lab_makes_is_one_that_is_read() -> None:
    moment = "2026-11-28T23:30:00Z"
    source = FollowedSource("staff", "ldap", "localhost", moment, 2, "", moment, "why")
    made = FollowedDomain(SECONDARY, (source,), moment, "kept", ("gone@away.example",))
    assert load(record(moment, "why", "kept", ["gone@away.example"])) == {SECONDARY: made}
