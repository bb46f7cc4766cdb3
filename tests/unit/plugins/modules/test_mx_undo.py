# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange, MxPlan
from ansible_collections.mxrelay.postfix.plugins.modules import mx_undo
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start

MAIN_CF = "relay_domains = a.example\n"
CHANGED = "relay_domains = a.example, x.example\n"
PLAN = MxPlan(main_cf=MainCfChange(add_items={"relay_domains": ["x.example"]}, changed=True)).as_result()
NOTHING = {
    "changed": False,
    "undone": [],
    "touched": [],
    "problems": [],
    "restart_needed": False,
    "kept": False,
    "record": "",
    "outdated": False,
}


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path), MAIN_CF)


def keep(start: Start, host: FakeMxHost, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    result = start(mx_undo, host, check_mode, config_directory=host.config_directory, **options)
    return {name: result[name] for name in ("msg", *NOTHING) if name in result}


def remembered(host: FakeMxHost) -> bool:
    return os.path.isdir(host.path(DIRECTORY))


def remember(start: Start, host: FakeMxHost) -> str:
    result = keep(start, host, state="remembered", plan=PLAN)
    # The plan has no mark, as one that was made before the last run.
    assert result == {**NOTHING, "changed": True, "record": result["record"], "outdated": True}
    return str(result["record"])


def test_plan_is_remembered_and_undone(start: Start, host: FakeMxHost) -> None:
    record = remember(start, host)
    assert remembered(host)
    host.write("main.cf", CHANGED)
    undone = {**NOTHING, "changed": True, "undone": ["main.cf: relay_domains is as before"], "record": record}
    assert keep(start, host, state="undone", plan=PLAN, record=record) == undone
    assert Path(host.path("main.cf")).read_text() == MAIN_CF
    assert keep(start, host, state="undone", plan=PLAN, record="") == NOTHING


def test_memory_is_forgotten_once_and_by_its_own_run(start: Start, host: FakeMxHost) -> None:
    record = remember(start, host)
    assert keep(start, host, state="forgotten", record="other") == {**NOTHING, "record": "other"}
    assert remembered(host)
    assert keep(start, host, state="forgotten", record=record) == {**NOTHING, "changed": True, "record": record}
    assert not remembered(host)
    assert keep(start, host, state="forgotten", record=record) == {**NOTHING, "record": record}


def test_check_mode_remembers_forgets_and_undoes_nothing(start: Start, host: FakeMxHost) -> None:
    assert keep(start, host, True, state="remembered", plan=PLAN) == NOTHING
    assert not remembered(host)
    record = remember(start, host)
    host.write("main.cf", CHANGED)
    assert keep(start, host, True, state="undone", plan=PLAN, record=record) == {**NOTHING, "record": record}
    assert keep(start, host, True, state="forgotten", record=record) == {**NOTHING, "record": record}
    assert remembered(host)
    assert Path(host.path("main.cf")).read_text() == CHANGED


@pytest.mark.parametrize(
    ("state", "missing"), [("remembered", "plan"), ("undone", "plan, record"), ("forgotten", "record")]
)
def test_what_each_state_requires(start: Start, host: FakeMxHost, state: str, missing: str) -> None:
    message = f"state is {state} but all of the following are missing: {missing}"
    assert keep(start, host, state=state) == {"msg": message}
