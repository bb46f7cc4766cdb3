# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.mxrelay.postfix.plugins.modules import recipients_info
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


def test_source_is_told_by_domain(start: Start, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("a@x.example\n@y.example\n")
    source = {"type": "file", "path": str(tmp_path / "list"), "timeout": "30"}
    found = start(recipients_info, FakeMxHost(str(tmp_path)), source=source, domains=["x.example"])
    assert (found["changed"], found["count"], found["complete"], found["problem"]) == (False, 1, True, "")
    assert found["undeclared"] == {"y.example": 0}
    assert "recipients" not in found


@pytest.mark.parametrize("check_mode", [True, False])
def test_postfix_is_that_of_the_directory(start: Start, tmp_path: Path, check_mode: bool) -> None:
    host = FakeMxHost(str(tmp_path), "mydestination = x.example\nlocal_recipient_maps = static:x\n")
    source = {"type": "postfix", "config_directory": str(tmp_path)}
    found = start(recipients_info, host, check_mode, source=source)
    assert found["domains"]["x.example"]["catch_all"] is True


def test_error_is_the_modules_message(start: Start, tmp_path: Path) -> None:
    found = start(recipients_info, FakeMxHost(str(tmp_path)), source={"type": "file", "uri": "x"})
    assert (found["failed"], found["msg"]) == (True, "source has uri, an option of type ldap, not file; remove it")


def test_secrets_are_in_no_result(start: Start, tmp_path: Path) -> None:
    source = {"type": "http", "url": "x", "token": "hunter2", "headers": {"X": "hunter3"}, "pth": "hunter4"}
    found = start(recipients_info, FakeMxHost(str(tmp_path)), source=source)
    assert found["failed"] is True
    assert [secret for secret in ("hunter2", "hunter3") if secret in str(found)] == []


def test_every_option_of_a_source_is_documented() -> None:
    documented = yaml.safe_load(recipients_info.DOCUMENTATION)["options"]["source"]["suboptions"]
    assert set(documented) == set(recipients_info.RECIPIENTS_SPEC["source"]["options"])
