# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.delivery_limits import (
    StandingLimits,
    standing_limits,
    stop_timer,
    take_limits_back,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.limited_host import MAIN_CF, LimitedHost

NAME = "relay_destination_concurrency_limit"
RECORD = {
    "unit": "mxrelay-limits-1",
    "expires": 1795359466,
    "before": "",
    "after": f"{NAME} = 2\n",
    "limits": [{"name": NAME, "value": "2", "lines": ""}],
}


@pytest.fixture(name="host")
def _host(tmp_path: pathlib.Path) -> LimitedHost:
    host = LimitedHost(str(tmp_path), f"{MAIN_CF}{NAME} = 2\n")
    host.write(".mxrelay-limits", json.dumps(RECORD))
    host.timers["mxrelay-limits-1"] = "60s"
    return host


def standing(host: LimitedHost) -> StandingLimits:
    found = standing_limits(host.postfix())
    assert found is not None
    return found


def test_host_without_a_record_has_none(tmp_path: pathlib.Path) -> None:
    assert standing_limits(LimitedHost(str(tmp_path)).postfix()) is None


def test_what_is_set_is_known_with_main_cf_as_it_was(host: LimitedHost) -> None:
    found = standing(host)
    assert (found.without, found.names, found.expired, found.changed_by_others) == (MAIN_CF, [NAME], True, [])
    diff = found.diff("/etc/postfix/main.cf")
    assert (diff.header, diff.before, diff.after) == ("/etc/postfix/main.cf", f"{NAME} = 2\n", "")


def test_timer_goes_with_the_limits(host: LimitedHost) -> None:
    assert take_limits_back(host.postfix(), standing(host)) == [NAME]
    assert (host.main_cf(), host.timers, host.reloads()) == (MAIN_CF, {}, 1)
    assert standing_limits(host.postfix()) is None


def test_reload_that_fails_leaves_the_work_to_the_timer(host: LimitedHost) -> None:
    host.reload_fails = True
    with pytest.raises(HostError):
        take_limits_back(host.postfix(), standing(host))
    assert (host.timers, os.path.exists(host.path(".mxrelay-limits"))) == ({"mxrelay-limits-1": "60s"}, True)


def test_main_cf_that_is_gone_is_told(host: LimitedHost) -> None:
    found = standing(host)
    os.unlink(host.path("main.cf"))
    with pytest.raises(HostError) as caught:
        take_limits_back(host.postfix(), found)
    assert caught.value.message == f"{host.path('main.cf')}: No such file or directory"


def test_host_without_systemctl_has_no_timer_to_stop(host: LimitedHost, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_argv: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(host, "run", missing)
    stop_timer(host.postfix(), "mxrelay-limits-1")
