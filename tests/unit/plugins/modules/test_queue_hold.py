# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

from ansible_collections.mxrelay.postfix.plugins.modules import queue_hold
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.held_host import HeldHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


def test_mail_is_held_and_no_address_is_returned(start: Start, tmp_path: pathlib.Path) -> None:
    host = HeldHost(tmp_path)
    host.add("A1", "deferred", "amy@x.example")
    found = start(queue_hold, host, config_directory=str(tmp_path), state="held", domains=["x.example"])
    assert (found["changed"], found["domains"], found["lines"]) == (
        True,
        {"x.example": 1},
        ["x.example: 1 message put on hold"],
    )
    assert "amy" not in str(found)


def test_error_is_the_modules_message(start: Start, tmp_path: pathlib.Path) -> None:
    found = start(queue_hold, HeldHost(tmp_path), state="released")
    assert (found["failed"], found["msg"]) == (
        True,
        "state is released, and neither domains nor all is given; name the domains",
    )
