# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils import basic

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import run
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Commands
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start, run_main


@pytest.fixture(name="start")
def _start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Start:
    """Runs a module on the commands that it is given, and returns its result without the invocation."""

    def start(module: ModuleType, commands: Commands, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        warned: list[str] = []
        monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, warning: warned.append(warning))
        monkeypatch.setattr(run, "LocalCommands", lambda: commands)
        result = run_main(module, {"_ansible_check_mode": check_mode, **options}, monkeypatch, capsys)
        result.pop("invocation", None)
        return {**result, "warned": warned}

    return start
