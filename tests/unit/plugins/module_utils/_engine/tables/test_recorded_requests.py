# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request that is known to find nothing to change is not made; whatever else touches the files, it is made again."""

from __future__ import annotations

import grp
import os
import pathlib
import pwd
from collections.abc import Callable
from dataclasses import replace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import plan as planning
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.change import change_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import (
    TableOptions,
    TablePlan,
    TableRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import TableReference
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost, contents

OPTIONS = TableOptions(new_owner=pwd.getpwuid(os.geteuid()).pw_name, new_group=grp.getgrgid(os.getegid()).gr_name)
ALICE = Edits(set={"alice@x.example": "x"}, owned=("x.example",))


class Unknown(Exception):
    """The request had to be made."""


def by_name_alone() -> Edits:
    raise Unknown


class Subject:
    """One table of the fake host."""

    def __init__(self, tmp_path: pathlib.Path) -> None:
        self.host = FakeHost(str(tmp_path))
        self.path = tmp_path / "table"
        self.index = tmp_path / "table.db"
        self.record = tmp_path / ".table.mxrelay"

    def change(self, edits: Edits | None = None, name: str = "one", check_mode: bool = False) -> TablePlan:
        made = by_name_alone if edits is None else lambda: edits
        reference = TableReference("hash", str(self.path))
        return change_table(self.host.postfix(), reference, TableRequest(made, name), OPTIONS, check_mode)[0]


@pytest.fixture(name="table")
def fixture_table(tmp_path: pathlib.Path) -> Subject:
    return Subject(tmp_path)


def test_known_request_is_not_made_and_touches_nothing(table: Subject) -> None:
    table.change(ALICE)
    before = contents(table.host.config_directory)
    plan = table.change()
    assert (plan.changed, plan.total, plan.added, plan.removed) == (False, 1, [], [])
    assert contents(table.host.config_directory) == before


@pytest.mark.parametrize(
    "touch",
    [
        lambda table: table.path.write_bytes(b"bob@x.example x\n"),
        lambda table: table.path.write_bytes(b"alice@x.example y\n"),
        lambda table: table.path.unlink(),
        lambda table: table.index.write_bytes(b"hash\n"),
        lambda table: table.index.unlink(),
        lambda table: table.record.unlink(),
        lambda table: table.record.chmod(0o644),
        lambda table: table.record.write_text("[]"),
        lambda table: table.host.parameters.update(smtputf8_enable="no"),
    ],
)
def test_files_that_were_touched_make_every_request_unknown(table: Subject, touch: Callable[[Subject], None]) -> None:
    table.change(ALICE)
    touch(table)
    with pytest.raises(Unknown):
        table.change()
    times = table.path.stat().st_mtime_ns if table.path.exists() else 0
    if table.path.exists():
        os.utime(table.path, ns=(times, times))
    with pytest.raises(Unknown):
        table.change()


def test_other_or_nameless_request_is_made(table: Subject) -> None:
    table.change(ALICE, name="")
    for name in ("", "one"):
        with pytest.raises(Unknown):
            table.change(name=name)
    table.change(ALICE, name="one")
    with pytest.raises(Unknown):
        table.change(name="two")


def test_request_of_another_table_state_is_forgotten_with_it(table: Subject) -> None:
    table.change(ALICE, "one")
    table.change(Edits(set={"bob@y.example": "x"}), "two")
    assert not table.change(name="two").changed
    with pytest.raises(Unknown):
        table.change(name="one")


def test_metadata_is_mended_where_the_request_is_known(table: Subject) -> None:
    table.change(ALICE)
    table.path.chmod(0o666)
    options = replace(OPTIONS, mode="0600")
    reference = TableReference("hash", str(table.path))
    postfix = table.host.postfix()
    assert change_table(postfix, reference, TableRequest(by_name_alone, "one"), options, False)[0].changed
    assert [oct(path.stat().st_mode & 0o777) for path in (table.path, table.index)] == ["0o600", "0o600"]


def test_request_is_unknown_while_a_reload_is_owed(table: Subject) -> None:
    table.change(ALICE)
    table.index.unlink()
    table.host.reload_fails = True
    with pytest.raises(HostError):
        table.change(ALICE)
    with pytest.raises(Unknown):
        table.change()
    table.host.reload_fails = False
    assert table.change(ALICE).changed
    assert not table.change().changed


def test_request_with_something_to_tell_is_made_in_every_run(table: Subject) -> None:
    table.path.write_bytes(b"lonely\n")
    assert table.change(ALICE).warnings
    with pytest.raises(Unknown):
        table.change()
    told = replace(ALICE, set={**ALICE.set, "bob@x.example": "x"}, warnings=["mail never names b"])
    table.path.unlink()
    table.index.unlink()
    assert table.change(told, "two").warnings == ["mail never names b"]
    with pytest.raises(Unknown):
        table.change(name="two")


def test_unchanged_run_notes_its_request_for_a_long_table_only(table: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    table.change(ALICE, "one")
    before = contents(table.host.config_directory)
    assert not table.change(ALICE, "two").changed
    assert contents(table.host.config_directory) == before
    monkeypatch.setattr(planning, "RECORDED_BYTES", 1)
    assert not table.change(ALICE, "two", check_mode=True).changed
    assert contents(table.host.config_directory) == before
    assert not table.change(ALICE, "two").changed
    noted = contents(table.host.config_directory)
    assert noted.pop(".table.mxrelay") != before.pop(".table.mxrelay")
    assert noted == before
    before = contents(table.host.config_directory)
    assert not table.change(name="one").changed
    assert not table.change(name="two").changed
    assert not table.change(ALICE, "two").changed
    assert contents(table.host.config_directory) == before


def test_the_last_requests_are_remembered(table: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "RECORDED_BYTES", 1)
    for number in range(planning.RECORDED_REQUESTS + 1):
        table.change(ALICE, str(number))
    assert not table.change(name="1").changed
    with pytest.raises(Unknown):
        table.change(name="0")
