# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import mx
from ansible_collections.mxrelay.postfix.plugins.modules import mx_plan
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import contents
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost, FakeNetwork
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMxHost:
    monkeypatch.setattr(mx, "SystemNetwork", FakeNetwork)
    return FakeMxHost(str(tmp_path))


def plan(start: Start, host: FakeMxHost, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """What the module returns, after a check that it touched no file."""
    before = contents(host.config_directory)
    result = start(mx_plan, host, check_mode, config_directory=host.config_directory, **options)
    assert contents(host.config_directory) == before
    return result


@pytest.mark.parametrize("check_mode", [True, False])
def test_plan_is_told_and_nothing_is_written(start: Start, host: FakeMxHost, check_mode: bool) -> None:
    item = {"name": "x.example", "role": "primary", "mail_host": "mail.example", "recipients_policy": "any"}
    result = plan(start, host, check_mode, domains=[item], queue_lifetime="10d")
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
    blank = {"smtputf8": None, "queue_lifetime": None, "relay_restrictions": None, "peer": None}
    result = plan(start, host, **blank)
    assert (result["refusals"], result["changes"], result["pending"]) == ([], [], False)


def test_refusals_are_a_result_and_no_failure(start: Start, host: FakeMxHost) -> None:
    result = plan(start, host, role="secondary_mx", domains=[{"name": "x.example"}])
    assert "failed" not in result
    assert [(refusal["domain"], refusal["check"]) for refusal in result["refusals"]] == [("x.example", "no_recipients")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"role": "primary"}, "value of role must be one of: secondary_mx, primary_mx, mx, got: primary"),
        ({"domains": [{"role": "primary"}]}, "missing required arguments: name found in domains"),
        ({"verify_fail_on": ["nowhere"]}, "value of verify_fail_on must be one or more of: local, dns, remote"),
    ],
)
def test_option_that_can_not_be_is_refused(
    start: Start, host: FakeMxHost, options: dict[str, Any], message: str
) -> None:
    assert message in plan(start, host, **options)["msg"]
