# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running a module's main() on fake commands, with its real argument handling and its real output."""

from __future__ import annotations

import grp
import json
import os
import pathlib
import pwd
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils import basic

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import run
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost

MINE = {"owner": pwd.getpwuid(os.geteuid()).pw_name, "group": grp.getgrgid(os.getegid()).gr_name}


Start = Callable[..., "dict[str, Any]"]


def run_main(
    module: ModuleType, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    """What the module returns, success or failure."""
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    capsys.readouterr()
    with pytest.raises(SystemExit):
        module.main()
    return json.loads(capsys.readouterr().out)


class ModuleRunner:
    """Runs one module of tables; every run sees the same host."""

    def __init__(
        self,
        module: ModuleType,
        tmp_path: pathlib.Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        host: FakeHost | None = None,
    ) -> None:
        self.module = module
        self.directory = tmp_path
        self.host = host or FakeHost(str(tmp_path))
        # A module that writes no file has no options for its owner.
        self.common = {} if host else MINE
        self.logged: list[str] = []
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setattr(run, "LocalCommands", lambda: self.host)
        monkeypatch.setattr(basic.AnsibleModule, "log", lambda _self, message, **_: self.logged.append(message))

    def __call__(self, check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
        """What the module returns, success or failure."""
        given = {
            "config_directory": str(self.directory),
            "_ansible_check_mode": check_mode,
            "_ansible_remote_tmp": "/tmp",
            # Every controller sends it, and it outweighs what the module gave to AnsibleModule.
            "_ansible_no_log": False,
            **self.common,
            **arguments,
        }
        return run_main(self.module, given, self._monkeypatch, self._capsys)

    def refused(self, **arguments: Any) -> str:
        """The message with which the module fails, nothing having been written."""
        before = sorted(os.listdir(self.directory))
        result = self(**arguments)
        assert result["failed"] is True
        assert sorted(os.listdir(self.directory)) == before
        return result["msg"]

    def text(self, name: str) -> str:
        return (self.directory / name).read_text()
