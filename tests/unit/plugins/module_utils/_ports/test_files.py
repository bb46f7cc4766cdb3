# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import files
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    Metadata,
    directory_lock,
    links_of,
    metadata_of,
    read_file,
    reason,
    refuse_unwritable,
    replace_file,
    write_new_file,
)


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    path = tmp_path / "main.cf"
    path.write_bytes(b"a = 1\n")
    os.chmod(path, 0o640)
    return path


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EACCES, "Permission denied; run as root (become: true)"),
        (errno.ENOSPC, "No space left on device; make room on its file system"),
        (errno.EROFS, "Read-only file system; mount its file system for writing"),
        (errno.ELOOP, "Too many levels of symbolic links"),
    ],
)
def test_refusal_of_the_system_has_a_remedy_if_there_is_one(number: int, expected: str) -> None:
    assert reason(OSError(number, os.strerror(number))) == expected


def test_missing_file_is_no_error_and_a_directory_is(tmp_path: Path) -> None:
    assert read_file(str(tmp_path / "missing")) is None
    with pytest.raises(HostError) as caught:
        read_file(str(tmp_path))
    assert caught.value.message == f"{tmp_path}: Is a directory"


def test_new_file_is_private_until_it_has_its_metadata(tmp_path: Path) -> None:
    write_new_file(str(tmp_path / "a"), b"text")
    write_new_file(str(tmp_path / "b"), b"text", Metadata(os.geteuid(), os.getegid(), 0o644))
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in "ab"] == [0o600, 0o644]
    assert (tmp_path / "b").read_bytes() == b"text"


def test_new_file_replaces_none(file: Path) -> None:
    with pytest.raises(FileExistsError):
        write_new_file(str(file), b"b = 2\n")
    assert file.read_bytes() == b"a = 1\n"


def test_replaced_file_is_another_with_the_metadata_of_the_old(file: Path) -> None:
    with open(file, "rb") as reader:
        replace_file(str(file), b"a = 2\n", metadata_of(str(file)))
        assert reader.read() == b"a = 1\n"
    assert file.read_bytes() == b"a = 2\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert os.listdir(file.parent) == ["main.cf"]


def test_symbolic_link_stays_and_its_target_is_replaced(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("main.cf")
    replace_file(str(link), b"a = 2\n", metadata_of(str(link)))
    assert os.readlink(link) == "main.cf"
    assert file.read_bytes() == b"a = 2\n"


def test_what_a_killed_run_left_is_no_obstacle(file: Path) -> None:
    (file.parent / ".mxrelay-main.cf").write_bytes(b"hal")
    replace_file(str(file), b"a = 2\n", metadata_of(str(file)))
    assert os.listdir(file.parent) == ["main.cf"]
    assert file.read_bytes() == b"a = 2\n"


def test_failed_replacement_leaves_the_old_file_and_nothing_else(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HostError) as caught:
        replace_file(str(file), b"a = 2\n", metadata_of(str(file)))
    assert caught.value.message == (
        f"{file}: can't be replaced: No space left on device; make room on its file system; nothing was changed"
    )
    assert file.read_bytes() == b"a = 1\n"
    assert os.listdir(file.parent) == ["main.cf"]


def test_hard_links_are_counted(file: Path) -> None:
    assert links_of(str(file)) == 1
    os.link(file, file.parent / "other")
    assert links_of(str(file)) == 2
    with pytest.raises(HostError) as caught:
        links_of(str(file.parent / "missing"))
    assert caught.value.message == f"{file.parent}/missing: No such file or directory"


def test_lock_of_a_directory_is_waited_for(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with directory_lock(str(tmp_path)):
            order.append("second")

    thread = threading.Thread(target=second)
    with directory_lock(str(tmp_path)):
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert os.listdir(tmp_path) == []


def test_lock_that_is_not_given_up_is_an_error(tmp_path: Path) -> None:
    begun = time.monotonic()
    with directory_lock(str(tmp_path)), pytest.raises(HostError) as caught, directory_lock(str(tmp_path), 0.1):
        pass
    assert time.monotonic() - begun < 3
    assert caught.value.message == (
        f"{tmp_path}: another run has held the lock for more than 0.1 s; try again when it has finished"
    )


def test_lock_of_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught, directory_lock(str(tmp_path / "missing")):
        pass
    assert caught.value.message == (
        f"{tmp_path}/missing: No such file or directory; create the directory or correct the path"
    )


@pytest.fixture(name="protected")
def _protected(monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """Paths that nobody can write to, whoever runs the tests."""
    paths: set[Path] = set()

    def access(path: str, mode: int, *, effective_ids: bool) -> bool:
        assert (mode, effective_ids) == (os.W_OK, True)
        return Path(path) not in paths

    monkeypatch.setattr(files.os, "access", access)
    return paths


def test_file_that_can_be_written_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    refuse_unwritable(str(tmp_path / "there"), str(tmp_path / "new"), str(tmp_path / "nowhere" / "x"))


@pytest.mark.parametrize(
    ("uid", "flags", "why"),
    [
        (0, os.ST_RDONLY, "is on a file system that is read-only; mount its file system for writing"),
        (0, 0, "is immutable; run chattr -i {place}"),
        (7, 0, "is not writable for this user; run as root (become: true)"),
    ],
)
@pytest.mark.parametrize("name", ["", "x"])
def test_file_that_cannot_be_replaced_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: set[Path], name: str, uid: int, flags: int, why: str
) -> None:
    place = tmp_path / name
    (tmp_path / "x").write_text("")
    (tmp_path / "link").symlink_to("x")
    protected.add(place)
    monkeypatch.setattr(files.os, "geteuid", lambda: uid)
    monkeypatch.setattr(files.os, "statvfs", lambda _place: SimpleNamespace(f_flag=flags))
    for path in (tmp_path / "x", tmp_path / "link"):
        with pytest.raises(HostError) as caught:
            refuse_unwritable(str(path))
        told = why.format(place=place)
        assert caught.value.message == f"{path}: can't be changed: {place} {told}"
