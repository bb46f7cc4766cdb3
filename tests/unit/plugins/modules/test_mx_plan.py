# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""mx_plan from its options to its results, on a host with Postfix."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import mx
from ansible_collections.mxrelay.postfix.plugins.modules import mx_plan
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost, FakeNetwork
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import ModuleRunner

KEPT = [{"name": "x.example", "recipients_policy": "any", "mail_host": "192.0.2.1"}]
GONE = [{"name": "x.example", "state": "absent"}]


@pytest.fixture
def plan(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> ModuleRunner:
    monkeypatch.setattr(mx, "SystemNetwork", FakeNetwork)
    return ModuleRunner(mx_plan, tmp_path, monkeypatch, capsys, FakeMxHost(str(tmp_path)))


def test_settings_are_planned(plan: ModuleRunner) -> None:
    settings = {"queue_lifetime": 3600, "verify": "no", "verify_fail_on": "local,dns"}
    result = plan(role="primary_mx", domains=KEPT, settings=settings)
    assert result["main_cf"]["parameters"]["maximal_queue_lifetime"] == "3600"
    assert (result["judge"], result["verify_fail_on"]) == (False, ["local", "dns"])


def test_directory_among_the_settings_is_the_one_that_is_used(plan: ModuleRunner, tmp_path: pathlib.Path) -> None:
    settings = {"config_directory": str(tmp_path)}
    result = plan(role="primary_mx", domains=KEPT, config_directory="/elsewhere", settings=settings)
    assert result["recipients"]["path"] == f"{tmp_path}/relay_recipients"


@pytest.mark.parametrize(
    ("settings", "named"), [({"ipv6": "maybe"}, "ipv6"), ({"recipient_check": "all"}, "recipient_check")]
)
def test_setting_that_cannot_be_is_refused(plan: ModuleRunner, settings: dict[str, Any], named: str) -> None:
    assert named in plan.refused(domains=GONE, settings=settings)


def test_invocation_has_no_list_of_domains(plan: ModuleRunner) -> None:
    result = plan(domains=GONE, settings={"ipv6": False})
    assert result["invocation"]["module_args"]["ipv6"] is False
    assert "x.example" not in json.dumps(result["invocation"])
