# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.modules import mx_canary
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_canary_host import FakeCanaryHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


def test_plan_is_returned(start: Start, tmp_path: Path) -> None:
    host = FakeCanaryHost(str(tmp_path))
    result = start(mx_canary, host, state="planned", config_directory=str(tmp_path))
    assert [item["recipient"] for item in result["plan"]["canaries"]] == [
        "postmaster@x.example",
        "postmaster@y.example",
    ]
    assert result["changed"] is False


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"state": "sent"}, "missing: plan, server"),
        ({"state": "followed"}, "missing: plan"),
        ({"state": "planned", "sender": "nobody"}, '"nobody" (sender)'),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    start: Start, tmp_path: Path, options: dict[str, Any], complaint: str
) -> None:
    result = start(mx_canary, FakeCanaryHost(str(tmp_path)), config_directory=str(tmp_path), **options)
    assert result["failed"] is True
    assert complaint in result["msg"]
