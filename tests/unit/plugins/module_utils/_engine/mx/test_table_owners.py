# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.table_owners import not_ours

NOBODY_HAS = 3_999_999_999


@pytest.fixture(name="etc")
def _etc(tmp_path: Path) -> Path:
    (tmp_path / "etc" / "tables").mkdir(parents=True)
    (tmp_path / "etc" / "transport").touch()
    (tmp_path / "etc" / "tables" / "transport").touch()
    (tmp_path / "transport").touch()
    return tmp_path / "etc"


@pytest.mark.parametrize("name", ["transport", "tables/transport", "not/there"])
def test_what_nobody_else_can_write_is_ours(etc: Path, name: str) -> None:
    assert not_ours(str(etc / name), str(etc)) == ""


def test_configuration_directory_is_ours_whoever_can_write_in_it(etc: Path) -> None:
    etc.chmod(0o777)
    assert not_ours(str(etc / "transport"), str(etc)) == ""


def test_what_is_outside_is_not_ours(etc: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "transport", tmp_path / "etcetera"):
        assert not_ours(str(path), str(etc)) == f"it is outside {etc}"


def test_our_link_to_what_is_outside_is_ours_unless_others_write_there(etc: Path, tmp_path: Path) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv" / "transport").touch()
    (etc / "link").symlink_to(tmp_path / "srv" / "transport")
    assert not_ours(str(etc / "link"), str(etc)) == ""
    (tmp_path / "srv").chmod(0o777)
    assert not_ours(str(etc / "link"), str(etc)) == f"others can write in {tmp_path}/srv"


def test_link_to_the_configuration_directory_is_as_good_as_itself(etc: Path, tmp_path: Path) -> None:
    (tmp_path / "postfix").symlink_to(etc)
    assert not_ours(str(tmp_path / "postfix" / "transport"), str(etc)) == ""
    assert not_ours(str(etc / "transport"), str(tmp_path / "postfix")) == ""


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_folder_in_which_others_write_is_not_ours(etc: Path, mode: int) -> None:
    (etc / "tables").chmod(mode)
    assert not_ours(str(etc / "tables" / "transport"), str(etc)) == f"others can write in {etc}/tables"


def test_file_of_another_user_is_not_ours(etc: Path) -> None:
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert not_ours(str(etc / "transport"), str(etc), {NOBODY_HAS}) == f"{etc}/transport belongs to {user}"
