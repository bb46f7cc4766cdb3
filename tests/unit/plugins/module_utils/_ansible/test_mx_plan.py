# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import mx_plan
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx_plan import (
    PLAN_SPEC,
    SETTING_OPTIONS,
    plan,
    plan_params,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.settings import SETTINGS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost, FakeNetwork

PREFIX = "ansible_collections.mxrelay.postfix.plugins.module_utils."
# What few plans need, and takes a while to load.
SELDOM = ("ssl", "smtplib", "asyncio", f"{PREFIX}_ports.smtp_probe", f"{PREFIX}_ports.standby_service")


@pytest.fixture(autouse=True)
def _no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx_plan, "SystemNetwork", FakeNetwork)


def test_what_few_plans_need_is_loaded_when_one_does() -> None:
    path = [folder for folder in sys.path if folder]
    program = f"import sys\nsys.path[:0] = {path}\nimport {PREFIX}_ansible.mx_plan\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert sorted(set(SELDOM).intersection(loaded.stdout.split())) == []


def test_plan_returns_no_list_of_domains_that_the_caller_has(tmp_path: Path) -> None:
    domains = [{"name": f"d{index}.example", "state": "absent"} for index in range(1000)]
    params = {"role": "secondary_mx", "domains": domains, "peer": None, "queue_lifetime": "5d"}
    results = plan(params, FakeMxHost(str(tmp_path)).postfix(), False).results
    assert results["invocation"] == {"module_args": {"role": "secondary_mx", "queue_lifetime": "5d"}}
    assert "d999.example" not in str(results)


def given(**arguments: Any) -> dict[str, Any]:
    """The params that the plan gets of arguments, as Ansible validates them."""
    validated = ArgumentSpecValidator(PLAN_SPEC).validate(arguments)
    assert validated.error_messages == []
    return plan_params(validated.validated_parameters)


def test_settings_reach_the_plan_beside_the_other_arguments() -> None:
    params = given(role="mx", settings={"queue_lifetime": 10, "ipv6": "no", "proxy_interfaces": "a,b"})
    assert "settings" not in params
    assert params["role"] == "mx"
    assert (params["queue_lifetime"], params["ipv6"], params["proxy_interfaces"]) == ("10", False, ["a", "b"])


def test_setting_that_is_not_given_is_left_to_the_model() -> None:
    params = given()
    unset = {name for name in SETTING_OPTIONS if params[name] is None}
    assert SETTING_OPTIONS.keys() - unset == {
        "config_directory",
        "verify",
        "verify_fail_on",
        "ended_run",
        "fail_on_drift",
    }
    assert (params["verify"], params["verify_fail_on"]) == (True, ["local"])


def test_sources_with_their_passwords_do_not_reach_the_host() -> None:
    assert SETTINGS.keys() - SETTING_OPTIONS.keys() == {"recipient_sources"}
    told = {"settings": {"recipient_sources": {}}}
    assert len(ArgumentSpecValidator(PLAN_SPEC).validate(told).error_messages) == 1
    assert "recipient_sources" not in given()


def test_scopes_may_be_none_at_all() -> None:
    params = given(settings={"verify": False, "verify_fail_on": []})
    assert (params["verify"], params["verify_fail_on"]) == (False, [])


@pytest.mark.parametrize(
    ("arguments", "directory"),
    [
        ({}, "/etc/postfix"),
        ({"config_directory": "/etc/postfix-a"}, "/etc/postfix-a"),
        ({"config_directory": "/etc/postfix-a", "settings": {"config_directory": "/etc/postfix-b"}}, "/etc/postfix-b"),
    ],
)
def test_setting_outweighs_the_option_config_directory(arguments: dict[str, Any], directory: str) -> None:
    assert given(**arguments)["config_directory"] == directory


@pytest.mark.parametrize(
    "settings", [{"ipv6": "maybe"}, {"mail_host_tls": "must"}, {"verify_fail_on": ["lokal"]}, {"domains": []}]
)
def test_setting_that_cannot_be_is_refused(settings: dict[str, Any]) -> None:
    assert len(ArgumentSpecValidator(PLAN_SPEC).validate({"settings": settings}).error_messages) == 1


def test_no_setting_hides_another_option() -> None:
    assert SETTINGS.keys() & PLAN_SPEC.keys() == {"config_directory"}


LISTED = {"has_list": True, "recipients_count": 1, "recipients_digest": "a" * 64}
PEER = {"role": "primary_mx", "domains": [{"name": "y.example", "mail_host": "mail.y.example", **LISTED}]}


def plan_of(host: FakeMxHost, **arguments: Any) -> Outcome:
    settings = {"config_directory": host.config_directory, **arguments.pop("settings", {})}
    return plan(given(**arguments, settings=settings), host.postfix(), False)


def peer_plan(host: FakeMxHost, peer: dict[str, Any], **own: Any) -> Any:
    settings = {"config_directory": host.config_directory, **peer.get("settings", {})}
    return plan_of(host, role="secondary_mx", _peer={**peer, "settings": settings}, **own).results["peer_plan"]


def test_plan_of_the_role_that_comes_next_is_the_one_that_it_would_make(tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path))
    made = plan_of(host, **PEER)
    assert made.results["pending"]
    assert peer_plan(host, PEER) == {
        **{name: value for name, value in made.results.items() if name != "peer_plan"},
        "warnings": made.warnings,
    }


@pytest.mark.parametrize(
    ("own", "peer"),
    [
        ({"domains": [{"name": "x.example", **LISTED}]}, PEER),
        ({"domains": [{"name": "x.example", "has_list": False}]}, PEER),
        ({}, {**PEER, "settings": {"ipv6": "maybe"}}),
        ({}, {**PEER, "settings": {"config_directory": "/etc/postfix-second"}}),
    ],
    ids=["a change before", "a refusal before", "no such value", "another instance"],
)
def test_nothing_is_planned_for_the_other_role_if_it_could_not_hold(
    tmp_path: Path, own: dict[str, Any], peer: dict[str, Any]
) -> None:
    assert peer_plan(FakeMxHost(str(tmp_path)), peer, **own) is None
