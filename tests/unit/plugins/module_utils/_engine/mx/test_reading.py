# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import (
    STRANGERS,
    MapReader,
    named_files,
    text_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import NoAnswer
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import Content
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    host = FakeMxHost(str(tmp_path))
    host.table("domains", "x.example one\ny.example two words\n")
    return host


def test_table_is_asked_once_for_all_keys(host: FakeMxHost) -> None:
    reader, table = MapReader(host.postfix()), f"hash:{host.path('domains')}"
    host.commands.clear()
    assert reader.ask(table, ["x.example", "z.example", "y.example"]) == {
        "x.example": "one",
        "y.example": "two words",
    }
    assert host.commands == [["postmap", "-q", "-", table]]
    assert (reader.ask(table, []), reader.notes) == ({}, [])
    assert len(host.commands) == 1


def test_table_is_listed_once_whatever_is_wanted_of_it(host: FakeMxHost) -> None:
    reader, table = MapReader(host.postfix()), f"hash:{host.path('domains')}"
    host.commands.clear()
    assert reader.keys(table) == ["x.example", "y.example"]
    assert reader.results(f"proxy:{table}") == ["one", "two words"]
    assert reader.content(table) == Content((("x.example", "one"), ("y.example", "two words")))
    assert host.commands == [["postmap", "-s", table]]


def test_table_that_never_answers_is_asked_once_and_noted(host: FakeMxHost) -> None:
    host.unanswered = {"ldap:/l"}
    reader = MapReader(host.postfix())
    host.commands.clear()
    assert [reader.ask("ldap:/l", [key]) for key in ("a", "b")] == [{}, {}]
    assert host.commands == [["postmap", "-q", "-", "ldap:/l"]]
    assert reader.notes == [
        "ldap:/l could not be asked (postmap got no answer within 60 s; "
        "see in the mail log which daemon of Postfix fails)"
    ]


def test_table_that_fails_is_noted_once_with_postfixs_words(host: FakeMxHost) -> None:
    reader = MapReader(host.postfix())
    assert [reader.ask("ldap:/l", [key]) for key in ("a", "b")] == [{}, {}]
    assert reader.notes == ["ldap:/l could not be asked (open ldap:/l: No such file or directory)"]


@pytest.mark.parametrize("name", ["domains", "domains.db"])
def test_table_whose_file_is_a_fifo_is_noted_and_not_waited_for(host: FakeMxHost, name: str) -> None:
    Path(host.path(name)).unlink()
    os.mkfifo(host.path(name))
    reader, table = MapReader(host.postfix()), f"hash:{host.path('domains')}"
    host.commands.clear()
    assert (reader.ask(table, ["x.example"]), reader.keys(f"{table}"), host.commands) == ({}, None, [])
    assert reader.notes == [f"{table} could not be asked ({host.path(name)} is not a regular file)"]


def test_table_that_is_never_listed_to_its_end_is_noted(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_self: Postfix, _table: str) -> Result:
        raise NoAnswer("postmap got no answer")

    monkeypatch.setattr(Postfix, "dump", silent)
    reader, table = MapReader(host.postfix()), f"hash:{host.path('domains')}"
    assert (reader.keys(table), reader.notes) == (None, [f"{table} could not be asked (postmap got no answer)"])


def test_keys_that_are_not_utf_8_are_asked_for(host: FakeMxHost) -> None:
    odd = b"\xe9.example".decode("utf-8", "surrogateescape")
    assert MapReader(host.postfix()).ask("static:found", [odd]) == {odd: "found"}


def test_source_is_read_once_and_is_empty_if_it_is_not_there(host: FakeMxHost) -> None:
    reader = MapReader(host.postfix())
    assert reader.source(host.path("nowhere")).entries == []
    assert reader.rows("hash", host.path("domains"), True) == {"x.example": "one", "y.example": "two words"}
    host.write("domains", "changed.example x\n")
    assert [entry.key for entry in reader.source(host.path("domains")).entries] == ["x.example", "y.example"]


def test_patterns_are_rows_too(host: FakeMxHost) -> None:
    host.write("patterns", "/^a@x\\.example$/ OK\n")
    reader, path = MapReader(host.postfix()), host.path("patterns")
    assert reader.rows("regexp", path, True) == {"/^a@x\\.example$/": "OK"}
    assert reader.content(f"regexp:{path}").entries == (("/^a@x\\.example$/", "OK"),)
    assert reader.keys(f"regexp:{path}") is None
    assert reader.rows("regexp", host.path("nowhere"), True) == {}


def test_keys_and_content_are_those_of_the_index(host: FakeMxHost) -> None:
    reader, table = MapReader(host.postfix()), f"hash:{host.path('domains')}"
    host.write("domains", "not.indexed.example x\n")
    assert reader.keys(table) == ["x.example", "y.example"]
    assert reader.content(f"proxy:{table}") == Content((("x.example", "one"), ("y.example", "two words")))


@pytest.mark.parametrize("table", ["hash:/nowhere", "ldap:/l", "static:x"])
def test_table_that_can_not_be_listed_has_no_known_keys(host: FakeMxHost, table: str) -> None:
    reader = MapReader(host.postfix())
    assert (reader.keys(table), reader.content(table).entries) == (None, None)


def test_file_that_is_not_there_has_no_text(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"caf\xe9\n")
    assert text_of(str(tmp_path / "there")) == "caf\udce9\n"
    assert text_of(str(tmp_path / "nowhere")) == ""


def test_files_among_the_members_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x.example\n")
    a, nowhere = str(tmp_path / "a"), str(tmp_path / "nowhere")
    assert named_files(["y.example", f"!{a}", f"hash:{a}", nowhere]) == {a: "x.example\n"}


def test_table_that_only_answers_is_asked_for_keys_of_nobodys(host: FakeMxHost) -> None:
    answers = MapReader(host.postfix()).content("static:OK").answers
    domain, address, *clients = answers
    assert address.endswith(f"@{domain}") and domain.endswith(".example")
    assert clients == list(STRANGERS)
    assert set(answers.values()) == {"OK"}


def test_networks_are_listed_and_no_client_is_asked_for(host: FakeMxHost) -> None:
    host.write("clients", "10.0.0.0/8 OK\n")
    host.commands.clear()
    assert MapReader(host.postfix()).content(f"cidr:{host.path('clients')}") == Content((("10.0.0.0/8", "OK"),))
    assert host.commands == []


def test_file_of_patterns_holds_its_words(host: FakeMxHost) -> None:
    host.write("networks", "# ours\n10.0.0.0/8, !10.1.0.0/16\n\n192.0.2.1\n")
    assert MapReader(host.postfix()).content(host.path("networks")) == Content(
        (("10.0.0.0/8", ""), ("!10.1.0.0/16", ""), ("192.0.2.1", ""))
    )


@pytest.mark.parametrize(
    ("table", "results"),
    [
        ("static:HOLD", ["HOLD"]),
        ("static:{HOLD}", ["HOLD"]),
        ("proxy:static:{ HOLD }", ["HOLD"]),
        ("randmap:{OK,HOLD}", ["OK", "HOLD"]),
        ("ldap:/l", None),
    ],
)
def test_results_of_a_table_that_has_no_file(host: FakeMxHost, table: str, results: list[str] | None) -> None:
    host.commands.clear()
    assert MapReader(host.postfix()).results(table) == results
    assert host.commands == []


def test_local_reader_asks_no_server(host: FakeMxHost) -> None:
    reader, table = MapReader(host.postfix(), local=True), f"hash:{host.path('domains')}"
    host.commands.clear()
    assert reader.ask("proxy:ldap:/l", ["x.example"]) == {}
    assert reader.ask(table, ["x.example"]) == {"x.example": "one"}
    assert host.commands == [["postmap", "-q", "-", table]]
    assert (reader.notes, reader.problems) == ([], {})
