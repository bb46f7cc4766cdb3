# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx_plan import PLAN_SPEC, plan, plan_params
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.settings import SETTINGS
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost


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
    unset = {name for name in SETTINGS if params[name] is None}
    assert SETTINGS.keys() - unset == {"config_directory", "verify", "verify_fail_on"}
    assert (params["verify"], params["verify_fail_on"]) == (True, ["local"])


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
