# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import os
import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import TableReference
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import files
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._engine.tables.table_on_host import (
    TableOnHost,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost, contents


def test_leftovers_of_a_killed_run_are_removed_and_nothing_else(host: FakeHost, table: TableOnHost) -> None:
    table.change()
    directory = pathlib.Path(host.config_directory)
    (directory / ".mxrelay-table-dead").mkdir()
    (directory / ".mxrelay-table-dead" / "table").write_text("half")
    (directory / ".mxrelay-table-file").write_text("of somebody else")
    (directory / "other-table-dead").mkdir()
    assert table.change(check_mode=True).changed
    assert (directory / ".mxrelay-table-dead").exists()
    assert table.change().changed
    assert sorted(os.listdir(directory)) == [
        ".mxrelay-table-file",
        ".table.mxrelay",
        "other-table-dead",
        "table",
        "table.db",
    ]
    assert not table.change().changed


def test_directory_that_is_a_symbolic_link_is_locked_once(host: FakeHost, tmp_path: pathlib.Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    table = TableOnHost(host)
    table.reference = TableReference("hash", str(link / "table"))
    assert table.change().changed
    assert not table.change().changed
    assert table.path.read_bytes() == b"alice@x.example x\n"


def test_lock_is_held_while_the_table_changes(host: FakeHost, table: TableOnHost) -> None:
    held: list[bool] = []

    def note(_path: str) -> None:
        with open(files.LOCK_FILE, "rb") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.append(True)
            else:
                held.append(False)

    host.before_build = note
    table.change()
    assert held == [True, True]
    note("")
    assert held.pop() is False


def test_check_mode_makes_no_lock(
    table: TableOnHost, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path_factory.mktemp("lock") / "run.lock"
    monkeypatch.setattr(files, "_lock_file", lambda: str(lock))
    table.change(check_mode=True)
    assert not lock.exists()
    table.change()
    assert lock.exists()


def test_lock_on_the_directory_which_any_user_can_hold_is_no_obstacle(host: FakeHost, table: TableOnHost) -> None:
    descriptor = os.open(host.config_directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert table.change().changed
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("link", ["", "table", "table.db", "table.lmdb"])
def test_directory_that_others_write_to_is_refused_before_anything_changes(
    host: FakeHost, table: TableOnHost, link: str, check_mode: bool
) -> None:
    table.change()
    place = pathlib.Path(host.config_directory)
    if link:
        place = place / "theirs"
        place.mkdir()
        path = table.path.with_name(link)
        path.unlink(missing_ok=True)
        path.symlink_to(place / link)
    place.chmod(0o777)
    before = contents(host.config_directory)
    with pytest.raises(HostError) as caught:
        table.change(Edits(set={"bob@x.example": "x"}), check_mode)
    assert caught.value.message == (
        f"{table.path.with_name(link or 'table')}: {place} can be written to by everybody, who could make root change "
        f"other files there; let root alone write to it (chmod go-w {place}), or use another directory"
    )
    assert contents(host.config_directory) == before
