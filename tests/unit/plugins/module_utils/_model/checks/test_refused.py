# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks import refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

COMMANDS = {
    "qmgr": "qmgr",
    "bounce": "bounce",
    "defer": "bounce",
    "trace": "bounce",
    "relay": "smtp",
    "cleanup": "cleanup",
}
VALUES = {
    "bounce_service_name": "bounce",
    "defer_service_name": "defer",
    "trace_service_name": "trace",
    "delay_warning_time": "0h",
}


def found(
    commands: Mapping[str, str] | None = None, overrides: Mapping[str, Mapping[str, str]] | None = None, **values: str
) -> list[Finding]:
    services = [
        Service(name, "unix", "-", "-", "y", "-", "0", command, dict((overrides or {}).get(name, {})))
        for name, command in {**COMMANDS, **(commands or {})}.items()
        if command
    ]
    known = {**VALUES, **values}
    state = HostState(version=(3, 10), parameters=known, values=known, services=services)
    return [
        finding for check in (refused.bounce_service, refused.delay_warnings) for finding in check(state, HostFacts())
    ]


def test_services_as_postfix_ships_them() -> None:
    assert found() == []
    assert found({"bounce": "bounce -v", "qmgr": "/usr/lib/postfix/sbin/qmgr"}) == []


@pytest.mark.parametrize("name", ["bounce", "defer", "trace"])
def test_service_that_drops_the_record(name: str) -> None:
    (finding,) = found({name: "discard"})
    assert (finding.check, finding.severity) == ("bounce_service", "error")
    assert finding.message.startswith(f"{name}/unix runs discard, but it is to keep the record of ")
    assert f"let {name}/unix run bounce" in finding.remedy


def test_service_that_is_missing() -> None:
    (finding,) = found({"trace": ""})
    assert finding.message.startswith("trace_service_name is trace, and master.cf has no service trace/unix: ")
    assert finding.remedy == "add it to master.cf as Postfix ships it: trace unix - - y - 0 bounce"
    (finding,) = found(bounce_service_name="gone", overrides={"relay": {"bounce_service_name": "gone"}})
    assert "no service gone/unix" in finding.message


def test_record_that_the_queue_manager_does_not_read() -> None:
    (finding,) = found({"other": "bounce"}, {"relay": {"bounce_service_name": "other"}})
    assert finding.message.startswith(
        "relay/unix keeps its record of refused mail with other (bounce_service_name), the queue manager with bounce: "
    )
    assert finding.remedy == "remove the override bounce_service_name of the service relay/unix"


def test_own_services_that_all_use_are_no_fault() -> None:
    own = {"relay": {"bounce_service_name": "other"}, "qmgr": {"bounce_service_name": "other"}}
    assert found({"other": "bounce"}, own) == []


def test_host_whose_services_are_not_known() -> None:
    assert list(refused.bounce_service(HostState(), HostFacts())) == []


@pytest.mark.parametrize(("after", "warned"), [("4h", True), ("0", False), ("0h", False), ("", False)])
def test_senders_are_told_that_mail_waits(after: str, warned: bool) -> None:
    assert [(finding.check, finding.severity) for finding in found(delay_warning_time=after)] == (
        [("delay_warnings", "warning")] if warned else []
    )
