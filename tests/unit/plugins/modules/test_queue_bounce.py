# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.modules import queue_bounce
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import (
    FakePostqueue,
    queue_entry,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


@pytest.mark.parametrize(
    ("check_mode", "asked"), [(True, []), (False, [["-e", "-", "deferred"], ["-s", "slow.example"]])]
)
def test_queued_mail_of_a_domain_is_returned(start: Start, check_mode: bool, asked: list[list[str]]) -> None:
    postqueue = FakePostqueue()
    postqueue.queue += queue_entry("A4", "deferred", "e@slow.example")
    assert start(queue_bounce, postqueue, check_mode, domains=["Slow.example"]) == {
        "changed": True,
        "count": 1,
        "domains": {"slow.example": 1},
        "held": {"slow.example": 1},
        "shared": {"slow.example": 1},
        "diff": [],
        "warned": [],
    }
    assert postqueue.asked == asked
