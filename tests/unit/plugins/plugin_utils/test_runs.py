# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.plugin_utils import runs
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.runs import SECONDS_TO_LIVE, has_ended, this_run


def test_run_is_the_process_that_started_this_one() -> None:
    assert this_run({})["pid"] == os.getppid()
    assert this_run({})["controller"].startswith(os.uname().nodename)


@pytest.mark.parametrize(
    ("variables", "end"),
    [({"awx_job_id": 7}, " job=7"), ({"awx_job_id": "7"}, " job=7"), ({"awx_job_id": "7; x"}, ""), ({}, "")],
)
def test_run_of_awx_has_the_number_of_its_job(variables: dict[str, Any], end: str) -> None:
    assert this_run(variables)["controller"] == this_run({})["controller"] + end


def test_run_of_this_controller_has_ended_with_its_process() -> None:
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    other = {**this_run({}), "pid": process.pid, "age": SECONDS_TO_LIVE + 1}
    assert has_ended(other) is False
    process.communicate()
    assert has_ended({**other, "age": 0}) is True


def test_process_of_somebody_else_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(_pid: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(runs.os, "kill", kill)
    assert has_ended({**this_run({}), "age": 0}) is False


@pytest.mark.parametrize(("age", "ended"), [(0, False), (SECONDS_TO_LIVE, False), (SECONDS_TO_LIVE + 1, True)])
def test_run_of_another_controller_has_ended_when_it_is_old(age: int, ended: bool) -> None:
    assert has_ended({"controller": "elsewhere", "pid": os.getpid(), "age": age}) is ended


def test_machine_after_a_boot_is_another_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    before = this_run({})["controller"]
    monkeypatch.setattr(runs.platform, "node", lambda: "other")
    assert this_run({})["controller"] != before


def test_job_of_this_machine_has_ended_with_its_process() -> None:
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    other = {**this_run({"awx_job_id": 7}), "pid": process.pid, "age": 0}
    assert has_ended(other) is False
    process.communicate()
    assert has_ended(other) is True
