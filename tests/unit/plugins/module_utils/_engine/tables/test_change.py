# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import fcntl
import grp
import itertools
import os
import pathlib
import pwd
import tempfile
from typing import Callable
from unittest import mock

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import plan as planning
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.change import change_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TableOptions, TablePlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import TableReference
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.replace import SCRATCH_PREFIX
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import working_types
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost, contents

ME = pwd.getpwuid(os.geteuid()).pw_name
MY_GROUP = grp.getgrgid(os.getegid()).gr_name
ALICE = Edits(set={"alice@x.example": "x"})


@pytest.fixture(name="host")
def fixture_host(tmp_path: pathlib.Path) -> FakeHost:
    return FakeHost(str(tmp_path))


class Subject:
    """One table of the fake host."""

    def __init__(self, host: FakeHost, table_type: str = "hash") -> None:
        self.host = host
        self.path = pathlib.Path(host.config_directory) / "table"
        self.reference = TableReference(table_type, str(self.path))
        self.index = pathlib.Path(f"{self.path}{host.suffixes.get(table_type, '')}")
        self.record = self.path.with_name(".table.mxrelay")

    def change(self, edits: Edits = ALICE, check_mode: bool = False, **options: object) -> TablePlan:
        given = TableOptions(new_owner=ME, new_group=MY_GROUP, **options)
        self.host.commands.clear()
        return change_table(self.host.postfix(), self.reference, edits, given, check_mode)[0]

    def change_dying_at(self, step: int) -> None:
        """A change that is killed instead of its rename number `step`."""
        replace = os.replace
        renames = itertools.count(1)

        def dying(source: str, target: str) -> None:
            if next(renames) == step:
                raise KeyboardInterrupt
            replace(source, target)

        with mock.patch.object(os, "replace", dying), pytest.raises(KeyboardInterrupt):
            self.change()

    def written(self, data: bytes) -> None:
        """The source as others wrote it, with the index that postmap makes of it."""
        self.path.write_bytes(data)
        self.host.postfix().build(str(self.reference))


@pytest.fixture(name="table")
def fixture_table(host: FakeHost) -> Subject:
    return Subject(host)


def index_rows(table: Subject) -> list[str]:
    return table.index.read_text().splitlines()[1:]


@pytest.mark.parametrize("table_type", ["hash", "btree", "lmdb", "cdb"])
def test_new_table_is_built_private_and_readable_by_postfix(host: FakeHost, table_type: str) -> None:
    table = Subject(host, table_type)
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


def test_second_run_touches_nothing_and_runs_no_postmap(host: FakeHost, table: Subject) -> None:
    table.change()
    before = contents(host.config_directory)
    plan = table.change()
    assert not plan.changed
    assert contents(host.config_directory) == before
    assert host.names() == ["postconf"]


def test_table_of_others_without_record_is_compared_by_content_and_not_touched(host: FakeHost, table: Subject) -> None:
    table.written(b"alice@x.example x\n")
    before = contents(host.config_directory)
    assert not table.change().changed
    assert contents(host.config_directory) == before
    assert host.builds() == []


def test_check_mode_plans_the_same_and_writes_nothing(host: FakeHost, table: Subject) -> None:
    table.written(b"bob@x.example x\n")
    before = contents(host.config_directory)
    edits = Edits(set={"alice@x.example": "x"}, remove=["bob@x.example"])
    checked = table.change(edits, check_mode=True)
    assert contents(host.config_directory) == before
    done = table.change(edits)
    assert (
        (checked.changed, checked.added, checked.removed, checked.index_rebuilt, checked.total)
        == (
            done.changed,
            done.added,
            done.removed,
            done.index_rebuilt,
            done.total,
        )
        == (True, ["alice@x.example"], ["bob@x.example"], True, 1)
    )


@pytest.mark.parametrize(
    ("damage", "state", "reloads"),
    [("delete", "missing", 1), ("truncate", "unreadable", 1), ("stale", "stale", 0), ("garbage", "unreadable", 1)],
)
def test_damaged_index_is_repaired_while_the_source_stays(
    host: FakeHost, table: Subject, damage: str, state: str, reloads: int
) -> None:
    table.change()
    source = contents(host.config_directory)["table"]
    if damage == "delete":
        table.index.unlink()
    else:
        table.index.write_text({"truncate": "", "stale": "hash\nbob@x.example\tx\n", "garbage": "?"}[damage])
    assert planning.index_state(host.postfix(), table.reference) == state
    plan = table.change()
    assert (plan.state, plan.changed, plan.index_rebuilt, plan.source_changed) == (state, True, True, False)
    assert index_rows(table) == ["alice@x.example\tx"]
    assert contents(host.config_directory)["table"] == source
    assert host.reloads() == reloads
    assert planning.index_state(host.postfix(), table.reference) == "current"
    assert not table.change().changed


def test_changed_source_with_its_old_index_and_old_times_is_found(host: FakeHost, table: Subject) -> None:
    table.change()
    status = table.path.stat()
    table.path.write_bytes(b"alice@x.example x\nbob@x.example x\n")
    os.utime(table.path, ns=(status.st_atime_ns, status.st_mtime_ns))
    plan = table.change()
    assert (plan.state, plan.changed) == ("stale", True)
    assert index_rows(table) == ["alice@x.example\tx", "bob@x.example\tx"]


def test_change_of_a_running_table_needs_no_reload(host: FakeHost, table: Subject) -> None:
    table.change()
    table.change(Edits(set={"bob@x.example": "x"}))
    assert host.reloads() == 0
    assert index_rows(table) == ["alice@x.example\tx", "bob@x.example\tx"]


@pytest.mark.parametrize(
    ("value", "reloads"),
    [("static:a, proxy:{0}", 1), ("pipemap:{{proxy:{0}}}", 1), ("{0}, proxy:{0}s", 0), ("proxy:cdb:{1}", 0)],
)
def test_table_behind_proxymap_is_reloaded_when_it_changes(
    host: FakeHost, table: Subject, value: str, reloads: int
) -> None:
    host.parameters["relay_recipient_maps"] = value.format(table.reference, table.path)
    table.written(b"bob@x.example x\n")
    assert table.change().changed
    assert host.reloads() == reloads
    assert not table.change().changed
    assert (host.reloads(), len(host.commands)) == (0, 1)


def test_index_is_never_older_than_its_source(host: FakeHost, table: Subject) -> None:
    table.written(b"bob@x.example x\n")
    os.utime(table.path, ns=(0, 0))
    table.change()
    assert table.path.stat().st_mtime_ns <= table.index.stat().st_mtime_ns


def test_index_is_renamed_before_the_source(host: FakeHost, table: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_run_that_dies_between_two_renames_is_finished_by_the_next(table: Subject, step: int) -> None:
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
    host: FakeHost, table: Subject, step: int, lost: str
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
    host: FakeHost, table: Subject, monkeypatch: pytest.MonkeyPatch
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


def test_owed_reload_is_done_by_the_next_run(host: FakeHost, table: Subject) -> None:
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


def test_postfix_that_does_not_run_is_not_reloaded(host: FakeHost, table: Subject) -> None:
    host.running = False
    table.change()
    assert host.reloads() == 0
    assert not table.change().changed


def test_lost_rows_are_found_before_the_table_goes_live(host: FakeHost) -> None:
    table = Subject(host, "lmdb")
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


def test_failed_build_leaves_the_table_as_it_was(host: FakeHost, table: Subject) -> None:
    table.written(b"bob@x.example x\n")
    before = contents(host.config_directory)

    def full(path: str) -> None:
        if "mxrelay-probe-" not in path:
            host.broken_types = {"hash"}

    host.before_build = full
    with pytest.raises(HostError, match="can't be read back; the table is as it was"):
        table.change()
    assert contents(host.config_directory) == before


@pytest.mark.parametrize(
    ("table_type", "remedy"),
    [("lmdb", "install the package postfix-lmdb, or use another type"), ("btree", "use another type")],
)
def test_type_that_does_not_work_is_refused_in_check_mode_too(host: FakeHost, table_type: str, remedy: str) -> None:
    host.broken_types = {table_type}
    with pytest.raises(HostError) as caught:
        Subject(host, table_type).change(check_mode=True)
    assert caught.value.message == (
        f"tables of type {table_type} don't work on this host "
        f"(postmap: fatal: unsupported dictionary type: {table_type}); {remedy}; nothing was changed"
    )
    assert os.listdir(host.config_directory) == []


def test_working_types_are_those_that_build_and_answer(host: FakeHost) -> None:
    host.broken_types = {"btree"}
    assert working_types(host.postfix()) == ["hash", "lmdb", "cdb", "texthash", "regexp"]


def test_index_of_a_redirected_type_is_the_file_that_appears(host: FakeHost) -> None:
    host.parameters.update(mail_version="3.11.6", non_bdb_migration_level="enable-redirect")
    host.suffixes.update(hash=".lmdb")
    table = Subject(host)
    assert table.change().changed
    assert sorted(os.listdir(host.config_directory)) == [".table.mxrelay", "table", "table.lmdb"]
    assert not table.change().changed


def test_metadata_of_an_existing_table_stays(host: FakeHost, table: Subject) -> None:
    table.written(b"bob@x.example x\n")
    table.path.chmod(0o604)
    table.index.chmod(0o644)
    table.change()
    assert [oct(path.stat().st_mode & 0o7777) for path in (table.path, table.index)] == ["0o604", "0o644"]


def test_rebuilt_index_gets_the_mode_of_its_source(host: FakeHost, table: Subject) -> None:
    table.written(b"alice@x.example x\n")
    table.path.chmod(0o600)
    table.index.unlink()
    table.change()
    assert oct(table.index.stat().st_mode & 0o7777) == "0o600"


def test_mode_is_applied_to_both_files_without_building(host: FakeHost, table: Subject) -> None:
    table.change()
    plan = table.change(mode="0644", owner=str(os.geteuid()), group=MY_GROUP)
    assert plan.changed
    assert [change.path for change in plan.metadata_changes] == [str(table.path), str(table.index)]
    assert [oct(path.stat().st_mode & 0o7777) for path in (table.path, table.index)] == ["0o644", "0o644"]
    assert host.builds() == []
    assert not table.change(mode="0644").changed


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("owner", "nobody-here", '"nobody-here" (owner) is not a user of this host; create the user or correct it'),
        ("group", "nobody-here", '"nobody-here" (group) is not a group of this host; create the group or correct it'),
        (
            "owner",
            "4294967295",
            '"4294967295" (owner) is not a user of this host; create the user or correct it',
        ),
        ("group", "\u00b2", '"\u00b2" (group) is not a group of this host; create the group or correct it'),
        ("mode", 8.5, "8.5 (mode) is not a mode; write octal digits in quotes, such as '0640'"),
        ("mode", "u+x", "\"u+x\" (mode) is not an octal mode; write octal digits in quotes, such as '0640'"),
        ("mode", "1777", "\"1777\" (mode) is not a mode from 0000 to 0777; write it in quotes, such as '0640'"),
        ("mode", True, "True (mode) is not a mode; write octal digits in quotes, such as '0640'"),
        (
            "max_removals",
            "many",
            '"many" (max_removals) is not a number or a percentage; write it as 10 or as "10%"',
        ),
    ],
)
def test_bad_option_is_refused_before_anything_is_written(
    host: FakeHost, table: Subject, option: str, value: object, message: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        table.change(**{option: value})
    assert caught.value.message == message
    assert os.listdir(host.config_directory) == []


def test_yaml_number_is_a_mode(table: Subject) -> None:
    table.change(mode=0o604)
    assert oct(table.path.stat().st_mode & 0o7777) == "0o604"


@pytest.mark.parametrize(("limit", "refused"), [("2", False), ("1", True), ("50%", False), ("49%", True), ("0", True)])
def test_more_removals_than_allowed_are_refused(host: FakeHost, table: Subject, limit: str, refused: bool) -> None:
    table.written(b"a x\nb x\nc x\nd x\n")
    before = contents(host.config_directory)
    edits = Edits(remove=["a", "b"])
    if not refused:
        assert table.change(edits, max_removals=limit).removed == ["a", "b"]
        return
    with pytest.raises(Refused) as caught:
        table.change(edits, max_removals=limit)
    assert caught.value.message == (
        f"{table.path}: 2 of 4 entries would be removed, more than max_removals ({limit}) allows; "
        "check that the list is complete, or raise max_removals"
    )
    assert contents(host.config_directory) == before


def test_backup_is_a_copy_of_the_old_source(host: FakeHost, table: Subject) -> None:
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
    host: FakeHost, table: Subject, monkeypatch: pytest.MonkeyPatch, lost_in: str
) -> None:
    table.written(b"bob@x.example x\n")
    before = contents(host.config_directory)
    host.loses_rows_in = lost_in
    if not lost_in:
        monkeypatch.setattr(os, "fsync", out_of_space("~"))
    with pytest.raises(HostError, match="the table is as it was"):
        table.change(backup=True)
    assert contents(host.config_directory) == before


def test_backup_stays_where_the_new_table_is_in_place(host: FakeHost, table: Subject) -> None:
    table.path.write_bytes(b"bob@x.example x\n")
    host.reload_fails = True
    with pytest.raises(HostError, match="is in place"):
        table.change(backup=True)
    backups = [path for path in pathlib.Path(host.config_directory).iterdir() if path.name.endswith("~")]
    assert [path.read_bytes() for path in backups] == [b"bob@x.example x\n"]


def out_of_space(part: str) -> Callable[[int], None]:
    """fsync on a full file system, for files with `part` in their path."""

    def sync(descriptor: int) -> None:
        if part in os.readlink(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return sync


def test_no_space_for_the_probe_is_told(host: FakeHost, table: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", out_of_space("mxrelay-probe-"))
    with pytest.raises(HostError) as caught:
        table.change()
    assert caught.value.message == (
        f"{tempfile.gettempdir()}: a scratch directory can't be made: No space left on device; nothing was changed"
    )
    assert os.listdir(host.config_directory) == []


def test_leftovers_of_a_killed_run_are_removed_and_nothing_else(host: FakeHost, table: Subject) -> None:
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


def test_table_that_is_a_symbolic_link_stays_one(host: FakeHost, table: Subject, tmp_path: pathlib.Path) -> None:
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


def test_directory_that_is_a_symbolic_link_is_locked_once(host: FakeHost, tmp_path: pathlib.Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    table = Subject(host)
    table.reference = TableReference("hash", str(link / "table"))
    assert table.change().changed
    assert not table.change().changed
    assert table.path.read_bytes() == b"alice@x.example x\n"


def test_record_stays_where_the_path_is(host: FakeHost, table: Subject, tmp_path: pathlib.Path) -> None:
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


def test_run_that_changes_nothing_needs_no_space_for_its_record(
    host: FakeHost, table: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "RECORDED_BYTES", 0)
    table.change()
    monkeypatch.setattr(tempfile, "mkdtemp", mock.Mock(side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    plan = table.change(planning.TableRequest(lambda: ALICE, "name"))
    assert (plan.changed, plan.to_record is None) == (False, False)


@pytest.mark.parametrize("source", [b"", None])
def test_rows_of_an_index_that_has_more_than_the_source_count_as_removals(
    host: FakeHost, table: Subject, source: bytes | None
) -> None:
    table.written(b"".join(b"a%d x\n" % number for number in range(100)))
    table.path.unlink()
    if source is not None:
        table.path.write_bytes(source)
    before = contents(host.config_directory)
    with pytest.raises(Refused) as caught:
        table.change(Edits(set={"a1": "x"}, purge=True), max_removals="10%")
    assert caught.value.message.startswith(f"{table.path}: 99 of 100 entries would be removed, more than")
    assert contents(host.config_directory) == before


def test_missing_source_with_an_index_is_not_replaced(host: FakeHost, table: Subject) -> None:
    table.written(b"bob@x.example x\n")
    table.path.unlink()
    with pytest.raises(Refused) as caught:
        table.change()
    assert caught.value.message == (
        f"{table.path} is missing, but its index {table.index} is there, so a new table would lose the entries of "
        f"the index; write the source again (postmap -s hash:{table.path}) or remove the index"
    )
    assert table.change(Edits(set={"a": "x"}, purge=True)).changed


def test_nothing_to_remove_makes_no_table(host: FakeHost, table: Subject) -> None:
    plan = table.change(Edits(remove=["a"], owned=["x.example"]))
    assert (plan.changed, plan.total) == (False, 0)
    assert os.listdir(host.config_directory) == []


def test_warnings_name_file_and_line(table: Subject) -> None:
    table.written(b"keyonly\n")
    assert table.change().warnings == [f"{table.path}: line 1: has a key without a value; Postfix ignores the entry"]


def test_duplicates_of_others_are_told_with_both_lines(table: Subject) -> None:
    table.written(b"bob@x.example x\n\xe9@x.example x\n\xe9@x.example x\nBob@x.example y\n")
    assert [warning for warning in table.change().warnings if "UTF-8" not in warning] == [
        f"{table.path}: line 4: has the key of line 1; Postfix ignores the later entry"
    ]
    assert table.path.read_bytes().endswith(b"Bob@x.example y\nalice@x.example x\n")


def test_very_many_warnings_are_counted(table: Subject) -> None:
    table.written(b"bob@x.example x\n" * 30)
    warnings = table.change().warnings
    assert (len(warnings), warnings[-1]) == (21, "... and 9 more warnings")


def test_acl_and_label_go_to_the_new_files_and_mode_wins_over_the_acl(
    table: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, dict[str, bytes]] = {}

    def getxattr(path: str, name: str) -> bytes:
        base = os.path.basename(path)
        if name in given.get(base, {}):
            return given[base][name]
        raise OSError(errno.ENODATA, "No data available")

    def setxattr(path: str, name: str, value: bytes) -> None:
        given.setdefault(os.path.basename(path), {})[name] = value
        os.chmod(path, 0o660)

    table.change()
    monkeypatch.setattr(os, "getxattr", getxattr, raising=False)
    monkeypatch.setattr(os, "setxattr", setxattr, raising=False)
    given["table"] = {"system.posix_acl_access": b"acl", "security.selinux": b"label"}
    given["table.db"] = {"security.selinux": b"other"}
    table.change(Edits(set={"bob@x.example": "x"}))
    assert given["table.source"] == given["table"]
    assert [oct(path.stat().st_mode & 0o7777) for path in (table.path, table.index)] == ["0o640", "0o640"]


@pytest.mark.parametrize(("record", "mode"), [("not json", 0o600), ('{"type": "hash"}', 0o600), (None, 0o644)])
def test_record_that_is_not_ours_is_not_believed(host: FakeHost, table: Subject, record: str | None, mode: int) -> None:
    table.change()
    if record is not None:
        table.record.write_text(record)
    table.record.chmod(mode)
    assert not table.change().changed
    assert ["postmap", "-s", str(table.reference)] in host.commands


def test_record_that_is_a_symbolic_link_is_not_believed(host: FakeHost, table: Subject) -> None:
    table.change()
    table.record.rename(table.record.with_name("moved"))
    table.record.symlink_to(table.record.with_name("moved"))
    assert not table.change().changed
    assert ["postmap", "-s", str(table.reference)] in host.commands


def test_index_state_believes_the_record(host: FakeHost, table: Subject) -> None:
    table.change()
    host.commands.clear()
    assert planning.index_state(host.postfix(), table.reference) == "current"
    assert host.names() == ["postconf"]


def test_record_is_not_believed_when_keys_are_folded_otherwise(host: FakeHost, table: Subject) -> None:
    table.change(Edits(set={"ä@x.example": "x"}))
    host.parameters["smtputf8_enable"] = "no"
    table.change(Edits(set={"ä@x.example": "x"}))
    assert ["postmap", "-s", str(table.reference)] in host.commands


def test_index_is_compared_as_postfix_folds_keys(host: FakeHost, table: Subject) -> None:
    table.written("Ä@x.example x\n".encode())
    assert planning.index_state(host.postfix(), table.reference) == "current"
    host.parameters["smtputf8_enable"] = "no"
    assert planning.index_state(host.postfix(), table.reference) == "stale"


def test_directory_is_locked_while_the_table_changes(host: FakeHost, table: Subject) -> None:
    held: list[bool] = []

    def note(path: str) -> None:
        descriptor = os.open(host.config_directory, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.append(True)
        else:
            held.append(False)
        finally:
            os.close(descriptor)

    host.before_build = note
    table.change()
    assert held == [True, True]
    note("")
    assert held.pop() is False


def test_texthash_has_no_index_and_is_reloaded(host: FakeHost) -> None:
    table = Subject(host, "texthash")
    plan = table.change()
    assert plan.changed and not plan.index_rebuilt
    assert (host.builds(), host.reloads()) == ([], 1)
    assert os.listdir(host.config_directory) == ["table"]
    assert planning.index_state(host.postfix(), table.reference) == "none"
    assert not table.change().changed
    assert host.names() == ["postconf"]


def test_bad_pattern_is_refused_before_it_goes_live(host: FakeHost) -> None:
    table = Subject(host, "pcre")
    host.pattern_problem = "missing closing parenthesis"
    with pytest.raises(InvalidInput) as caught:
        table.change(Edits(set={"/^(a/": "x"}), check_mode=True)
    assert caught.value.message == (
        f"{table.path}: Postfix would reject a pattern ({table.path}, line 1: missing closing "
        "parenthesis); correct it. Nothing was changed"
    )
    assert os.listdir(host.config_directory) == []
    host.pattern_problem = ""
    assert table.change(Edits(set={"/^(a/": "x"})).changed


def test_bad_pattern_of_others_is_a_warning_and_hinders_nobody(host: FakeHost) -> None:
    table = Subject(host, "regexp")
    host.pattern_problem = "Unmatched ("
    table.path.write_bytes(b"/^(a/ x\n/^b/ x\n")
    plan = table.change(Edits(set={"/^c/": "y"}, remove=["/^b/"]))
    assert plan.warnings == [f"{table.path}, line 1: Unmatched ("]
    assert table.path.read_bytes() == b"/^(a/ x\n/^c/ y\n"
    with pytest.raises(InvalidInput, match="line 3: Unmatched"):
        table.change(Edits(set={"/^(d/": "y"}))
    assert not table.change(Edits(set={"/^c/": "y"})).changed


def test_lmdb_key_limit(host: FakeHost) -> None:
    table = Subject(host, "lmdb")
    table.change(Edits(set={"k" * 510: "x"}))
    with pytest.raises(InvalidInput, match="is longer than 510 bytes, the most that an lmdb table takes as a key"):
        table.change(Edits(set={"k" * 511: "x"}))


def test_quoted_white_space_needs_postfix_3_2(host: FakeHost, table: Subject) -> None:
    edits = Edits(set={'"a b"@x.example': "x"})
    host.parameters["mail_version"] = "3.1.15"
    with pytest.raises(
        InvalidInput, match=r'^"a b"@x\.example contains quoted white space, which keys can.t have before'
    ):
        table.change(edits)
    host.parameters["mail_version"] = "3.2.0"
    assert table.change(edits).changed


def test_missing_directory_is_named(host: FakeHost) -> None:
    reference = TableReference("hash", f"{host.config_directory}/none/table")
    with pytest.raises(HostError) as caught:
        change_table(host.postfix(), reference, ALICE, TableOptions(), False)
    assert caught.value.message == (
        f"{host.config_directory}/none: No such file or directory; create the directory or correct the path"
    )
    with pytest.raises(HostError) as caught:
        planning.plan_table(host.postfix(), reference, ALICE, TableOptions())
    assert caught.value.message == (
        f"{host.config_directory}/none: the directory of {reference} does not exist; create it or correct the path"
    )


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "Permission denied; run as root (become: true)"),
        (errno.EROFS, "Read-only file system; mount its file system for writing"),
    ],
)
def test_directory_that_cannot_be_written_is_told_with_its_remedy(
    host: FakeHost, table: Subject, monkeypatch: pytest.MonkeyPatch, number: int, told: str
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


def test_source_that_cannot_be_read_is_told_without_a_wrong_remedy(host: FakeHost) -> None:
    with pytest.raises(HostError) as caught:
        read_file(host.config_directory)
    assert caught.value.message == f"{host.config_directory}: Is a directory"


def test_new_type_is_built_beside_the_old_index_which_goes_when_nothing_names_it(host: FakeHost) -> None:
    old = Subject(host, "hash")
    old.change()
    host.parameters["relay_recipient_maps"] = f"proxy:hash:{old.path}"
    before = old.index.read_bytes()
    new = Subject(host, "lmdb")
    plan = new.change(remove_old_index=True)
    assert index_rows(new) == ["alice@x.example\tx"]
    assert old.index.read_bytes() == before
    assert plan.warnings == [
        f"{old.index} is kept, since Postfix is configured to read hash:{old.path}; "
        f"name lmdb:{old.path} instead, reload, and run again"
    ]
    host.parameters["relay_recipient_maps"] = f"lmdb:{old.path}"
    assert not new.change().changed
    assert old.index.exists()
    assert new.change(remove_old_index=True, check_mode=True).old_indexes == [str(old.index)]
    assert old.index.exists()
    assert new.change(remove_old_index=True).changed
    assert not old.index.exists()
    assert not new.change(remove_old_index=True).changed


def test_index_is_not_put_in_the_place_of_one_of_another_type(host: FakeHost) -> None:
    old = Subject(host, "hash")
    old.change()
    host.parameters["relay_recipient_maps"] = f"hash:{old.path}"
    before = contents(host.config_directory)
    with pytest.raises(Refused) as caught:
        Subject(host, "btree").change()
    assert caught.value.message == (
        f"{old.index} is the index of hash:{old.path}, which Postfix is configured to read, and an index of type btree has "
        "the same name; give another path for the btree table and name that one in main.cf, or use another type"
    )
    assert contents(host.config_directory) == before
    host.parameters["relay_recipient_maps"] = ""
    assert Subject(host, "btree").change().index_rebuilt


def test_directory_is_not_a_table(host: FakeHost, table: Subject) -> None:
    table.path.mkdir()
    with pytest.raises(HostError, match="is a directory, not the source of a table; correct the path"):
        table.change()


def test_index_that_cannot_be_listed_is_asked_for_every_key(host: FakeHost) -> None:
    host.unlisted_types = {"cdb"}
    table = Subject(host, "cdb")
    edits = Edits(set={"alice@x.example": "x", "bob@x.example": "y"})
    assert table.change(edits).changed
    table.record.unlink()
    assert not table.change(edits).changed
    host.loses_rows_in = SCRATCH_PREFIX
    with pytest.raises(HostError, match=r"does not match the source \(0 rows read, 3 expected\)"):
        table.change(Edits(set={"carol@x.example": "x"}))
    assert table.path.read_bytes() == b"alice@x.example x\nbob@x.example y\n"


def test_rows_besides_are_seen_in_an_index_that_cannot_be_listed(host: FakeHost) -> None:
    host.unlisted_types = {"cdb"}
    table = Subject(host, "cdb")
    table.written(b"alice@x.example x\nbob@x.example x\n")
    table.path.write_bytes(b"alice@x.example x\n")
    assert table.change(ALICE, check_mode=True).state == "stale"
    table.index.write_bytes(b"short")
    assert table.change(ALICE, check_mode=True).state == "unreadable"
    assert table.change(ALICE).changed
    assert not table.change(ALICE).changed
