# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from ansible_collections.mxrelay.postfix.plugins.action import mx_trust
from ansible_collections.mxrelay.postfix.plugins.plugin_utils import runs

OTHER = {"record": "theirs", "controller": "there", "pid": 9, "age": 3}
OURS = {"controller": "here", "pid": 7}


def runs_beside(monkeypatch: pytest.MonkeyPatch, other: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What the module was told of this run, each time that it was started beside the other one."""
    action = mx_trust.ActionModule(
        MagicMock(args={"state": "absent"}, async_val=0), MagicMock(), MagicMock(), MagicMock(), None, None
    )
    told: list[dict[str, Any]] = []

    def execute(module_name: str, module_args: dict[str, Any], **_: Any) -> dict[str, Any]:
        assert (module_name, module_args["state"]) == ("mxrelay.postfix.mx_trust", "absent")
        told.append(module_args["_run"])
        return {"failed": True, "other_run": other} if other and len(told) == 1 else {"changed": True}

    monkeypatch.setattr(mx_trust.ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(runs, "this_run", lambda _variables: dict(OURS))
    monkeypatch.setattr(action, "_execute_module", execute)
    result = action.run(task_vars={})
    assert result == ({"changed": True} if not other or len(told) == 2 else {"failed": True, "other_run": other})
    return told


def test_run_alone_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runs_beside(monkeypatch, None) == [OURS]


def test_run_that_is_alive_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runs_beside(monkeypatch, OTHER) == [OURS, {**OURS, "await": "theirs"}]


def test_run_that_has_ended_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "has_ended", lambda other: other == OTHER)
    assert runs_beside(monkeypatch, OTHER) == [OURS, {**OURS, "ended": "theirs"}]


def test_host_that_is_in_the_inventory_twice_does_not_wait_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "has_ended", lambda _other: False)
    assert runs_beside(monkeypatch, {**OTHER, **OURS}) == [OURS]
