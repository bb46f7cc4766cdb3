# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.undo import DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange, MxPlan
from ansible_collections.mxrelay.postfix.plugins.modules import mx_undo
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start

MAIN_CF = "relay_domains = a.example\n"
CHANGED = "relay_domains = a.example, x.example\n"
PLAN = MxPlan(main_cf=MainCfChange(add_items={"relay_domains": ["x.example"]}, changed=True)).as_result()
NOTHING = {"changed": False, "undone": [], "touched": [], "problems": [], "restart_needed": False}


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path), MAIN_CF)


def keep(start: Start, host: FakeMxHost, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    result = start(mx_undo, host, check_mode, config_directory=host.config_directory, **options)
    return {name: result[name] for name in ("msg", *NOTHING) if name in result}


def remembered(host: FakeMxHost) -> bool:
    return os.path.isdir(host.path(DIRECTORY))


def test_plan_is_remembered_and_undone(start: Start, host: FakeMxHost) -> None:
    assert keep(start, host, state="remembered", plan=PLAN) == {**NOTHING, "changed": True}
    assert remembered(host)
    host.write("main.cf", CHANGED)
    undone = {**NOTHING, "changed": True, "undone": ["main.cf: relay_domains is as before"]}
    assert keep(start, host, state="undone", plan=PLAN) == undone
    assert Path(host.path("main.cf")).read_text() == MAIN_CF
    assert keep(start, host, state="undone", plan=PLAN) == NOTHING


def test_memory_is_forgotten_once(start: Start, host: FakeMxHost) -> None:
    keep(start, host, state="remembered", plan=PLAN)
    assert keep(start, host, state="forgotten") == {**NOTHING, "changed": True}
    assert not remembered(host)
    assert keep(start, host, state="forgotten") == NOTHING


def test_check_mode_remembers_forgets_and_undoes_nothing(start: Start, host: FakeMxHost) -> None:
    assert keep(start, host, True, state="remembered", plan=PLAN) == NOTHING
    assert not remembered(host)
    keep(start, host, state="remembered", plan=PLAN)
    host.write("main.cf", CHANGED)
    assert keep(start, host, True, state="undone", plan=PLAN) == NOTHING
    assert keep(start, host, True, state="forgotten") == NOTHING
    assert remembered(host)
    assert Path(host.path("main.cf")).read_text() == CHANGED


@pytest.mark.parametrize("state", ["remembered", "undone"])
def test_plan_is_required_unless_the_memory_is_forgotten(start: Start, host: FakeMxHost, state: str) -> None:
    assert keep(start, host, state=state) == {"msg": f"state is {state} but all of the following are missing: plan"}
