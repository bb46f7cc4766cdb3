# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.modules import master_cf
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_configuration_host import (
    ConfigurationHost,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start

RELAY = "relay unix - - n - - smtp\n"

RESULTS = ("changed", "path", "changed_services", "reload_needed", "diff")


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> ConfigurationHost:
    host = ConfigurationHost(tmp_path)
    host.master_cf.write_text(RELAY)
    return host


def change(start: Start, host: ConfigurationHost, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return start(master_cf, host.commands, check_mode, config_directory=str(host.master_cf.parent), **options)


@pytest.mark.parametrize("check_mode", [True, False])
def test_check_mode_returns_the_same_and_writes_nothing(
    start: Start, host: ConfigurationHost, check_mode: bool
) -> None:
    services = [
        {"name": "relay", "type": "unix", "overrides": {"a": True}},
        {"name": "10025", "type": "inet", "command": "y", "process_limit": 0, "chroot": False},
    ]
    relay = f"{RELAY}  -o a=yes\n"
    new = "10025     inet  n       -       n       -       0       y\n"
    result = change(start, host, check_mode, services=services)
    # Ansible adds owner and mode of the path.
    assert {name: result[name] for name in RESULTS} == {
        "changed": True,
        "path": str(host.master_cf),
        "changed_services": {
            "relay/unix": {"before": RELAY, "after": relay},
            "10025/inet": {"before": None, "after": new},
        },
        "reload_needed": True,
        "diff": [
            {
                "before_header": str(host.master_cf),
                "after_header": str(host.master_cf),
                "before": RELAY,
                "after": relay + new,
            }
        ],
    }
    assert host.master_cf.read_text() == (RELAY if check_mode else relay + new)
    assert change(start, host, check_mode, services=services)["changed"] is check_mode


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ({"name": "x", "type": "unix"}, "there is no service x/unix yet, and command is missing"),
        (
            {"name": "relay", "type": "unix", "overrides": {"a": "b\nc"}},
            r'master.cf: "b\nc" (services[0].overrides.a) contains a line',
        ),
        ({"name": "relay", "type": "tcp"}, "value of type must be one of: inet, unix, unix-dgram, fifo, pass"),
        ({"name": "relay"}, "missing required arguments: type"),
    ],
)
def test_refusal_writes_nothing(start: Start, host: ConfigurationHost, service: dict[str, Any], message: str) -> None:
    result = change(start, host, services=[service])
    assert result["failed"] is True
    assert message in result["msg"]
    assert host.master_cf.read_text() == RELAY


def test_services_are_required(start: Start, host: ConfigurationHost) -> None:
    assert change(start, host)["msg"] == "missing required arguments: services"


def test_malformed_file_is_reported_and_left_alone(start: Start, host: ConfigurationHost) -> None:
    host.master_cf.write_text("relay unix\n")
    result = change(start, host, services=[{"name": "relay", "type": "unix", "state": "absent"}])
    assert result["msg"] == (
        f'{host.master_cf}, line 1: "relay unix" has 2 of the 8 fields that a service needs; '
        "correct or remove the line"
    )
    assert host.master_cf.read_text() == "relay unix\n"
