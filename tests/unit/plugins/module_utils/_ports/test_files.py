# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import files
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    MOST_BYTES,
    Metadata,
    links_of,
    metadata_of,
    put_private_file,
    read_file,
    reason,
    refuse_unwritable,
    replace_file,
    run_lock,
    text_of,
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
    assert caught.value.message == f"{tmp_path}: is a directory, not a regular file; correct the path"


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


def test_metadata_is_not_given_to_what_a_link_names(file: Path) -> None:
    link = file.parent / "link"
    link.symlink_to(file)
    with pytest.raises(HostError) as caught:
        Metadata(os.geteuid(), os.getegid(), 0o666).apply(str(link))
    assert caught.value.message == (
        f"{link}: owner, mode or attributes can't be set: Too many levels of symbolic links"
    )
    assert file.stat().st_mode & 0o777 == 0o640


def test_metadata_goes_to_the_file_that_was_written_whatever_is_in_its_place(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = file.parent / "new"
    chown = os.fchown

    def swapped(descriptor: int, uid: int, gid: int) -> None:
        new.unlink()
        new.symlink_to(file)
        chown(descriptor, uid, gid)

    monkeypatch.setattr(os, "fchown", swapped)
    write_new_file(str(new), b"text", Metadata(os.geteuid(), os.getegid(), 0o666))
    assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("kind", ["fifo", "device", "socket", "directory"])
def test_only_a_regular_file_is_read_and_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "list"
    told = f"{path}: is a {kind}, not a regular file; correct the path"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "directory":
        path.mkdir()
    else:
        socket.socket(socket.AF_UNIX).bind(str(path))
        told = f"{path}: No such device or address"
    with pytest.raises(HostError) as caught:
        read_file(str(path))
    assert caught.value.message == told


def test_long_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.touch()
    os.truncate(path, MOST_BYTES + 1)
    with pytest.raises(HostError) as caught:
        read_file(str(path))
    assert caught.value.message == f"{path}: is longer than {MOST_BYTES} bytes; correct the path, or shorten the file"
    os.truncate(path, 11)
    assert read_file(str(path), 11) == bytes(11)
    with pytest.raises(HostError):
        read_file(str(path), 10)


def test_file_without_a_length_is_read_whole() -> None:
    assert read_file("/proc/version", 1 << 20) == Path("/proc/version").read_bytes()


def test_file_that_grows_while_it_is_read_is_not_read_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list"
    path.write_bytes(bytes(3 << 20))
    fstat = os.fstat

    def grown(descriptor: int) -> os.stat_result:
        status = fstat(descriptor)
        os.truncate(path, status.st_size + 1)
        return status

    monkeypatch.setattr(os, "fstat", grown)
    with pytest.raises(HostError) as caught:
        read_file(str(path))
    assert caught.value.message == f"{path}: is being written; run again when it is complete"


@pytest.fixture(name="lock_file")
def _lock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "run.lock"
    monkeypatch.setattr(files, "_lock_file", lambda: str(path))
    return path


def test_lock_is_waited_for(lock_file: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with run_lock():
            order.append("second")

    thread = threading.Thread(target=second)
    with run_lock():
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert lock_file.stat().st_mode & 0o777 == 0o600


def test_lock_that_is_not_given_up_is_an_error(lock_file: Path) -> None:
    begun = time.monotonic()
    with run_lock(), pytest.raises(HostError) as caught, run_lock(seconds=0.1):
        pass
    assert time.monotonic() - begun < 3
    assert caught.value.message == (
        f"{lock_file}: another run has held the lock for more than 0.1 s; try again when it has finished"
    )


def test_nothing_is_made_for_a_run_that_only_reads_but_it_waits_for_others(lock_file: Path) -> None:
    with run_lock(create=False):
        assert not lock_file.exists()
    with run_lock(), pytest.raises(HostError, match="another run"), run_lock(create=False, seconds=0.1):
        pass


@pytest.mark.parametrize("kind", ["open to others", "fifo"])
def test_lock_that_others_could_hold_is_refused(lock_file: Path, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo(lock_file, 0o600)
    else:
        lock_file.touch()
        lock_file.chmod(0o644)
    with pytest.raises(HostError) as caught, run_lock():
        pass
    assert caught.value.message == (
        f"{lock_file}: is not a file of this user alone, so others could lock it; remove it"
    )


def test_lock_without_its_directory_is_an_error(lock_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = lock_file.parent / "missing" / "run.lock"
    monkeypatch.setattr(files, "_lock_file", lambda: str(missing))
    with pytest.raises(HostError) as caught, run_lock():
        pass
    assert caught.value.message == f"{missing}: {missing.parent} does not exist; create it"


def test_lock_of_root_is_where_only_root_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert files._lock_file() == files.LOCK_FILE
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    assert os.path.basename(files._lock_file()) == "mxrelay-1234.lock"


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


def test_private_file_is_this_users_alone_and_goes_with_its_content(tmp_path: Path) -> None:
    place = tmp_path / "record"
    put_private_file(str(place), b"known")
    assert (place.read_bytes(), place.stat().st_mode & 0o777, place.stat().st_uid) == (b"known", 0o600, os.geteuid())
    for _time in range(2):
        put_private_file(str(place), None)
        assert not place.exists()
    place.mkdir()
    with pytest.raises(HostError, match=f"^{place}: .*; remove it$"):
        put_private_file(str(place), None)


def test_text_keeps_bytes_that_are_no_text_and_is_empty_without_a_file(tmp_path: Path) -> None:
    place = tmp_path / "main.cf"
    assert text_of(str(place)) == ""
    place.write_bytes(b"caf\xe9 = \xc3\xa9\n")
    assert text_of(str(place)).encode("utf-8", "surrogateescape") == b"caf\xe9 = \xc3\xa9\n"
