# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

from ansible_collections.mxrelay.postfix.plugins.modules import queue_limits
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.limited_host import MAIN_CF, LimitedHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


def test_check_mode_tells_what_would_be_set(start: Start, tmp_path: pathlib.Path) -> None:
    host = LimitedHost(str(tmp_path))
    found = start(queue_limits, host, True, config_directory=str(tmp_path), concurrency=2, without_timer=True)
    assert (found["changed"], found["limits"]) == (True, {"relay_destination_concurrency_limit": "2"})
    assert host.main_cf() == MAIN_CF


def test_error_is_the_modules_message(start: Start, tmp_path: pathlib.Path) -> None:
    found = start(queue_limits, LimitedHost(str(tmp_path)), config_directory=str(tmp_path))
    assert found["failed"] is True
    assert found["msg"] == "neither concurrency nor rate_delay is given; give one of them, or state: absent"
