# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import systemd
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.systemd import runs_systemd, systemctl


class Refusing:
    """The command port, of a systemctl that fails."""

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        del data, silence
        assert argv[0] == "systemctl"
        return Result(1, "", "no\nsuch unit\n")


def test_host_is_run_by_systemd_if_its_directory_is_there(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "SYSTEMD", str(tmp_path / "system"))
    assert not runs_systemd()
    (tmp_path / "system").mkdir()
    assert runs_systemd()


def test_failure_is_told_unless_nothing_is_to_be_reset() -> None:
    postfix = Postfix(Refusing(), "/etc/postfix")
    systemctl(postfix, "reset-failed", "a.timer")
    with pytest.raises(HostError) as caught:
        systemctl(postfix, "start", "a.timer")
    assert caught.value.message == "systemctl start a.timer failed: no such unit; see journalctl -u a.timer"
