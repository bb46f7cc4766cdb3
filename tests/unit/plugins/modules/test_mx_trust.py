# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import trust
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust import saved
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import metadata_of
from ansible_collections.mxrelay.postfix.plugins.modules import mx_trust
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost, FakeNetwork
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start

MAIN_CF = "virtual_mailbox_domains = x.example\nsmtpd_helo_restrictions = reject_unknown_helo_hostname\n"


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMxHost:
    monkeypatch.setattr(saved, "_NEW_FILE", metadata_of(str(tmp_path)))
    monkeypatch.setattr(trust, "SystemNetwork", FakeNetwork)
    return FakeMxHost(str(tmp_path), MAIN_CF)


def test_hosts_are_trusted_and_the_change_is_shown(start: Start, host: FakeMxHost) -> None:
    options = {"config_directory": host.config_directory, "hosts": [{"name": "192.0.2.1"}]}
    foreseen = start(mx_trust, host, True, **options)
    done = start(mx_trust, host, **options)
    assert (foreseen.pop("record"), len(record := done.pop("record"))) == ("", 32)
    assert foreseen == done
    settled = {"config_directory": host.config_directory, "state": "settled"}
    assert start(mx_trust, host, **settled)["msg"] == "state is settled but all of the following are missing: record"
    assert start(mx_trust, host, **settled, record=record)["changed"] is True
    assert (done["changed"], done["addresses"], done["warned"]) == (True, {"192.0.2.1": ["192.0.2.1"]}, [])
    table = f"cidr:{host.path('trusted_mx')}"
    assert done["diff"][0] == {
        "before_header": host.path("main.cf"),
        "after_header": host.path("main.cf"),
        "before": "smtpd_helo_restrictions = reject_unknown_helo_hostname\n",
        "after": f"smtpd_helo_restrictions = check_client_access {table}, reject_unknown_helo_hostname\n"
        "smtpd_client_event_limit_exceptions = 192.0.2.1\n",
    }
    assert start(mx_trust, host, **options)["changed"] is False


def test_probe_needs_to_know_whom_to_ask(start: Start, host: FakeMxHost) -> None:
    assert (
        start(mx_trust, host, state="probed")["msg"] == "state is probed but all of the following are missing: server"
    )


def test_network_is_refused(start: Start, host: FakeMxHost) -> None:
    result = start(mx_trust, host, config_directory=host.config_directory, hosts=[{"name": "192.0.2.0/24"}])
    assert (result["failed"], "is a network" in result["msg"]) == (True, True)
    assert Path(host.path("main.cf")).read_text() == MAIN_CF
