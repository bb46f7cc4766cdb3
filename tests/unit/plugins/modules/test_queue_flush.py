# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.modules import queue_flush
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import FakePostqueue
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


@pytest.mark.parametrize(("check_mode", "asked"), [(True, []), (False, [["-f"]])])
def test_everything_is_flushed_unless_domains_are_named(start: Start, check_mode: bool, asked: list[list[str]]) -> None:
    postqueue = FakePostqueue("/etc/postfix-out")
    assert start(queue_flush, postqueue, check_mode, config_directory="/etc/postfix-out") == {
        "changed": True,
        "count": 2,
        "domains": {"other.test": 2, "slow.example": 1},
        "held": {"slow.example": 1},
        "diff": [],
        "warned": ["1 message(s) for slow.example stay on hold; release them with `postsuper -H` on the host"],
    }
    assert postqueue.asked == asked


def test_error_is_the_modules_message(start: Start) -> None:
    postqueue = FakePostqueue()
    postqueue.running = False
    found = start(queue_flush, postqueue, domains=["slow.example"])
    assert found["failed"] is True
    assert found["msg"] == "Postfix is not running, so nothing in its queue is delivered; start it"
