# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources import postfix_tables
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.postfix_tables import TableLister
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.postfix_lists import ListedTable
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result, Take
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path))


def listed(host: FakeMxHost, name: str) -> ListedTable:
    return TableLister(host.postfix(), 60).table(name)


def test_table_is_what_its_index_has(host: FakeMxHost) -> None:
    host.table("virtual", "a@x.example b\n@y.example c\n")
    host.write("virtual", "new@x.example b\n")
    name = f"proxy:hash:{host.path('virtual')}"
    assert listed(host, name) == ListedTable(name, ["a@x.example", "@y.example"])


def test_keys_that_no_lookup_finds_are_left_out(host: FakeMxHost) -> None:
    host.write("aliases", "")
    Path(host.path("aliases.db")).write_text(
        "hash\nbob\tx\nYP_LAST_MODIFIED\t1\n\u00c4@x.example\ty\n", encoding="utf-8"
    )
    assert listed(host, f"hash:{host.path('aliases')}").keys == ["bob", "\u00c4@x.example"]


def test_texthash_is_its_source(host: FakeMxHost) -> None:
    host.write("relay", "A@x.example y\n")
    assert listed(host, f"texthash:{host.path('relay')}").keys == ["a@x.example"]


@pytest.mark.parametrize("name", ["static:x", "proxy:static:x", "randmap:{a,b}"])
def test_some_types_have_every_key(host: FakeMxHost, name: str) -> None:
    assert listed(host, name) == ListedTable(name, every=True)


@pytest.mark.parametrize(
    "name", ["regexp:/x", "pcre:/x", "ldap:/x", "proxy:mysql:/x", "sqlite:/x", "tcp:[::1]:1", "socketmap:x", "fail:x"]
)
def test_other_types_can_not_be_listed(host: FakeMxHost, name: str) -> None:
    assert listed(host, name) == ListedTable(name, problem="whose type can't be listed")
    assert host.commands == []


def test_table_without_an_index_can_not_be_listed(host: FakeMxHost) -> None:
    name = f"hash:{host.path('nothing')}"
    problem = f"which can't be listed (postmap: fatal: open {name}: No such file or directory)"
    assert listed(host, name) == ListedTable(name, problem=problem)


def test_fifo_is_not_opened(host: FakeMxHost) -> None:
    os.mkfifo(host.path("pipe"))
    name = f"texthash:{host.path('pipe')}"
    problem = f"which can't be listed ({host.path('pipe')} is not a regular file)"
    assert listed(host, name) == ListedTable(name, problem=problem)


def test_damaged_table_is_not_listed_for_ever(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float | None] = []

    def killed(_argv: Sequence[str], take: Take, seconds: float | None = None) -> Result:
        given.append(seconds)
        take(b"a@x.example\tb\n")
        return Result(-9, "", "")

    monkeypatch.setattr(host, "stream", killed)
    found = TableLister(host.postfix(), 7).table("btree:/x")
    assert found == ListedTable("btree:/x", problem="which can't be listed (postmap has not ended after 7 s)")
    assert given == [7]


def test_each_table_is_listed_once(host: FakeMxHost) -> None:
    host.table("virtual", "a@x.example b\n")
    host.commands.clear()
    lister = TableLister(host.postfix(), 60)
    name = f"hash:{host.path('virtual')}"
    assert lister.table(name).keys == lister.table(f"proxy:{name}").keys == ["a@x.example"]
    assert host.commands == [["postmap", "-s", name]]


def test_cdb_of_old_releases_is_asked_for_its_source(host: FakeMxHost) -> None:
    host.unlisted_types.add("cdb")
    host.write("relay", "a@x.example y\nb@x.example y\n")
    name = f"cdb:{host.path('relay')}"
    assert host.postfix().build(name).rc == 0
    assert listed(host, name) == ListedTable(name, ["a@x.example", "b@x.example"])
    host.write("relay", "a@x.example y\n")
    problem = "which can't be listed, and has other entries than its source"
    assert listed(host, name) == ListedTable(name, problem=problem)
    os.unlink(host.path("relay.cdb"))
    assert listed(host, name).problem == problem


def users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, services: str) -> ListedTable:
    path = tmp_path / "nsswitch.conf"
    path.write_text(f"passwd: {services}\n")
    monkeypatch.setattr(postfix_tables, "NAME_SERVICES", str(path))
    monkeypatch.setattr(postfix_tables, "SERVICE_FILES", {"sss": (str(tmp_path / "no"), str(tmp_path / "*.d/*.conf"))})
    monkeypatch.setattr(pwd, "getpwall", lambda: [SimpleNamespace(pw_name=name) for name in ("root", "Bob", "ann")])
    return listed(FakeMxHost(str(tmp_path)), "proxy:unix:passwd.byname")


def test_users_of_the_host_are_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    expected = ListedTable("proxy:unix:passwd.byname", ["root", "ann"])
    assert users(monkeypatch, tmp_path, "files systemd sss") == expected


def test_users_of_a_directory_are_not_all_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.conf").touch()
    problem = "whose users of sss and ldap can't be listed"
    expected = ListedTable("proxy:unix:passwd.byname", ["root", "ann"], problem=problem)
    assert users(monkeypatch, tmp_path, "files sss ldap") == expected


def test_groups_are_listed(host: FakeMxHost) -> None:
    assert "root" in listed(host, "unix:group.byname").keys
