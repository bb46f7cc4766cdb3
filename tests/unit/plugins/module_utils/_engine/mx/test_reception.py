# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_parameters
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reception import Reception, read_reception
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Rules
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reception import HEADERS
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import (
    MASTER_CF,
    FakeMxHost,
    FakeNetwork,
)


@pytest.fixture
def host(tmp_path: Path) -> FakeMxHost:
    host = FakeMxHost(str(tmp_path))
    host.write("master.cf", MASTER_CF + "cleanup unix n - y - 0 cleanup\nsmtp unix - - y - - smtp\n")
    return host


def read(host: FakeMxHost, main_cf: str, network: FakeNetwork | None = None) -> Reception:
    host.write("main.cf", main_cf)
    state = read_parameters(host.postfix(), MapReader(host.postfix()))
    host.commands.clear()
    return read_reception(["x.example"], state, MapReader(host.postfix()), network or FakeNetwork())


def test_host_without_rules_is_asked_nothing(host: FakeMxHost) -> None:
    assert read(host, "") == Reception({}, {})
    assert host.commands == []


def test_table_is_listed_and_asked_in_one_command_each(host: FakeMxHost) -> None:
    host.table("parked", "x.example HOLD\ny.example DISCARD\n")
    table = f"hash:{host.path('parked')}"
    found = read(host, f"smtpd_recipient_restrictions = check_recipient_access {table}\n")
    assert found.rules == {table: Rules(["HOLD", "DISCARD"], {"x.example": "HOLD"})}
    assert [command[1] for command in host.commands] == ["-s", "-q"]


def test_patterns_are_read_from_their_file(host: FakeMxHost) -> None:
    host.write("headers", "/^Subject: x/ DISCARD\n/^X-/ DISCARD\n/^Y/ DUNNO\n")
    table = f"regexp:{host.path('headers')}"
    assert read(host, f"header_checks = {table}\n").rules[table].listed == ["DISCARD", "DUNNO"]
    assert read(host, f"smtp_header_checks = {table}\n").rules[table] == Rules(["DISCARD", "DUNNO"])
    assert read(host, "header_checks = regexp:/nowhere\n").rules["regexp:/nowhere"].listed is None


def test_one_result_for_everything(host: FakeMxHost) -> None:
    found = read(host, "header_checks = static:HOLD\n").rules["static:HOLD"]
    assert found == Rules(["HOLD"], dict.fromkeys(HEADERS, "HOLD"))


def test_type_that_can_not_be_listed(host: FakeMxHost) -> None:
    assert read(host, "header_checks = tcp:localhost:1\n").rules["tcp:localhost:1"].listed is None


def test_filters_are_asked_also_those_that_a_rule_names(host: FakeMxHost) -> None:
    network = FakeNetwork()
    network.failures["inet:127.0.0.1:1"] = "Connection refused"
    host.write("rules", "/x/ FILTER smtp:[127.0.0.1]:1\n")
    main_cf = f"header_checks = regexp:{host.path('rules')}\nsmtpd_milters = inet:localhost:2\n"
    assert read(host, main_cf, network).answering == {
        "inet:localhost:2": "",
        "inet:127.0.0.1:1": "Connection refused",
    }
