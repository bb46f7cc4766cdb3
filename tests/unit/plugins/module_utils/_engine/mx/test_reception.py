# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_parameters
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reception import (
    Reception,
    read_reception,
    with_new_rules,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Rules
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reception import (
    HEADERS,
    HOSTS,
    NAMES,
    STRANGER,
)
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


def test_table_that_a_run_names_is_read_and_no_other(host: FakeMxHost) -> None:
    host.write("main.cf", f"smtpd_sender_restrictions = check_sender_access regexp:{host.path('senders')}\n")
    for name in ("senders", "clients", "ours"):
        host.write(name, "/./ DISCARD\n")
    before = read_parameters(host.postfix(), MapReader(host.postfix()))
    before = before.having(read_reception(["x.example"], before, MapReader(host.postfix()), FakeNetwork()))
    clients, ours = (f"regexp:{host.path(name)}" for name in ("clients", "ours"))
    wanted = f"check_client_access {clients}, check_recipient_access {ours}, reject_unauth_destination"
    after = replace(before, values={**before.values, "smtpd_relay_restrictions": wanted})
    host.commands.clear()
    found = with_new_rules(["x.example"], after, before, [ours], MapReader(host.postfix()))
    assert found.rules == {**before.rules, clients: Rules(["DISCARD"], dict.fromkeys((*HOSTS, "unknown"), "DISCARD"))}
    assert with_new_rules(["x.example"], before, before, [ours], MapReader(host.postfix())) == before
    assert [command[0].endswith("postmap") for command in host.commands] == [True]


def test_table_that_is_asked_for_more_is_read_again(host: FakeMxHost) -> None:
    table = f"regexp:{host.path('rules')}"
    host.write("rules", "/./ HOLD\n")
    host.write("main.cf", f"smtpd_sender_restrictions = check_sender_access {table}\n")
    before = read_parameters(host.postfix(), MapReader(host.postfix()))
    before = before.having(read_reception(["x.example"], before, MapReader(host.postfix()), FakeNetwork()))
    after = replace(before, values={**before.values, "smtpd_helo_restrictions": f"check_helo_access {table}"})
    found = with_new_rules(["x.example"], after, before, [], MapReader(host.postfix()))
    assert set(found.rules[table].answers) == {STRANGER, *NAMES}
