# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import sent_lists
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.sent_lists import (
    SECONDS_TO_LIVE,
    leave_list,
    remove_abandoned,
    take_up,
)

NAME = "recipients-" + "0a" * 32


def sent(folder: Path, run: str, name: str = NAME, seconds: int = SECONDS_TO_LIVE + 60) -> Path:
    """A list that was last written so long ago."""
    path = folder / run / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("alice@x.example\n")
    os.utime(path, (0, time.time() - seconds))
    return path


def test_list_is_gone_once_it_is_taken_up(tmp_path: Path) -> None:
    path = sent(tmp_path, "ansible-tmp-1")
    read = take_up(str(path))
    assert path.parent.exists()
    assert not path.exists()
    assert [read(), read()] == [b"alice@x.example\n"] * 2
    with pytest.raises(InvalidInput, match="is not on the host"):
        take_up(str(path))


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    abandoned = sent(tmp_path, "ansible-tmp-1")
    other = sent(tmp_path, "ansible-tmp-2", "AnsiballZ_setup.py")
    beside = sent(tmp_path, "ansible-tmp-2")
    elsewhere = sent(tmp_path, "others")
    alive = sent(tmp_path, "ansible-tmp-3", seconds=SECONDS_TO_LIVE - 60)
    target = sent(tmp_path / "far", "x")
    (tmp_path / "ansible-tmp-4").symlink_to(target.parent)
    (tmp_path / "ansible-tmp-5").mkdir()
    link = tmp_path / "ansible-tmp-5" / NAME
    link.symlink_to(target)
    remove_abandoned(str(tmp_path))
    assert [path.exists() for path in (abandoned, abandoned.parent, beside)] == [False, False, False]
    assert [path.exists() for path in (other, elsewhere, alive, target, link)] == [True] * 5


@pytest.mark.parametrize("login", ["SUDO_USER", "DOAS_USER", ""])
def test_folder_is_that_of_who_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: str) -> None:
    homes = {"~u": "u", "~": "root"}
    for name in ("SUDO_USER", "DOAS_USER"):
        monkeypatch.delenv(name, raising=False)
    if login:
        monkeypatch.setenv(login, "u")

    def expanduser(path: str) -> str:
        user, _slash, rest = path.partition("/")
        return str(tmp_path / homes[user] / rest)

    monkeypatch.setattr(sent_lists.os.path, "expanduser", expanduser)
    ours = [sent(tmp_path / home / ".ansible" / "tmp", "ansible-tmp-1") for home in ("u", "root")]
    remove_abandoned("~/.ansible/tmp")
    assert [path.exists() for path in ours] == [not login, False]


def test_folder_that_is_not_there_is_nothing(tmp_path: Path) -> None:
    remove_abandoned(str(tmp_path / "nowhere"))


def test_list_is_left_for_the_owner_of_the_folder_alone(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    path = tmp_path / NAME
    leave_list(str(path), b"alice@x.example\n")
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (65534, 65534, 0o600)
    assert path.read_bytes() == b"alice@x.example\n"


def test_list_is_not_left_where_something_is(tmp_path: Path) -> None:
    (tmp_path / NAME).symlink_to(tmp_path / "other")
    with pytest.raises(HostError) as caught:
        leave_list(str(tmp_path / NAME), b"alice@x.example\n")
    assert caught.value.message == f"{tmp_path / NAME}: the list can't be left for the controller: File exists"
    assert not (tmp_path / "other").exists()
