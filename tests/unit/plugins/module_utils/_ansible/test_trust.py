# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import trust as subject
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.trust import trust
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import own_record
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust import saved
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import metadata_of
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import (
    FakeMxHost,
    FakeNetwork,
    FakeProber,
)

MAIN_CF = "virtual_mailbox_domains = x.example\nsmtpd_helo_restrictions = reject_unknown_helo_hostname\n"
MX = [{"name": "192.0.2.1"}]


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMxHost:
    monkeypatch.setattr(saved, "_NEW_FILE", metadata_of(str(tmp_path)))
    monkeypatch.setattr(subject, "SystemNetwork", FakeNetwork)
    return FakeMxHost(str(tmp_path), MAIN_CF)


def params(state: str = "present", **given: Any) -> dict[str, Any]:
    return {
        "state": state,
        "hosts": [],
        "domains": [],
        "server": "mail.example",
        "port": 25,
        "helo": "",
        "record": None,
        **given,
    }


def test_change_is_made_kept_and_told(host: FakeMxHost, tmp_path: Path) -> None:
    outcome = trust(params(hosts=MX), host.postfix(), False)
    assert (outcome.changed, outcome.results["addresses"]) == (True, {"192.0.2.1": ["192.0.2.1"]})
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mxrelay-undo", "main.cf", "master.cf", "trusted_mx"]
    record = outcome.results["record"]
    with pytest.raises(HostError, match="another run has been changing this host") as caught:
        trust(params(hosts=[{"name": "192.0.2.2"}]), host.postfix(), True)
    assert caught.value.details["other_run"]["record"] == record
    assert trust(params("settled", record=record), host.postfix(), False).changed is True
    assert trust(params(hosts=MX), host.postfix(), False).results["record"] == ""
    outcome = trust(params("absent"), host.postfix(), False)
    assert outcome.changed is True
    undone = trust(params("undone", record=outcome.results["record"]), host.postfix(), False)
    assert undone.results["undone"][0].endswith("main.cf is as before")


def test_run_that_is_over_is_replaced(host: FakeMxHost) -> None:
    left = trust(params(hosts=MX), host.postfix(), False).results["record"]
    ours = {"controller": "here", "pid": 7, "ended": left}
    outcome = trust(params(hosts=[{"name": "192.0.2.2"}], _run=ours), host.postfix(), False)
    record = own_record(host.postfix(), outcome.results["record"])
    assert record is not None and (record.controller, record.pid) == ("here", 7)


@pytest.mark.parametrize("state", ["present", "absent", "settled", "undone"])
def test_check_mode_writes_nothing(host: FakeMxHost, tmp_path: Path, state: str) -> None:
    outcome = trust(params(state, hosts=MX), host.postfix(), True)
    assert outcome.changed is (state == "present")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["main.cf", "master.cf"]


def test_nobody_to_trust_is_wrong(host: FakeMxHost) -> None:
    with pytest.raises(InvalidInput, match="there is no MX host to trust"):
        trust(params(), host.postfix(), False)


def test_mail_host_is_asked_from_where_the_module_runs(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    prober = FakeProber()
    prober.answers = {"": (554, "no")}
    monkeypatch.setattr(subject, "SmtpProber", lambda: prober)
    outcome = trust(params("probed"), host.postfix(), False)
    assert (outcome.changed, outcome.results["proof"]["proven"]) == (False, True)
