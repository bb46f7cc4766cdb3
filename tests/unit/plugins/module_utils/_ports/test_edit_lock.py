# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.edit_lock import edit_lock


def test_lock_is_held_by_both_means_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "main.cf"
    with edit_lock(str(path)):
        with open(f"{path}.tmp", "rb") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert os.stat(f"{path}.tmp").st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == []


def test_lock_held_by_another_program_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "main.cf"
    with open(f"{path}.tmp", "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(HostError) as caught, edit_lock(str(path), seconds=0):
            pass
    assert caught.value.message == (
        f"{path}.tmp: another program has been editing {path} for more than 0 s; try again when it has finished"
    )
    assert os.path.exists(f"{path}.tmp")


def test_lock_is_had_when_the_other_program_has_renamed_its_file(tmp_path: Path) -> None:
    path = tmp_path / "main.cf"
    held = threading.Event()
    entered = threading.Event()

    def edit() -> None:
        with open(f"{path}.tmp", "wb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            held.set()
            stream.write(b"theirs")
            stream.flush()
            # Long enough only if the other side is kept out; its entering early is what the test would see.
            entered.wait(0.2)
            os.rename(f"{path}.tmp", path)

    thread = threading.Thread(target=edit)
    thread.start()
    held.wait()
    with edit_lock(str(path)):
        entered.set()
        assert path.read_bytes() == b"theirs"
    thread.join()
    assert os.listdir(tmp_path) == ["main.cf"]


def test_lock_on_a_file_that_was_renamed_after_it_was_opened_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "main.cf"
    lock = fcntl.flock

    def rename_then_lock(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        os.rename(f"{path}.tmp", path)
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", rename_then_lock)
    with edit_lock(str(path)):
        assert os.stat(f"{path}.tmp").st_ino != os.stat(path).st_ino
    assert os.listdir(tmp_path) == ["main.cf"]


def test_leftover_of_a_killed_program_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "main.cf"
    Path(f"{path}.tmp").write_bytes(b"half")
    with edit_lock(str(path)):
        pass
    assert os.listdir(tmp_path) == []


def test_symbolic_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    os.symlink(tmp_path / "elsewhere", tmp_path / "main.cf.tmp")
    with pytest.raises(HostError, match="symbolic links$"), edit_lock(str(tmp_path / "main.cf")):
        pass
    assert os.listdir(tmp_path) == ["main.cf.tmp"]


def test_missing_directory_is_reported(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="No such file or directory"), edit_lock(str(tmp_path / "x" / "main.cf")):
        pass
