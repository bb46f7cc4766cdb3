# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.modules import main_cf
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_configuration_host import (
    ConfigurationHost,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start

RESULTS = ("changed", "path", "changed_parameters", "reload_needed", "restart_needed", "diff")


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> ConfigurationHost:
    host = ConfigurationHost(tmp_path)
    host.main_cf.write_text("soft_bounce = no\n")
    return host


def change(start: Start, host: ConfigurationHost, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return start(main_cf, host.commands, check_mode, config_directory=str(host.main_cf.parent), **options)


@pytest.mark.parametrize("check_mode", [True, False])
def test_check_mode_returns_the_same_and_writes_nothing(
    start: Start, host: ConfigurationHost, check_mode: bool
) -> None:
    options = {"parameters": {"soft_bounce": True}, "add_items": {"transport_maps": ["static:x"]}}
    after = "soft_bounce = yes\ntransport_maps = static:x\n"
    result = change(start, host, check_mode, **options)
    # Ansible adds owner and mode of the path.
    assert {name: result[name] for name in RESULTS} == {
        "changed": True,
        "path": str(host.main_cf),
        "changed_parameters": {
            "soft_bounce": {"before": "no", "after": "yes"},
            "transport_maps": {"before": None, "after": "static:x"},
        },
        "reload_needed": True,
        "restart_needed": False,
        "diff": [
            {
                "before_header": str(host.main_cf),
                "after_header": str(host.main_cf),
                "before": "soft_bounce = no\n",
                "after": after,
            }
        ],
    }
    assert host.main_cf.read_text() == ("soft_bounce = no\n" if check_mode else after)


def test_options_are_empty_unless_given(start: Start, host: ConfigurationHost) -> None:
    assert change(start, host)["changed"] is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parameters": {"soft_bounce": None}}, "parameters.soft_bounce is null"),
        ({"parameters": {"soft_bonce": "yes"}}, 'did you mean "soft_bounce"?'),
        ({"parameters": {"soft_bounce": "a\nb"}}, "contains a line break"),
        ({"parameters": {"soft_bounce": "#"}}, 'begins with "#"'),
        ({"add_items": {"mynetworks": ["10.0.0.0/8"]}}, "at present to 198.51.100.7/32"),
        ({"add_items": {"transport_maps": None}}, "give the members as a list"),
    ],
)
def test_refusal_writes_nothing(start: Start, host: ConfigurationHost, options: dict[str, Any], message: str) -> None:
    result = change(start, host, **options)
    assert result["failed"] is True
    assert message in result["msg"]
    assert host.main_cf.read_text() == "soft_bounce = no\n"


def test_unknown_parameter_is_set_if_that_is_allowed(start: Start, host: ConfigurationHost) -> None:
    assert change(start, host, parameters={"policy_limit": 5}, allow_unknown=True)["changed"] is True
    assert host.main_cf.read_text() == "soft_bounce = no\npolicy_limit = 5\n"
