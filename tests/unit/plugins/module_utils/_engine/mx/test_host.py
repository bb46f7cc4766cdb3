# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Mapping, Sequence

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host_tables import read_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import read_reach
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import read_settings
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
