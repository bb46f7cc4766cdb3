# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import (
    read_host,
    read_parameters,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import Evidence, MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    HostState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost, FakeNetwork


def test_parameters_are_read_as_written_and_as_postfix_takes_them(tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path), "mine = x.example\nrelay_domains = $mine\n")
    state = read_parameters(host.postfix(), MapReader(host.postfix()))
    assert (state.installed, state.version) == (True, (3, 10, 13))
    assert (state.parameters["relay_domains"], state.value("relay_domains")) == ("$mine", "x.example")
    assert state.explicit == {"mine": "x.example", "relay_domains": "$mine"}
    assert [service.key for service in state.services] == ["smtp/inet", "relay/unix"]


def test_tables_of_restrictions_that_are_asked_for_are_read_before_main_cf_has_them(tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path))
    host.table("open", "spam.example OK\n")
    table = f"hash:{host.path('open')}"
    reader = MapReader(host.postfix())
    assert read_parameters(host.postfix(), reader).contents == {}
    wanted = f"check_sender_access {table}, reject_unauth_destination"
    assert read_parameters(host.postfix(), reader, wanted).contents == {table: reader.content(table)}


def test_table_that_another_table_names_is_read_too(tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path))
    host.table("inner", "x.example OK\n")
    inner = f"hash:{host.path('inner')}"
    host.table("outer", f"x.example check_sender_access {inner}\n")
    outer = f"hash:{host.path('outer')}"
    host.write("main.cf", f"smtpd_relay_restrictions = check_client_access {outer}, reject_unauth_destination\n")
    assert set(read_parameters(host.postfix(), MapReader(host.postfix())).contents) == {outer, inner}


@pytest.mark.parametrize(("state", "packages"), [("present", ["postfix"]), ("absent", [])])
def test_host_without_postfix_is_not_asked(tmp_path: Path, state: str, packages: list[str]) -> None:
    host = FakeMxHost(str(tmp_path))
    host.installed = False
    item = {"name": "x.example", "recipients_policy": "any", "state": state}
    read = read_host(host.postfix(), FakeNetwork(), read_request({"role": "secondary_mx", "domains": [item]}))
    assert read == Evidence(HostState(missing_packages=packages))
    assert host.commands == []


def test_host_is_read_for_the_declared_domains(tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path))
    host.table("transport", "x.example relay:[mail.example]\n")
    host.write(
        "main.cf",
        f"relay_domains = x.example\ntransport_maps = hash:{host.path('transport')}, static:smtp:[all]\n"
        "relay_recipient_maps = ldap:/l\n",
    )
    item = {"name": "x.example", "recipients_policy": "external", "probe_recipient": "a@x.example", "mail_host": "m"}
    request = read_request({"role": "primary_mx", "domains": [item]})
    network = FakeNetwork(lacking="python3-dnspython")
    network.names["m"] = ("192.0.2.1",)
    read = read_host(host.postfix(), network, request)
    state = read.state
    assert (read.refusals, read.missing_types) == ([], [])
    assert state.relayed == {"x.example": "x.example"}
    assert state.transport and state.transport.rows == {"x.example": "relay:[mail.example]"}
    assert state.captures["x.example"].member == "static:smtp:[all]"
    assert state.probed == {"a@x.example": False}
    assert (state.host_addresses, state.mx) == ({"m": ("192.0.2.1",)}, {})
    assert (state.service_active, state.service_enabled) == (True, True)
    assert state.dns_lacks == "python3-dnspython"
    assert state.notes == ["ldap:/l could not be asked (open ldap:/l: No such file or directory)"]
    assert read.reader is not None and read.reader.notes == state.notes
