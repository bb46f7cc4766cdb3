# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import fcntl
import os
import pathlib
import tempfile

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import (
    last_words,
    probe_type,
    working_types,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._engine.tables.table_on_host import (
    TableOnHost,
    out_of_space,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost


@pytest.fixture
def temporary(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_scratch_that_a_killed_run_left_goes_with_the_next_run(temporary: pathlib.Path) -> None:
    left = temporary / "mxrelay-probe-dead"
    left.mkdir()
    (left / "probe").write_text("192.0.2.1 found\n")
    assert probe_type(FakeHost("/etc/postfix").postfix(), "hash") == ".db"
    assert list(temporary.iterdir()) == []


def test_scratch_of_a_run_of_now_stays(temporary: pathlib.Path) -> None:
    used = temporary / "mxrelay-probe-alive"
    used.mkdir()
    descriptor = os.open(used, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert probe_type(FakeHost("/etc/postfix").postfix(), "hash") == ".db"
        assert list(temporary.iterdir()) == [used]
    finally:
        os.close(descriptor)


def test_what_only_has_the_name_of_a_scratch_stays(temporary: pathlib.Path) -> None:
    elsewhere = temporary / "precious"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("text")
    (temporary / "mxrelay-probe-link").symlink_to(elsewhere)
    (temporary / "mxrelay-probe-file").write_text("text")
    assert probe_type(FakeHost("/etc/postfix").postfix(), "hash") == ".db"
    assert sorted(path.name for path in temporary.iterdir()) == ["mxrelay-probe-file", "mxrelay-probe-link", "precious"]
    assert (elsewhere / "file").read_text() == "text"


def test_scratch_taken_for_a_leftover_is_made_again(temporary: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = fcntl.flock
    taken = []

    def removed_first(descriptor: int, operation: int) -> None:
        lock(descriptor, operation)
        if not taken:
            taken.extend(temporary.iterdir())
            taken[0].rmdir()

    monkeypatch.setattr(fcntl, "flock", removed_first)
    assert probe_type(FakeHost("/etc/postfix").postfix(), "hash") == ".db"
    assert len(taken) == 1
    assert list(temporary.iterdir()) == []


def test_last_words_are_one_line_of_bounded_length() -> None:
    pages = "".join(f"BDB3015 recipients.db: write error for page {page}\n" for page in range(5000))
    assert last_words(f"{pages}postmap: fatal: flush database t.db: No space left on device\n") == (
        "postmap: fatal: flush database t.db: No space left on device"
    )
    assert last_words("postmap: fatal: " + "x" * 1000) == "postmap: fatal: " + "x" * 384
    assert last_words("postmap: warning: something") == ""


@pytest.mark.parametrize(
    ("table_type", "remedy"),
    [("lmdb", "install the package postfix-lmdb, or use another type"), ("btree", "use another type")],
)
def test_type_that_does_not_work_is_refused_in_check_mode_too(host: FakeHost, table_type: str, remedy: str) -> None:
    host.broken_types = {table_type}
    with pytest.raises(HostError) as caught:
        TableOnHost(host, table_type).change(check_mode=True)
    assert caught.value.message == (
        f"tables of type {table_type} don't work on this host "
        f"(postmap: fatal: unsupported dictionary type: {table_type}); {remedy}; nothing was changed"
    )
    assert os.listdir(host.config_directory) == []


def test_type_is_not_to_blame_for_a_main_cf_that_no_program_reads(host: FakeHost) -> None:
    host.fatal = "bad numerical configuration: message_size_limit = 5 # few"
    with pytest.raises(HostError) as caught:
        TableOnHost(host).change(check_mode=True)
    assert caught.value.message == (
        f"no program of Postfix runs with this main.cf (postmap: fatal: {host.fatal}); correct it there, where a "
        "comment needs a line of its own; nothing was changed"
    )


def test_working_types_are_those_that_build_and_answer(host: FakeHost) -> None:
    host.broken_types = {"btree"}
    assert working_types(host.postfix()) == ["hash", "lmdb", "cdb", "texthash", "regexp"]


def test_index_of_a_redirected_type_is_the_file_that_appears(host: FakeHost) -> None:
    host.parameters.update(mail_version="3.11.6", non_bdb_migration_level="enable-redirect")
    host.suffixes.update(hash=".lmdb")
    table = TableOnHost(host)
    assert table.change().changed
    assert sorted(os.listdir(host.config_directory)) == [".table.mxrelay", "table", "table.lmdb"]
    assert not table.change().changed


def test_no_space_for_the_probe_is_told(host: FakeHost, table: TableOnHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", out_of_space("mxrelay-probe-"))
    with pytest.raises(HostError) as caught:
        table.change()
    assert caught.value.message == (
        f"{tempfile.gettempdir()}: a scratch directory can't be made: No space left on device; nothing was changed"
    )
    assert os.listdir(host.config_directory) == []


def test_bad_pattern_is_refused_before_it_goes_live(host: FakeHost) -> None:
    table = TableOnHost(host, "pcre")
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
    table = TableOnHost(host, "regexp")
    host.pattern_problem = "Unmatched ("
    table.path.write_bytes(b"/^(a/ x\n/^b/ x\n")
    plan = table.change(Edits(set={"/^c/": "y"}, remove=["/^b/"]))
    assert plan.warnings == [f"{table.path}, line 1: Unmatched ("]
    assert table.path.read_bytes() == b"/^(a/ x\n/^c/ y\n"
    with pytest.raises(InvalidInput, match="line 3: Unmatched"):
        table.change(Edits(set={"/^(d/": "y"}))
    assert not table.change(Edits(set={"/^c/": "y"})).changed
