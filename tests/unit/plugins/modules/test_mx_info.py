# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import mx_info as work
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import MxRecord
from ansible_collections.mxrelay.postfix.plugins.modules import mx_info
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import (
    FakeMxHost,
    FakeNetwork,
    FakeProber,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


class Outside:
    """DNS and SMTP as the module reaches them: its resolvers, and who was talked to."""

    def __init__(self) -> None:
        self.network = FakeNetwork()
        self.network.records["x.example"] = (MxRecord(10, "mail.example", ("192.0.2.1",)),)
        self.prober = FakeProber()
        self.resolvers: list[str] = []

    def ask(self, resolvers: Sequence[str]) -> FakeNetwork:
        self.resolvers = list(resolvers)
        return self.network


@pytest.fixture(name="outside")
def _outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    outside = Outside()
    monkeypatch.setattr(work, "SystemNetwork", outside.ask)
    monkeypatch.setattr(work, "SmtpProber", lambda: outside.prober)
    return outside


def info(start: Start, host: FakeMxHost, **options: Any) -> dict[str, Any]:
    return start(mx_info, host, config_directory=host.config_directory, **options)


@pytest.mark.parametrize("check_mode", [True, False])
def test_relay_domains_are_told_without_asking_their_mail_hosts(
    start: Start, outside: Outside, tmp_path: Path, check_mode: bool
) -> None:
    host = FakeMxHost(str(tmp_path), "relay_domains = x.example\n")
    result = start(mx_info, host, check_mode, config_directory=str(tmp_path), resolver=["192.0.2.53"])
    assert result["changed"] is False
    assert list(result["domains"]) == ["x.example"]
    assert (outside.resolvers, outside.prober.talks) == (["192.0.2.53"], [])


def test_mail_hosts_are_asked_if_wanted(start: Start, outside: Outside, tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path), "relay_domains = x.example\n")
    assert info(start, host, probe=True)["domains"]["x.example"]["mail_host"]["server"] == "mail.example"
    assert [(server, port) for server, port, _recipients in outside.prober.talks] == [("mail.example", 25)]


def test_stranger_needs_no_postfix_of_his_own(start: Start, outside: Outside, tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path))
    host.installed = False
    result = info(start, host, probe_server="mx.example", domains=["x.example"])
    assert result["probes"][0]["server"] == "mx.example"
    assert outside.prober.talks[0][:2] == ("mx.example", 25)
    assert "failed" not in result


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"outage": "soon"}, 'mx_info: "soon" (outage) is not a Postfix time value; use a value such as 5d or 12h'),
        ({"domains": ["a/b"]}, '"a/b" (domains[0]) is not a domain name'),
        ({"probe_server": "mx.example"}, "probe_server needs the domains to ask about (domains)"),
    ],
)
@pytest.mark.usefixtures("outside")
def test_option_that_can_not_be_is_refused(start: Start, tmp_path: Path, options: dict[str, Any], message: str) -> None:
    result = info(start, FakeMxHost(str(tmp_path)), **options)
    assert result["failed"] is True
    assert message in result["msg"]
