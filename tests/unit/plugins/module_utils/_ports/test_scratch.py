# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.scratch import scratch_directory


@pytest.fixture(name="top", autouse=True)
def _top(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_directory_is_private_and_goes_with_what_is_in_it(top: Path) -> None:
    with scratch_directory() as directory:
        assert Path(directory).parent == top
        assert os.stat(directory).st_mode & 0o777 == 0o700
        os.makedirs(os.path.join(directory, "new/configuration"))
    assert os.listdir(top) == []


def test_directory_goes_when_the_work_fails(top: Path) -> None:
    with pytest.raises(KeyError), scratch_directory() as directory:
        Path(directory, "probe").touch()
        raise KeyError
    assert os.listdir(top) == []


def test_directory_that_a_killed_run_left_is_removed(top: Path) -> None:
    (top / "mxrelay-probe-left").mkdir()
    (top / "mxrelay-probe-left/probe.db").touch()
    (top / "other").mkdir()
    with scratch_directory() as directory:
        assert sorted(os.listdir(top)) == sorted([os.path.basename(directory), "other"])


def test_directory_of_a_run_that_goes_on_stays(top: Path) -> None:
    with scratch_directory() as first, scratch_directory() as second:
        assert first != second
        assert sorted(os.listdir(top)) == sorted(map(os.path.basename, (first, second)))


def test_directory_is_locked_while_it_is_in_use() -> None:
    with scratch_directory() as directory:
        descriptor = os.open(directory, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)


def test_symbolic_link_of_that_name_is_not_followed(top: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    target = tmp_path_factory.mktemp("target")
    (target / "kept").touch()
    (top / "mxrelay-probe-link").symlink_to(target)
    with scratch_directory():
        pass
    assert os.listdir(target) == ["kept"]


def test_place_without_room_is_an_error(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = str(top / "missing")
    monkeypatch.setattr(tempfile, "tempdir", missing)
    with pytest.raises(HostError) as caught, scratch_directory():
        pass
    assert caught.value.message == (
        f"{missing}: a scratch directory can't be made: No such file or directory; nothing was changed"
    )


def test_place_in_which_others_can_replace_it_is_an_error(top: Path) -> None:
    top.chmod(0o777)
    with pytest.raises(HostError) as caught, scratch_directory():
        pass
    assert caught.value.message.startswith(f"{top}: {top} can be written to by everybody, who could make root change")
