# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""mx_plan from its options to its results, on a host with Postfix."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import mx_plan as work
from ansible_collections.mxrelay.postfix.plugins.modules import mx_plan
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import contents
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost, FakeNetwork
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import ModuleRunner, Start

KEPT = [{"name": "x.example", "recipients_policy": "any", "mail_host": "192.0.2.1"}]
GONE = [{"name": "x.example", "state": "absent"}]


@pytest.fixture
def plan(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> ModuleRunner:
    monkeypatch.setattr(work, "SystemNetwork", FakeNetwork)
    return ModuleRunner(mx_plan, tmp_path, monkeypatch, capsys, FakeMxHost(str(tmp_path)))


def test_settings_are_planned(plan: ModuleRunner) -> None:
    settings = {"queue_lifetime": 10, "verify": "no", "verify_fail_on": "local,dns"}
    result = plan(role="primary_mx", domains=KEPT, settings=settings)
    assert result["main_cf"]["parameters"]["maximal_queue_lifetime"] == "10"
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


@pytest.fixture(name="host")
def _host(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> FakeMxHost:
    monkeypatch.setattr(work, "SystemNetwork", FakeNetwork)
    return FakeMxHost(str(tmp_path))


def told(start: Start, host: FakeMxHost, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """What the module returns, after a check that it touched no file."""
    before = contents(host.config_directory)
    result = start(mx_plan, host, check_mode, config_directory=host.config_directory, **options)
    assert contents(host.config_directory) == before
    return result


@pytest.mark.parametrize("check_mode", [True, False])
def test_plan_is_told_and_nothing_is_written(start: Start, host: FakeMxHost, check_mode: bool) -> None:
    item = {"name": "x.example", "role": "primary", "mail_host": "mail.example", "recipients_policy": "any"}
    result = told(start, host, check_mode, domains=[item], settings={"queue_lifetime": "10d"})
    assert (result["changed"], result["refusals"], result["pending"]) == (False, [], True)
    assert result["changes"] == [
        "recipients of x.example: any",
        "transport x.example relay:[mail.example]",
        "main.cf: smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
        "main.cf: maximal_queue_lifetime = 10d",
        "main.cf: relay_domains gets x.example",
        f"main.cf: relay_recipient_maps gets hash:{host.path('relay_recipients')}",
        f"main.cf: transport_maps gets hash:{host.path('transport')}",
    ]


def test_blank_settings_are_not_given(start: Start, host: FakeMxHost) -> None:
    blank = {"smtputf8": None, "queue_lifetime": None, "relay_restrictions": None}
    result = told(start, host, settings=blank, peer=None)
    assert (result["refusals"], result["changes"], result["pending"]) == ([], [], False)


def test_refusals_are_a_result_and_no_failure(start: Start, host: FakeMxHost) -> None:
    result = told(start, host, role="secondary_mx", domains=[{"name": "x.example"}])
    assert "failed" not in result
    assert [(refusal["domain"], refusal["check"]) for refusal in result["refusals"]] == [("x.example", "no_recipients")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"role": "primary"}, "value of role must be one of: secondary_mx, primary_mx, mx, got: primary"),
        ({"domains": [{"role": "primary"}]}, "missing required arguments: name found in domains"),
    ],
)
def test_option_that_can_not_be_is_refused(
    start: Start, host: FakeMxHost, options: dict[str, Any], message: str
) -> None:
    assert message in told(start, host, **options)["msg"]
