# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine import own_files
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.own_files import (
    EXECUTABLE,
    own_file_diffs,
    put_own_file,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Who writes to what is above a temporary directory is not asked about here.
    monkeypatch.setattr(own_files, "refuse_open_place", lambda _path: None)


def test_files_that_differ_are_told_and_programs_by_their_digests(tmp_path: pathlib.Path) -> None:
    unit, program, same = (str(tmp_path / name) for name in ("unit", "program", "same"))
    pathlib.Path(unit).write_text("old\n")
    pathlib.Path(same).write_text("same\n")
    contents = {unit: None, program: b"code", same: b"same\n"}
    digest = hashlib.sha256(b"code").hexdigest()
    assert own_file_diffs(contents, {program: "a program"}) == (
        Diff(unit, "old\n", ""),
        Diff(program, "", f"a program with the SHA-256 {digest}\n"),
    )


def test_file_is_put_only_if_it_differs_and_removed_without_content(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "program"
    put_own_file(str(path), b"one", EXECUTABLE)
    inode = path.stat().st_ino
    put_own_file(str(path), b"one", EXECUTABLE)
    assert (path.read_bytes(), path.stat().st_mode & 0o777, path.stat().st_ino) == (b"one", 0o755, inode)
    put_own_file(str(path), b"two")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"two", 0o644)
    put_own_file(str(path), None)
    put_own_file(str(path), None)
    assert not path.exists()
