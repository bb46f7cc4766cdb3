# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.modules import mx_metrics
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.metrics_host import metrics_timer_host
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


@pytest.mark.parametrize(("state", "changed"), [("present", True), ("absent", False)])
def test_check_mode_tells_what_would_change(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, changed: bool
) -> None:
    host = metrics_timer_host(tmp_path, monkeypatch)
    options = {"config_directory": host.config_directory, "directory": host.directory, "state": state}
    result = start(mx_metrics, host, True, **options)
    assert (result["changed"], result["path"]) == (changed, str(host.metrics))


def test_directory_that_is_missing_fails(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = metrics_timer_host(tmp_path, monkeypatch)
    result = start(mx_metrics, host, True, config_directory=host.config_directory, directory="/nowhere")
    assert result["msg"].startswith("/nowhere: is not a directory")
