# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.modules import queue_info
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import FakePostqueue
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


@pytest.mark.parametrize("check_mode", [True, False])
def test_every_domain_is_told_unless_some_are_named(start: Start, check_mode: bool) -> None:
    postqueue = FakePostqueue("/etc/postfix-out")
    found = start(queue_info, postqueue, check_mode, config_directory="/etc/postfix-out")
    assert found["changed"] is False
    assert {name: (domain["count"], domain["held"]) for name, domain in found["domains"].items()} == {
        "other.test": (2, 0),
        "slow.example": (2, 1),
    }
    assert (found["total"]["count"], found["total"]["size"]) == (3, 300)
    assert postqueue.asked == []


def test_error_is_the_modules_message(start: Start) -> None:
    found = start(queue_info, FakePostqueue(), domains=["x.example\na/b", ""])
    assert found["failed"] is True
    assert found["msg"].startswith('"a/b" (domains[1]) is not a domain name')
