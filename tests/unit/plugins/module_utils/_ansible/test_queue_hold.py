# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue_hold import queue_hold
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.held_host import HeldHost

GIVEN: dict[str, Any] = {
    "state": "held",
    "domains": ["x.example"],
    "all": False,
    "subdomains": False,
    "mixed": False,
    "flush": False,
}


@pytest.fixture(name="host")
def _host(tmp_path: pathlib.Path) -> HeldHost:
    host = HeldHost(tmp_path)
    host.add("A1", "deferred", "a@x.example")
    host.add("A3", "hold", "c@x.example")
    return host


@pytest.mark.parametrize(
    ("state", "before", "after"),
    [("held", "x.example: 1\n", "x.example: 2\n"), ("released", "x.example: 1\n", "")],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_change_is_shown_and_made_once(host: HeldHost, state: str, before: str, after: str, check_mode: bool) -> None:
    outcome = queue_hold({**GIVEN, "state": state}, host.postfix(), check_mode)
    assert (outcome.changed, outcome.results["count"], bool(host.moves)) == (True, 1, not check_mode)
    assert [(diff.before, diff.after) for diff in outcome.diffs] == [(before, after)]
    again = queue_hold({**GIVEN, "state": state}, host.postfix(), check_mode)
    assert again.changed is check_mode


def test_show_changes_nothing(host: HeldHost) -> None:
    outcome = queue_hold({**GIVEN, "state": "shown", "domains": []}, host.postfix(), False)
    assert (outcome.changed, outcome.diffs, host.moves) == (False, [], [])
    assert outcome.results["lines"] == [
        "x.example: 1 message on hold",
        "0 of them put on hold by queue_hold, 1 by others",
    ]
