# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import exposed_files
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.exposed_files import exposed_text, put_exposed_file


def test_file_is_put_for_everybody_to_read(tmp_path: Path) -> None:
    path = tmp_path / "mxrelay.prom"
    put_exposed_file(str(path), b"one\n")
    put_exposed_file(str(path), b"two\n")
    assert (exposed_text(str(path)), path.stat().st_mode & 0o777) == ("two\n", 0o644)
    assert [entry.name for entry in tmp_path.iterdir()] == ["mxrelay.prom"]


def test_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "mxrelay.prom"
    victim.write_text("keep")
    path.symlink_to(victim)
    (tmp_path / ".mxrelay.prom.mxrelay").symlink_to(victim)
    assert exposed_text(str(path)) == ""
    put_exposed_file(str(path), b"new\n")
    assert (victim.read_text(), path.is_symlink(), path.read_text()) == ("keep", False, "new\n")


def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mxrelay.prom"
    put_exposed_file(str(path), b"old\n")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files.os.fsync", full)
    with pytest.raises(HostError) as caught:
        put_exposed_file(str(path), b"new\n")
    assert (
        caught.value.message
        == f"{path}: can't be replaced: No space left on device; make room on its file system; the old file stays"
    )
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("mxrelay.prom", "old\n")]


def test_what_is_no_file_says_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert [exposed_text(str(tmp_path / name)) for name in ("fifo", "missing")] == ["", ""]
    assert exposed_files.MODE == 0o644
