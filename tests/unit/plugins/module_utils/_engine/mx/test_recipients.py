# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.recipients import random_letters, read_lookups
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lookups import NoAction, RecipientLookups
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

NAMES = ["x.example", "y.example"]


@pytest.fixture
def host(tmp_path: Path) -> FakeMxHost:
    host = FakeMxHost(str(tmp_path))
    host.table("ours", "postmaster@x.example x\na@x.example x\n@y.example x\n")
    return host


def read(
    host: FakeMxHost, ours: dict[str, str] | None = None, services: tuple[Service, ...] = (), **values: str
) -> RecipientLookups:
    state = HostState(version=(3, 10, 13), values=values, parameters=values, services=services)
    return read_lookups(NAMES, state, MapReader(host.postfix()), ours)


def test_local_part_of_nobody_is_letters_that_are_others_each_time() -> None:
    first, second = random_letters(), random_letters()
    assert first != second
    assert (first.isalpha(), first.islower(), len(first)) == (True, True, 16)


def test_table_of_recipients_that_is_alone_costs_no_command(host: FakeMxHost) -> None:
    ours = f"hash:{host.path('ours')}"
    found = read(host, {ours: "x.example"}, relay_recipient_maps=ours)
    assert (found.answers, found.listed, found.silent) == ({}, {}, {})
    assert [command for command in host.commands if "-q" in command] == []


def test_each_table_is_asked_once_about_all_domains_in_the_forms_that_postfix_asks_for(host: FakeMxHost) -> None:
    ours = f"hash:{host.path('ours')}"
    host.write("any", "/@x/ x\n")
    pattern = f"regexp:{host.path('any')}"
    found = read(host, relay_recipient_maps=f"{ours}, {pattern}, static:x", virtual_alias_maps="inline:{@y.example=z}")
    nobody = f"{found.nobody}@x.example"
    assert found.listed == {"x.example": "a@x.example"}
    assert found.answers[pattern] == {nobody: "x", "a@x.example": "x"}
    assert set(found.answers["static:x"]) == {
        nobody,
        f"{found.nobody}@y.example",
        "a@x.example",
        "@x.example",
        "@y.example",
    }
    assert found.answers["inline:{@y.example=z}"] == {"@y.example": "z"}
    assert found.answers[ours] == {"@y.example": "x"}
    assert len([command for command in host.commands if "-q" in command]) == 3


def test_rows_that_a_run_is_about_to_write_are_not_asked_for(host: FakeMxHost) -> None:
    ours = f"hash:{host.path('ours')}"
    found = read(host, {ours: ""}, relay_recipient_maps=f"proxy:{ours}, static:x")
    assert list(found.answers) == ["static:x"]


def test_wildcard_of_another_table_is_told_before_ours_is_there(host: FakeMxHost) -> None:
    other = f"hash:{host.path('ours')}"
    found = read(host, {"hash:/t/new": "x.example"}, relay_recipient_maps=other)
    assert found.answers == {other: {"@y.example": "x"}}


def test_tables_of_services_that_strangers_reach_are_asked_and_no_others(host: FakeMxHost) -> None:
    services = (
        Service("smtp", "inet", "n", "-", "y", "-", "-", "smtpd", {"relay_recipient_maps": "static:here"}),
        Service("127.0.0.1:10025", "inet", "n", "-", "y", "-", "-", "smtpd", {"relay_recipient_maps": "static:there"}),
        Service("cleanup", "unix", "n", "-", "y", "-", "0", "cleanup", {"virtual_alias_maps": "static:rewritten"}),
    )
    found = read(host, services=services, cleanup_service_name="cleanup")
    assert set(found.answers) == {"static:here", "static:rewritten"}


def test_index_that_a_service_alone_goes_by_is_asked(host: FakeMxHost) -> None:
    ours, other = f"hash:{host.path('ours')}", "hash:/t/lost"
    smtp = Service("smtp", "inet", "n", "-", "y", "-", "-", "smtpd", {"relay_recipient_maps": other})
    found = read(host, services=(smtp,), relay_recipient_maps=ours)
    assert set(found.silent) == {other}


def test_table_that_cannot_be_asked_is_told_with_the_reason(host: FakeMxHost) -> None:
    host.unanswered.add("tcp:here:1")
    found = read(host, relay_recipient_maps="tcp:here:1", virtual_alias_maps="hash:/t/lost")
    assert set(found.silent) == {"hash:/t/lost", "tcp:here:1"}
    assert "No such file" in found.silent["hash:/t/lost"]


def test_rows_of_rewriting_are_listed_by_the_domains_asked_about(host: FakeMxHost) -> None:
    host.table("virtual", "A@x.example b@z.example\n@x.example c@z.example\nd@z.example e@z.example\n")
    virtual = f"hash:{host.path('virtual')}"
    assert read(host, virtual_alias_maps=virtual).rewritten == {virtual: {"a@x.example": "b@z.example"}}


@pytest.mark.parametrize(
    ("rows", "ours", "expected"),
    [
        ("a@x.example OK\nb@x.example 550 gone\n@x.example x\n", "", None),
        ("a@x.example OK\nb@y.example x\n", "", NoAction("y.example", "x")),
        ("a@x.example OK\n", "x.example", NoAction("x.example", "x")),
    ],
)
def test_rows_without_an_action_are_told_of_a_table_that_is_asked_for_actions(
    host: FakeMxHost, rows: str, ours: str, expected: NoAction | None
) -> None:
    host.table("shared", rows)
    shared = f"hash:{host.path('shared')}"
    found = read(
        host,
        {shared: ours},
        relay_recipient_maps=shared,
        smtpd_recipient_restrictions=f"check_recipient_access proxy:{shared}",
    )
    assert found.no_actions == ({shared: expected} if expected else {})


def test_without_domains_nothing_is_asked(host: FakeMxHost) -> None:
    state = HostState(values={"relay_recipient_maps": "static:x"})
    assert read_lookups([], state, MapReader(host.postfix())) == RecipientLookups()
    assert [command for command in host.commands if "-q" in command] == []
