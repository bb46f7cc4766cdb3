# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import calendar
import os
import time
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.list_evidence import (
    ListsRead,
    read_list_evidence,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lists import ListEvidence, SourceEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.followed import (
    FollowedDomain,
    FollowedSource,
    dump,
    followed_path,
)

NOW = calendar.timegm(time.strptime("2026-11-28T23:30:00Z", "%Y-%m-%dT%H:%M:%SZ")) + 0.9
READ = FollowedSource("staff", "ldap", "localhost", "2026-11-28T23:29:00Z", 2, "d1")
FOLLOWED = FollowedDomain("x.example", (READ,), "2026-11-28T23:29:30Z", "", ("Gone@x.example",))
FOUND = ListEvidence(
    (SourceEvidence("staff", "ldap", "localhost", "2026-11-28T23:29:00Z", 60, 2),),
    "2026-11-28T23:29:30Z",
    30,
    vanished=("gone@x.example",),
    max_age="2d",
)

WRITTEN = dump({"x.example": FOLLOWED})


def write(table: Path, *domains: FollowedDomain, mode: int = 0o600) -> Path:
    path = Path(followed_path(str(table)))
    path.write_text(dump({domain.name: domain for domain in domains}), encoding="utf-8")
    path.chmod(mode)
    return path


def read(*tables: Path, show_recipients: bool = False) -> ListsRead:
    maps = ", ".join(f"proxy:hash:{table}" for table in tables)
    return read_list_evidence(HostState(values={"relay_recipient_maps": maps}), "2d", show_recipients, NOW)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "relay_recipients"


def test_record_is_read_with_ages(table: Path) -> None:
    write(table, FOLLOWED)
    found = read(table)
    assert (found.lists, found.problems) == ({"x.example": FOUND}, {})
    assert (found.of("x.example"), found.of("y.example")) == (FOUND, None)


def test_table_without_a_record_follows_nothing(table: Path) -> None:
    assert read(table) == ListsRead()
    write(table)
    assert read(table) == ListsRead()
    assert read() == ListsRead()


def test_tables_of_other_types_and_those_that_main_cf_does_not_name_are_not_looked_at(table: Path) -> None:
    write(table, FOLLOWED)
    state = HostState(values={"relay_recipient_maps": f"regexp:{table}, ldap:/etc/postfix/l"})
    assert read_list_evidence(state, "1d") == ListsRead()


def test_of_two_tables_with_a_domain_the_first_counts(tmp_path: Path) -> None:
    write(tmp_path / "a", FollowedDomain("x.example", kept="first"))
    write(tmp_path / "b", FollowedDomain("x.example", kept="second"), FollowedDomain("y.example", kept="other"))
    found = read(tmp_path / "a", tmp_path / "b")
    assert {name: evidence.kept for name, evidence in found.lists.items()} == {
        "x.example": "first",
        "y.example": "other",
    }


def test_domain_is_found_in_each_of_its_spellings(table: Path) -> None:
    write(table, FollowedDomain("Bücher.example", kept="why"))
    for name in ("bücher.example", "xn--bcher-kva.example"):
        evidence = read(table).of(name)
        assert evidence is not None and evidence.kept == "why"


def test_failed_source_and_kept_list_are_read(table: Path) -> None:
    failed = FollowedSource("staff", "ldap", "localhost", "", 0, "", "2026-11-28T23:00:00Z", "no\n  answer")
    write(table, FollowedDomain("x.example", (failed,), "", "its source\nfailed"))
    evidence = read(table).of("x.example")
    source = SourceEvidence("staff", "ldap", "localhost", "", None, 0, "2026-11-28T23:00:00Z", "no answer")
    assert evidence == ListEvidence((source,), "", None, "its source failed", max_age="2d")


@pytest.mark.parametrize(("shown", "name"), [(False, "[a recipient]"), (True, "bob@x.example")])
def test_reason_names_nobody_unless_people_may_be_named(table: Path, shown: bool, name: str) -> None:
    failed = FollowedSource("staff", "file", "localhost", problem='line 3: "bob@x.example" is cut')
    write(table, FollowedDomain("x.example", (failed,), kept="bob@x.example would go"))
    evidence = read(table, show_recipients=shown).of("x.example")
    assert evidence is not None
    assert (evidence.sources[0].problem, evidence.kept) == (f'line 3: "{name}" is cut', f"{name} would go")


def test_time_to_come_is_now(table: Path) -> None:
    write(table, FollowedDomain("x.example", listed_at="2026-11-29T23:30:00Z"))
    evidence = read(table).of("x.example")
    assert evidence is not None and evidence.age == 0


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]\n",
        WRITTEN.replace('"version": 1', '"version": 99'),
        WRITTEN.replace("2026-11-28T23:29:30Z", "yesterday"),
        WRITTEN.replace('"2026-11-28T23:29:30Z"', "5"),
        WRITTEN.replace('"kept": ""', '"kept": null'),
        WRITTEN.replace("Gone@", "\ud800"),
    ],
)
def test_text_that_is_no_record_is_told(table: Path, text: str) -> None:
    path = write(table, FollowedDomain("x.example"))
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert read(table) == ListsRead(problems={f"hash:{table}": f"{path}: is not what this collection writes"})


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (0o644, "has mode 0644, which lets others in"),
        (0o620, "has mode 0620, which lets others in"),
    ],
)
def test_record_that_others_can_open_is_not_believed(table: Path, mode: int, why: str) -> None:
    path = write(table, FOLLOWED, mode=mode)
    assert read(table) == ListsRead(problems={f"hash:{table}": f"{path}: {why}"})


def test_record_of_somebody_else_is_not_believed(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(table, FOLLOWED)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    why = f"{path}: belongs to the user {owner}, not to root"
    assert read(table) == ListsRead(problems={f"hash:{table}": why})


def test_link_and_directory_in_place_of_the_record_are_told(tmp_path: Path, table: Path) -> None:
    path = write(table, FOLLOWED)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert read(table).problems == {f"hash:{table}": f"{path}: is a symbolic link"}
    path.unlink()
    path.mkdir()
    assert read(table).problems == {f"hash:{table}": f"{path}: is a directory, not a regular file; correct the path"}
