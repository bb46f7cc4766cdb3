# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.modules import queue_watch
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import FakePostqueue
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


def test_look_is_at_the_instance_that_is_named(start: Start) -> None:
    found = start(queue_watch, FakePostqueue("/etc/postfix-out"), config_directory="/etc/postfix-out")
    assert (found["changed"], found["waiting"], found["wait"], found["interval"], found["flush"]) == (
        False,
        2,
        600,
        10,
        False,
    )


def test_error_is_the_modules_message(start: Start) -> None:
    found = start(queue_watch, FakePostqueue(), interval=0)
    assert (found["failed"], found["msg"]) == (True, "interval is 0; give at least 1")
