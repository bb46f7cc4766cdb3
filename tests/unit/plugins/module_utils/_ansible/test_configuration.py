# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.configuration import (
    change_main_cf,
    change_master_cf,
    instance_info,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_configuration_host import (
    ConfigurationHost,
)

NOTHING: dict[str, Any] = {"parameters": {}, "absent": [], "add_items": {}, "remove_items": {}, "allow_unknown": False}
SERVICE: dict[str, Any] = {
    "name": "relay",
    "type": "unix",
    "command": None,
    "private": None,
    "unprivileged": None,
    "chroot": None,
    "wakeup": None,
    "process_limit": None,
    "overrides": {},
    "state": "present",
}
RELAY = "relay unix - - - - - smtp\n"


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> ConfigurationHost:
    return ConfigurationHost(tmp_path)


@pytest.mark.parametrize("check_mode", [True, False])
def test_main_cf_tells_before_and_after_of_each_parameter(host: ConfigurationHost, check_mode: bool) -> None:
    before = host.main_cf.read_text()
    options = {**NOTHING, "parameters": {"inet_interfaces": "all"}, "absent": ["soft_bounce"]}
    outcome = change_main_cf(options, host.postfix, check_mode)
    assert outcome.changed is True
    assert outcome.results == {
        "path": str(host.main_cf),
        "changed_parameters": {
            "inet_interfaces": {"before": None, "after": "all"},
            "soft_bounce": {"before": "no", "after": None},
        },
        "reload_needed": True,
        "restart_needed": True,
    }
    assert [(diff.before, diff.after) for diff in outcome.diffs] == [("soft_bounce = no\n", "inet_interfaces = all\n")]
    after = "# head\ncompatibility_level = 2\ninet_interfaces = all\n"
    assert host.main_cf.read_text() == (before if check_mode else after)


def test_main_cf_that_is_as_asked_has_no_diff(host: ConfigurationHost) -> None:
    outcome = change_main_cf({**NOTHING, "parameters": {"soft_bounce": False}}, host.postfix, False)
    assert (outcome.changed, outcome.diffs) == (False, [])
    assert outcome.results == {
        "path": str(host.main_cf),
        "changed_parameters": {},
        "reload_needed": False,
        "restart_needed": False,
    }


def test_overrides_are_written_as_values_of_main_cf_are(host: ConfigurationHost) -> None:
    overrides = {"a": True, "b": ["c", "d"], "e": None, "f": 5, "g": ""}
    outcome = change_master_cf({"services": [{**SERVICE, "overrides": overrides}]}, host.postfix, False)
    after = f"{RELAY}  -o a=yes\n  -o {{ b = c, d }}\n  -o f=5\n  -o g=\n"
    assert outcome.results == {
        "path": str(host.master_cf),
        "changed_services": {"relay/unix": {"before": RELAY, "after": after}},
        "reload_needed": True,
    }
    assert host.master_cf.read_text() == f"smtp inet n - - - - smtpd\n{after}"


def test_service_without_overrides_keeps_them(host: ConfigurationHost) -> None:
    host.master_cf.write_text(f"{RELAY}  -o a=b\n")
    assert change_master_cf({"services": [{**SERVICE, "overrides": None}]}, host.postfix, False).changed is False


def test_bad_override_is_said_to_be_of_master_cf(host: ConfigurationHost) -> None:
    services = [SERVICE, {**SERVICE, "name": "smtp", "overrides": {"a": 3.10}}]
    with pytest.raises(InvalidInput) as caught:
        change_master_cf({"services": services}, host.postfix, False)
    assert caught.value.message == (
        "master.cf: services[1].overrides.a is the number 3.1; quote it to keep every digit"
    )


def test_info_has_every_key_without_postfix(host: ConfigurationHost, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_call: object) -> None:
        raise FileNotFoundError("postconf")

    monkeypatch.setattr(host.commands, "run", missing)
    outcome = instance_info({"parameters": []}, host.postfix, False)
    assert outcome.changed is False
    assert outcome.results == {
        "installed": False,
        "version": "",
        "instance": {},
        "instances": [],
        "table_types": [],
        "default_database_type": "",
        "parameters": {},
        "explicit_parameters": {},
        "services": [],
        "tables": [],
    }
