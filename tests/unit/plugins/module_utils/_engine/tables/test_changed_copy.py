# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import pathlib
from collections.abc import Callable

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import changed_copy as copies
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.changed_copy import ChangedRows
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TablePlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import ReadBack, Rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._engine.tables.table_on_host import (
    TableOnHost,
    index_rows,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost, contents

ROWS = 40
MANY = {f"user{number:02}@x.example": "x" for number in range(ROWS)}
# An entry more, one with another value, and one that goes.
CHANGE = Edits(set={"New@x.example": "x", "user02@x.example": "y"}, remove=["user01@x.example"])


def filled(table: TableOnHost) -> list[str]:
    """The table has many rows; returns those that it has after CHANGE."""
    table.change(Edits(set=MANY))
    rows = {**MANY, "user02@x.example": "y", "new@x.example": "x"}
    del rows["user01@x.example"]
    return sorted(f"{key}\t{value}" for key, value in rows.items())


def said_to_postmap(host: FakeHost) -> list[list[str]]:
    """What postmap was told to do with the table that is made, the path of which is left out."""
    told = [command for command in host.commands if command[0] == "postmap" and "mxrelay-table-" in command[-1]]
    return [[*command[1:-1], command[-1].partition(":")[0]] for command in told]


def changed_as(table: TableOnHost, wanted: list[str], plan: TablePlan) -> None:
    """The change was made, in whatever way, and leaves nothing to do."""
    assert (plan.changed, plan.index_rebuilt) == (True, True)
    assert sorted(index_rows(table)) == wanted
    assert sorted(path.name for path in table.path.parent.iterdir()) == sorted(
        [".table.mxrelay", "table", table.index.name]
    )
    assert not table.change(CHANGE).changed


def test_few_rows_are_changed_in_a_copy_of_the_index(host: FakeHost, table: TableOnHost) -> None:
    wanted = filled(table)
    table.index.chmod(0o604)
    inode = table.index.stat().st_ino
    plan = table.change(CHANGE)
    assert said_to_postmap(host) == [["-r", "-i", "hash"], ["-d", "-", "hash"], ["-q", "-", "hash"]]
    assert table.index.stat().st_ino != inode
    assert oct(table.index.stat().st_mode & 0o777) == "0o604"
    assert table.path.stat().st_mtime_ns <= table.index.stat().st_mtime_ns
    changed_as(table, wanted, plan)


def test_index_of_others_that_holds_what_their_source_says_is_copied_too(host: FakeHost, table: TableOnHost) -> None:
    table.written("".join(f"{key} x\n" for key in MANY).encode())
    table.change(Edits(set={"new@x.example": "x"}))
    assert said_to_postmap(host) == [["-r", "-i", "hash"], ["-q", "-", "hash"]]
    table.change(Edits(remove=["new@x.example"]))
    assert said_to_postmap(host) == [["-d", "-", "hash"], ["-q", "-", "hash"]]
    assert sorted(index_rows(table)) == sorted(f"{key}\tx" for key in MANY)


def test_index_is_copied_if_the_source_says_the_same_in_other_words(host: FakeHost, table: TableOnHost) -> None:
    table.change(Edits(set=MANY))
    with table.path.open("ab") as stream:
        stream.write(b"USER01@x.example y\n")
    assert table.change(Edits(set={"user01@x.example": "x"})).source_changed
    assert said_to_postmap(host) == [["-q", "-", "hash"]]
    assert sorted(index_rows(table)) == sorted(f"{key}\tx" for key in MANY)


@pytest.mark.parametrize(
    ("kind", "rows", "changes", "few"),
    [
        (".db", 40, 4, True),
        (".db", 40, 5, False),
        (".lmdb", 4000, 2, True),
        (".lmdb", 4000, 3, False),
        (".cdb", 1_000_000, 1, False),
        (".cdb", 10, 0, False),
        (".db", 0, 0, True),
    ],
)
def test_rows_are_few_where_a_build_takes_longer(kind: str, rows: int, changes: int, few: bool) -> None:
    removed = [str(number) for number in range(1, changes)]
    assert ChangedRows("", {"a": "x"} if changes else {}, removed).fit(kind, rows) is few


@pytest.mark.parametrize("table_type", ["hash", "cdb"])
def test_many_rows_and_those_of_a_type_without_changes_are_built(host: FakeHost, table_type: str) -> None:
    table = TableOnHost(host, table_type)
    table.change(Edits(set=MANY))
    number = 5 if table_type == "hash" else 1
    plan = table.change(Edits(remove=list(MANY)[:number]))
    assert said_to_postmap(host) == [[table_type], ["-s", table_type]]
    assert (plan.changed, len(index_rows(table))) == (True, ROWS - number)


def fails(host: FakeHost, _patch: pytest.MonkeyPatch) -> None:
    host.edit_code = 1


def forgets(host: FakeHost, _patch: pytest.MonkeyPatch) -> None:
    host.forgets_edits = True


def is_slow(host: FakeHost, _patch: pytest.MonkeyPatch) -> None:
    host.edit_seconds = 11


def does_not_answer(_host: FakeHost, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(copies, "asked", lambda *_arguments: None)


def is_written_meanwhile(_host: FakeHost, patch: pytest.MonkeyPatch) -> None:
    copy = copies.shutil.copyfile

    def torn(source: str, target: str) -> None:
        copy(source, target)
        with open(target, "ab") as stream:
            stream.write(b"user99@x.example\tx\n")

    patch.setattr(copies.shutil, "copyfile", torn)


def has_no_room_for_the_copy(_host: FakeHost, patch: pytest.MonkeyPatch) -> None:
    def full(_source: str, target: str) -> None:
        pathlib.Path(target).write_text("hash\nuser0")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)

    patch.setattr(copies.shutil, "copyfile", full)


def cannot_be_read(_host: FakeHost, patch: pytest.MonkeyPatch) -> None:
    """A bad block in the live index; nothing of the copy is there."""

    def bad(source: str, _target: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), source)

    patch.setattr(copies.shutil, "copyfile", bad)


TROUBLES = [
    fails,
    forgets,
    is_slow,
    does_not_answer,
    is_written_meanwhile,
    has_no_room_for_the_copy,
    cannot_be_read,
]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_copy_is_given_up_at_anything_odd_and_the_index_is_built(
    host: FakeHost,
    table: TableOnHost,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[[FakeHost, pytest.MonkeyPatch], None],
) -> None:
    wanted = filled(table)
    trouble(host, monkeypatch)
    plan = table.change(CHANGE)
    assert said_to_postmap(host)[-2:] == [["hash"], ["-s", "hash"]]
    changed_as(table, wanted, plan)


def test_where_there_is_no_room_for_a_build_either_its_error_counts(
    host: FakeHost, table: TableOnHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(table)
    has_no_room_for_the_copy(host, monkeypatch)
    host.loses_rows_in = "mxrelay-table-"
    before = contents(host.config_directory)
    with pytest.raises(HostError, match=r"the index that postmap built does not match .*; the table is as it was"):
        table.change(CHANGE)
    assert contents(host.config_directory) == before


def test_entry_that_stays_is_asked_for_before_those_that_change(
    table: TableOnHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So keys that others wrote in another form than postmap does now are seen."""
    filled(table)
    asked: list[bytes] = []
    ask = copies.asked

    def noted(postfix: copies.Postfix, name: str, keys: bytes, expected: Rows) -> ReadBack | None:
        asked.append(keys)
        return ask(postfix, name, keys, expected)

    monkeypatch.setattr(copies, "asked", noted)
    table.change(CHANGE)
    first, *others = asked[0].decode().split()
    assert first in MANY and first not in ("user01@x.example", "user02@x.example")
    assert sorted(others) == ["new@x.example", "user01@x.example", "user02@x.example"]


def test_change_that_takes_no_longer_than_a_build_is_waited_for(host: FakeHost, table: TableOnHost) -> None:
    wanted = filled(table)
    host.edit_seconds = 10
    plan = table.change(CHANGE)
    assert said_to_postmap(host) == [["-r", "-i", "hash"], ["-d", "-", "hash"], ["-q", "-", "hash"]]
    changed_as(table, wanted, plan)


@pytest.mark.parametrize(("length", "seconds"), [(0, 10), (4 << 20, 11), (60 << 20, 25)])
def test_longer_index_may_take_longer_to_change(length: int, seconds: float) -> None:
    assert copies.seconds_for(length) == seconds


@pytest.mark.parametrize("trouble", [fails, is_slow])
def test_failed_removal_gives_the_copy_up(
    host: FakeHost,
    table: TableOnHost,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[[FakeHost, pytest.MonkeyPatch], None],
) -> None:
    table.change(Edits(set=MANY))
    trouble(host, monkeypatch)
    table.change(Edits(remove=["user01@x.example"]))
    assert said_to_postmap(host) == [["-d", "-", "hash"], ["hash"], ["-s", "hash"]]
    assert len(index_rows(table)) == ROWS - 1


@pytest.mark.parametrize("damage", ["other rows", "none"])
def test_index_that_is_not_known_to_be_right_is_never_copied(host: FakeHost, table: TableOnHost, damage: str) -> None:
    wanted = filled(table)
    table.index.write_text("hash\nuser01@x.example\tx\n") if damage == "other rows" else table.index.unlink()
    plan = table.change(CHANGE)
    assert said_to_postmap(host) == [["hash"], ["-s", "hash"]]
    changed_as(table, wanted, plan)


def test_index_is_built_again_after_many_copies(
    host: FakeHost, table: TableOnHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "MOST_COPIES", 2)
    table.change(Edits(set=MANY))
    ways = []
    for number in range(6):
        table.change(Edits(set={f"new{number}@x.example": "x"}))
        ways.append(["hash"] in said_to_postmap(host))
        assert not table.change(Edits()).changed
    assert ways == [False, False, True, False, False, True]
    assert len(index_rows(table)) == ROWS + 6


def test_old_index_has_no_name_left(table: TableOnHost) -> None:
    """A link to it would keep daemons from noticing that it was replaced."""
    filled(table)
    with table.index.open("rb") as stream:
        table.change(CHANGE)
        assert os.fstat(stream.fileno()).st_nlink == 0
