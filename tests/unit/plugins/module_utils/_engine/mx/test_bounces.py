# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.bounces import seconds_to_bounces
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import queue_entry

ARRIVAL = 1795359466
STATE = HostState(values={"maximal_queue_lifetime": "1h", "queue_run_delay": "60s"})


def test_bounce_is_told_of_each_domain_that_mail_waits_for(tmp_path: pathlib.Path) -> None:
    host = FakeMxHost(str(tmp_path))
    host.queue = (
        queue_entry("A1", "active", "a@x.example")
        + queue_entry("A2", "deferred", "a@y.example", "a@z.example")
        + queue_entry("A3", "hold", "a@held.example")
    )
    names = ["x.example", "y.example", "held.example", "idle.example"]
    # Of x.example tried now, when it is as old as its lifetime; of y.example at 330, 690, 1410, 2850 and 5730 s.
    assert seconds_to_bounces(names, host.postfix(), STATE, ARRIVAL + 3600) == {"x.example": 0, "y.example": 2130}
    assert seconds_to_bounces([], host.postfix(), STATE, ARRIVAL) == {}


def test_queue_that_can_not_be_read_tells_nothing(tmp_path: pathlib.Path) -> None:
    host = FakeMxHost(str(tmp_path))
    host.queue = "postqueue: fatal: no\n"
    assert seconds_to_bounces(["x.example"], host.postfix(), STATE, ARRIVAL) == {}
