# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import (
    read_host,
    read_parameters,
    read_strangers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import Evidence, MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.strangers import (
    ADDRESSES,
    RECIPIENTS,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    HostState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost, FakeNetwork


class Reader:
    """The tables of a host, each with its rows."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]]) -> None:
        self.tables = tables
        self.asked: list[str] = []

    def ask(self, table: str, keys: Sequence[str]) -> dict[str, str]:
        self.asked.append(table)
        return {key: value for key, value in self.tables[table].items() if key in keys}

    def values(self, table: str) -> list[str]:
        return list(self.tables[table].values())


@pytest.mark.parametrize(
    ("relay", "rows", "permitting"),
    [
        ("check_client_access cidr:/c, reject_unauth_destination", dict.fromkeys(ADDRESSES, "OK"), {"cidr:/c"}),
        ("check_client_access cidr:/c, reject_unauth_destination", {ADDRESSES[0]: "OK"}, set()),
        ("check_sender_access cidr:/c, reject_unauth_destination", {"boss@x.example": "OK"}, {"cidr:/c"}),
        ("check_sender_access cidr:/c, reject_unauth_destination", {"spam.example": "REJECT"}, set()),
        ("check_helo_access cidr:/c, reject_unauth_destination", {"mail.example": "OK"}, {"cidr:/c"}),
        ("check_recipient_access cidr:/c, reject_unauth_destination", {"x@x.example": "OK"}, set()),
        ("check_recipient_access cidr:/c, reject_unauth_destination", dict.fromkeys(RECIPIENTS, "OK"), {"cidr:/c"}),
        ("check_recipient_access cidr:/c, reject_unauth_destination", {RECIPIENTS[-1]: "permit"}, {"cidr:/c"}),
        ("check_recipient_access cidr:/c, reject_unauth_destination", dict.fromkeys(RECIPIENTS, "DUNNO"), set()),
        # Postfix itself takes no OK from it.
        ("check_reverse_client_hostname_access cidr:/c", dict.fromkeys(ADDRESSES, "OK"), set()),
    ],
)
def test_access_tables_that_permit_strangers_are_found(relay: str, rows: dict[str, str], permitting: set[str]) -> None:
    state = HostState(values={"smtpd_relay_restrictions": relay})
    assert read_strangers(state, Reader({"cidr:/c": rows})).permitting == permitting


def test_index_is_not_asked_for_recipients_that_it_can_not_list() -> None:
    reader = Reader({"hash:/v": {"x.example": "reject_unverified_recipient"}})
    read_strangers(HostState(values={"smtpd_recipient_restrictions": "check_recipient_access hash:/v"}), reader)
    assert reader.asked == []


def test_classes_that_permit_strangers_are_found_through_each_other() -> None:
    values = {
        "smtpd_restriction_classes": "outer inner shut",
        "outer": "inner",
        "inner": "permit",
        "shut": "reject_unauth_destination, permit",
    }
    state = HostState(values=values)
    assert read_strangers(state, Reader({})).permitting == {"outer", "inner"}


def test_networks_of_main_cf_and_of_overrides_are_read() -> None:
    smtp = Service("smtp", "inet", "n", "-", "y", "-", "-", "smtpd", {"mynetworks": "$mine"})
    state = HostState(values={"mynetworks": "cidr:/a", "mine": "cidr:/b"}, services=[smtp])
    tables = {"cidr:/a": {ADDRESSES[0]: "OK", "10.0.0.1": "OK"}, "cidr:/b": {}}
    assert read_strangers(state, Reader(tables)).network_answers == {"cidr:/a": {ADDRESSES[0]: "OK"}, "cidr:/b": {}}


def test_parameters_are_read_as_written_and_as_postfix_takes_them(tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path), "mine = x.example\nrelay_domains = $mine\n")
    state = read_parameters(host.postfix(), MapReader(host.postfix()))
    assert (state.installed, state.version) == (True, (3, 10, 13))
    assert (state.parameters["relay_domains"], state.value("relay_domains")) == ("$mine", "x.example")
    assert state.explicit == {"mine": "x.example", "relay_domains": "$mine"}
    assert [service.key for service in state.services] == ["smtp/inet", "relay/unix"]


def test_restrictions_that_are_asked_for_are_looked_at_before_main_cf_has_them(tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path))
    host.write("open", "spam.example OK\n")
    wanted = f"check_sender_access texthash:{host.path('open')}, reject_unauth_destination"
    reader = MapReader(host.postfix())
    assert read_parameters(host.postfix(), reader).permitting == frozenset()
    assert read_parameters(host.postfix(), reader, wanted).permitting == {f"texthash:{host.path('open')}"}


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
