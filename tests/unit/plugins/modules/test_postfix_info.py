# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

from ansible_collections.mxrelay.postfix.plugins.modules import postfix_info
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_instance import FakeInstance, NoPostfix
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


def test_parameters_are_those_that_were_asked_for(start: Start, tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("queue_directory = /var/spool/$x\n")
    instance = FakeInstance(tmp_path)
    found = start(postfix_info, instance, config_directory=str(tmp_path), parameters=["queue_directory"])
    assert (found["changed"], found["installed"], found["version"]) == (False, True, "3.10.13")
    assert found["parameters"] == {"queue_directory": "/var/spool/postfix"}
    assert found["explicit_parameters"] == {"queue_directory": "/var/spool/$x"}


def test_missing_postfix_is_no_failure(start: Start, tmp_path: Path) -> None:
    found = start(postfix_info, NoPostfix(), config_directory=str(tmp_path))
    assert (found["changed"], found["installed"], found["parameters"]) == (False, False, {})
    assert "failed" not in found
