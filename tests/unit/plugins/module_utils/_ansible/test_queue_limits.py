# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue_limits import queue_limits
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import systemd
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.limited_host import LimitedHost

NAME = "relay_destination_concurrency_limit"
GIVEN: dict[str, Any] = {
    "domains": ["x.example"],
    "concurrency": 2,
    "rate_delay": 0,
    "duration": 60,
    "without_timer": False,
    "expired": False,
    "state": "present",
}


@pytest.fixture(name="host")
def _host(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> LimitedHost:
    monkeypatch.setattr(systemd, "SYSTEMD", str(tmp_path))
    monkeypatch.setattr("time.time", lambda: 1000.0)
    return LimitedHost(str(tmp_path))


def test_limits_are_set_and_taken_back(host: LimitedHost) -> None:
    outcome = queue_limits(GIVEN, host.postfix(), False)
    assert (outcome.changed, len(outcome.diffs), outcome.warnings) == (True, 1, [])
    assert outcome.results == {
        "limits": {NAME: "2"},
        "transports": ["relay"],
        "expires": 1060,
        "timer": True,
        "taken_back": [],
        "changed_by_others": [],
    }
    assert queue_limits(GIVEN, host.postfix(), False).changed is False
    outcome = queue_limits({**GIVEN, "state": "absent"}, host.postfix(), False)
    assert (outcome.changed, outcome.results["taken_back"], outcome.results["expires"]) == (True, [NAME], None)
    assert queue_limits({**GIVEN, "state": "absent"}, host.postfix(), False).changed is False


def test_what_somebody_changed_is_warned_of(host: LimitedHost) -> None:
    queue_limits(GIVEN, host.postfix(), False)
    host.write("main.cf", host.main_cf().replace("= 2", "= 3"))
    outcome = queue_limits({**GIVEN, "state": "absent"}, host.postfix(), False)
    assert (outcome.changed, outcome.results["changed_by_others"]) == (False, [NAME])
    assert outcome.warnings == [
        f"main.cf: {NAME} was changed meanwhile, so it was not taken back; see whether it is still wanted"
    ]


def test_missing_timer_and_idle_concurrency_are_warned_of(host: LimitedHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "SYSTEMD", host.path("nothing"))
    outcome = queue_limits({**GIVEN, "rate_delay": 1, "without_timer": True}, host.postfix(), True)
    assert outcome.warnings == [
        "no timer takes the limits back if this run is killed; the next run of queue_flush or of the roles does",
        "with a rate delay, Postfix makes one delivery at a time, whatever concurrency is",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"concurrency": -1}, "concurrency is -1; give at least 0"),
        ({"duration": 0}, "duration is 0; give at least 1"),
        ({"concurrency": 0}, "neither concurrency nor rate_delay is given; give one of them, or state: absent"),
    ],
)
def test_values_that_can_not_be_right(host: LimitedHost, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        queue_limits({**GIVEN, **given}, host.postfix(), False)
    assert caught.value.message == message
