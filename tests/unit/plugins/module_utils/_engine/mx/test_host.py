# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Mapping, Sequence

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_strangers
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host_tables import read_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import read_reach
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import read_settings
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.strangers import (
    ADDRESSES,
    RECIPIENTS,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    HostState,
    MxRecord,
    TableState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost


class Network:
    """The network port: knows one address, and notes whose exchangers are asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def own_addresses(self) -> frozenset[str]:
        return frozenset({"192.0.2.9"})

    def addresses(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        return {name: ("198.51.100.5",) for name in names if name == "mail.example"}

    def exchangers(self, domains: Iterable[str]) -> dict[str, tuple[MxRecord, ...]]:
        self.asked = list(domains)
        return {}

    def lacks(self) -> str:
        return ""


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
    ("rows", "asked"),
    [
        ({}, []),
        ({"x.example": "relay:"}, []),
        ({"x.example": "relay:[mail.example]"}, ["x.example"]),
    ],
)
def test_secondary_that_loses_its_transport_row_is_looked_up_first(rows: dict[str, str], asked: list[str]) -> None:
    state = HostState(relayed={"x.example": "x.example"}, transport=TableState("hash:/t", "/t", "hash", rows=rows))
    network = Network()
    request = read_request({"role": "secondary_mx", "domains": [{"name": "x.example", "recipients_policy": "any"}]})
    read_reach(network, request, state)
    assert network.asked == asked


@pytest.mark.parametrize(("mail_host", "asked"), [("mail.example", []), ("typo.example", ["typo.example"])])
def test_mail_host_without_address_is_looked_up_in_dns(mail_host: str, asked: list[str]) -> None:
    network = Network()
    item = {"name": "x.example", "recipients_policy": "any", "mail_host": mail_host}
    read_reach(network, read_request({"role": "primary_mx", "domains": [item]}), HostState())
    assert network.asked == asked


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


@pytest.mark.parametrize(("manage", "missing", "refused"), [(True, "lmdb", ""), (False, "", "table")])
def test_type_whose_package_is_missing_is_no_reason_against_a_table_that_is_there(
    tmp_path: pathlib.Path, manage: bool, missing: str, refused: str
) -> None:
    (tmp_path / "relay_recipients").write_text("a@x.example x\n")
    fake = FakeHost(str(tmp_path))
    fake.parameters["relay_recipient_maps"] = f"hash:{tmp_path}/relay_recipients"
    fake.broken_types = {"lmdb"}
    postfix = fake.postfix()
    request = read_request({"role": "secondary_mx", "table_type": "lmdb", "manage_package": manage})
    settings = read_settings(postfix, ["relay_recipient_maps"])
    read = read_table(postfix, request, settings, "relay_recipient_maps", "relay_recipients")
    assert read.table is None
    assert read.missing_type == missing
    assert (read.refusal.check if read.refusal else "") == refused
