# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import pathlib
import tempfile
from unittest import mock

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._engine.tables.table_on_host import (
    TableOnHost,
    index_rows,
    out_of_space,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost, contents


@pytest.mark.parametrize("table_type", ["hash", "btree", "lmdb", "cdb"])
def test_new_table_is_built_private_and_readable_by_postfix(host: FakeHost, table_type: str) -> None:
    table = TableOnHost(host, table_type)
    before = os.umask(0o077)
    try:
        plan = table.change()
    finally:
        os.umask(before)
    assert (plan.state, plan.changed, plan.index_rebuilt) == ("missing", True, True)
    assert (plan.added, plan.removed, plan.updated, plan.total) == (["alice@x.example"], [], [], 1)
    assert table.path.read_bytes() == b"alice@x.example x\n"
    assert index_rows(table) == ["alice@x.example\tx"]
    assert [oct(path.stat().st_mode & 0o7777) for path in (table.path, table.index)] == ["0o640", "0o640"]
    assert oct(table.record.stat().st_mode & 0o7777) == "0o600"
    assert sorted(os.listdir(host.config_directory)) == sorted([".table.mxrelay", "table", table.index.name])


def test_index_is_never_older_than_its_source(table: TableOnHost) -> None:
    table.written(b"bob@x.example x\n")
    os.utime(table.path, ns=(0, 0))
    table.change()
    assert table.path.stat().st_mtime_ns <= table.index.stat().st_mtime_ns


def test_index_is_renamed_before_the_source(table: TableOnHost, monkeypatch: pytest.MonkeyPatch) -> None:
    table.change()
    moves = []
    replace = os.replace

    def noted(source: str, target: str) -> None:
        moves.append(os.path.basename(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", noted)
    table.change(Edits(set={"bob@x.example": "x"}))
    assert moves == [".table.mxrelay", "table.db", "table"]


@pytest.mark.parametrize("step", [1, 2, 3])
def test_run_that_dies_between_two_renames_is_finished_by_the_next(table: TableOnHost, step: int) -> None:
    table.written(b"bob@x.example x\n")
    table.change_dying_at(step)
    wanted = ["alice@x.example\tx", "bob@x.example\tx"]
    assert sorted(index_rows(table)) in (["bob@x.example\tx"], wanted)
    assert table.change().changed
    assert sorted(index_rows(table)) == wanted
    assert not table.change().changed


@pytest.mark.parametrize("lost", ["table", "index"])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_run_that_dies_where_no_index_was_is_finished_and_reloaded_by_the_next(
    host: FakeHost, table: TableOnHost, step: int, lost: str
) -> None:
    if lost == "index":
        table.written(b"bob@x.example x\n")
        table.index.unlink()
    table.change_dying_at(step)
    assert table.change().changed
    assert host.reloads() == 1
    assert sorted(index_rows(table)) == ["alice@x.example\tx"] + ["bob@x.example\tx"] * (lost == "index")
    assert not table.change().changed


def test_edit_of_others_during_the_reload_is_found_by_the_next_run(
    table: TableOnHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edited(_postfix: Postfix) -> bool:
        with table.path.open("ab") as stream:
            stream.write(b"admin@x.example x\n")
        return True

    monkeypatch.setattr(Postfix, "reload", edited)
    table.change()
    monkeypatch.undo()
    assert table.change().state == "stale"
    assert sorted(index_rows(table)) == ["admin@x.example\tx", "alice@x.example\tx"]


def test_owed_reload_is_done_by_the_next_run(host: FakeHost, table: TableOnHost) -> None:
    host.reload_fails = True
    with pytest.raises(HostError) as caught:
        table.change()
    assert caught.value.message == (
        f"postfix reload failed: postfix: fatal: no; {table.path} is in place, but daemons may not see it: "
        "correct this and run again"
    )
    host.reload_fails = False
    plan = table.change()
    assert plan.changed and not plan.index_rebuilt
    assert (host.reloads(), host.builds()) == (1, [])
    assert not table.change().changed


def test_postfix_that_does_not_run_is_not_reloaded(host: FakeHost, table: TableOnHost) -> None:
    host.running = False
    table.change()
    assert host.reloads() == 0
    assert not table.change().changed


def test_lost_rows_are_found_before_the_table_goes_live(host: FakeHost) -> None:
    table = TableOnHost(host, "lmdb")
    table.written(b"bob@x.example x\n")
    before = contents(host.config_directory)
    host.loses_rows_in = ".mxrelay-table-"
    with pytest.raises(HostError) as caught:
        table.change()
    assert caught.value.message == (
        f"{table.path}: the index that postmap built does not match the source (0 rows read, 2 expected); "
        "the table is as it was. Check the free space of the file system and the warnings of this run"
    )
    assert contents(host.config_directory) == before


def test_failed_build_leaves_the_table_as_it_was(host: FakeHost, table: TableOnHost) -> None:
    table.written(b"bob@x.example x\n")
    before = contents(host.config_directory)

    def full(path: str) -> None:
        if "mxrelay-probe-" not in path:
            host.broken_types = {"hash"}

    host.before_build = full
    with pytest.raises(HostError, match="can't be read back; the table is as it was"):
        table.change()
    assert contents(host.config_directory) == before


def test_backup_is_a_copy_of_the_old_source(host: FakeHost, table: TableOnHost) -> None:
    table.written(b"bob@x.example x\n")
    table.path.chmod(0o600)
    old = table.path.stat().st_ino
    table.change(backup=True)
    backups = [name for name in os.listdir(host.config_directory) if name.endswith("~")]
    assert len(backups) == 1
    backup = pathlib.Path(host.config_directory, backups[0])
    assert backup.read_bytes() == b"bob@x.example x\n"
    assert (oct(backup.stat().st_mode & 0o7777), backup.stat().st_nlink) == ("0o600", 1)
    assert backup.stat().st_ino != old
    assert table.change(backup=True).changed is False


@pytest.mark.parametrize("lost_in", [".mxrelay-table-", ""])
def test_failed_change_leaves_no_backup(
    host: FakeHost, table: TableOnHost, monkeypatch: pytest.MonkeyPatch, lost_in: str
) -> None:
    table.written(b"bob@x.example x\n")
    before = contents(host.config_directory)
    host.loses_rows_in = lost_in
    if not lost_in:
        monkeypatch.setattr(os, "fsync", out_of_space("~"))
    with pytest.raises(HostError, match="the table is as it was"):
        table.change(backup=True)
    assert contents(host.config_directory) == before


def test_backup_stays_where_the_new_table_is_in_place(host: FakeHost, table: TableOnHost) -> None:
    table.path.write_bytes(b"bob@x.example x\n")
    host.reload_fails = True
    with pytest.raises(HostError, match="is in place"):
        table.change(backup=True)
    backups = [path for path in pathlib.Path(host.config_directory).iterdir() if path.name.endswith("~")]
    assert [path.read_bytes() for path in backups] == [b"bob@x.example x\n"]


def test_table_that_is_a_symbolic_link_stays_one(table: TableOnHost, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "elsewhere" / "real"
    target.parent.mkdir()
    target.write_bytes(b"bob@x.example x\n")
    table.path.symlink_to(target)
    table.change()
    assert table.path.is_symlink()
    assert target.read_bytes() == b"bob@x.example x\nalice@x.example x\n"
    assert sorted(index_rows(table)) == ["alice@x.example\tx", "bob@x.example\tx"]
    assert sorted(os.listdir(target.parent)) == ["real"]
    assert not table.change().changed


def test_record_stays_where_the_path_is(table: TableOnHost, tmp_path: pathlib.Path) -> None:
    """A link may lead to another file system, into which the record can't be renamed."""
    target = tmp_path / "elsewhere" / "real"
    target.parent.mkdir()
    target.write_bytes(b"bob@x.example x\n")
    table.path.symlink_to(target)
    replace = os.replace

    def within_one_file_system(source: str, new: str) -> None:
        if ("elsewhere" in source) != ("elsewhere" in new):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        replace(source, new)

    with mock.patch.object(os, "replace", within_one_file_system):
        assert table.change().changed
    assert not table.change().changed
    assert table.record.exists()


def test_acl_and_label_go_to_the_new_files_and_mode_wins_over_the_acl(
    table: TableOnHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, dict[str, bytes]] = {}

    def base_of(file: str | int) -> str:
        return os.path.basename(file if isinstance(file, str) else os.readlink(f"/proc/self/fd/{file}"))

    def getxattr(file: str | int, name: str) -> bytes:
        base = base_of(file)
        if name in given.get(base, {}):
            return given[base][name]
        raise OSError(errno.ENODATA, "No data available")

    def setxattr(file: int, name: str, value: bytes) -> None:
        given.setdefault(base_of(file), {})[name] = value
        os.fchmod(file, 0o660)

    table.change()
    monkeypatch.setattr(os, "getxattr", getxattr, raising=False)
    monkeypatch.setattr(os, "setxattr", setxattr, raising=False)
    given["table"] = {"system.posix_acl_access": b"acl", "security.selinux": b"label"}
    given["table.db"] = {"security.selinux": b"other"}
    table.change(Edits(set={"bob@x.example": "x"}))
    assert given["table.source"] == given["table"]
    assert [oct(path.stat().st_mode & 0o7777) for path in (table.path, table.index)] == ["0o640", "0o640"]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "Permission denied; run as root (become: true)"),
        (errno.EROFS, "Read-only file system; mount its file system for writing"),
    ],
)
def test_directory_that_cannot_be_written_is_told_with_its_remedy(
    host: FakeHost, table: TableOnHost, monkeypatch: pytest.MonkeyPatch, number: int, told: str
) -> None:
    made = tempfile.mkdtemp

    def refused(suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:
        if dir == host.config_directory:
            raise OSError(number, os.strerror(number), dir)
        return made(suffix, prefix, dir)

    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    with pytest.raises(HostError) as caught:
        table.change()
    assert caught.value.message == (
        f"{table.path}: can't be changed: {told} ({host.config_directory}); the table is as it was"
    )
