# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import (
    refuse_open_place,
    refuse_open_scratch,
)

# A user whom no host has, so that the message shows the number.
STRANGER = 4123456789


class Refusal(NamedTuple):
    cause: str
    remedy: str

    def of(self, path: Path) -> str:
        return (
            f"{path}: {self.cause}, who could make root change other files there; "
            f"let root alone write to it ({self.remedy}), or use another directory"
        )


def refused(path: Path) -> str:
    with pytest.raises(HostError) as caught:
        refuse_open_place(str(path))
    return caught.value.message


def owned(monkeypatch: pytest.MonkeyPatch, *theirs: Path) -> None:
    """Lets these paths belong to somebody else, which only root could do."""
    stat_, lstat = os.stat, os.lstat

    def given_away(status: os.stat_result, path: object) -> os.stat_result:
        if str(path) not in map(str, theirs):
            return status
        return os.stat_result((*status[:4], STRANGER, *status[5:]))

    monkeypatch.setattr(os, "stat", lambda path: given_away(stat_(path), path))
    monkeypatch.setattr(os, "lstat", lambda path: given_away(lstat(path), path))


def test_place_of_root_alone_is_taken_whether_the_file_is_there_or_not(tmp_path: Path) -> None:
    (tmp_path / "table").touch()
    refuse_open_place(str(tmp_path / "table"))
    refuse_open_place(str(tmp_path / "missing"))
    refuse_open_place(str(tmp_path / "missing" / "table"))
    refuse_open_place(str(tmp_path / "table" / "below-a-file"))


@pytest.mark.parametrize(("mode", "who"), [(0o775, "its group"), (0o777, "everybody"), (0o1777, "everybody")])
def test_directory_that_others_write_to_is_refused(tmp_path: Path, mode: int, who: str) -> None:
    place = tmp_path / "tables"
    place.mkdir()
    place.chmod(mode)
    expected = Refusal(f"{place} can be written to by {who}", f"chmod go-w {place}")
    assert refused(place / "table") == expected.of(place / "table")


def test_directory_of_another_user_is_refused_and_one_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "tables"
    (place / "below").mkdir(parents=True)
    owned(monkeypatch, place)
    expected = Refusal(f"{place} belongs to {STRANGER}", f"chown root {place}")
    assert refused(place / "table") == expected.of(place / "table")
    assert refused(place / "below" / "table") == expected.of(place / "below" / "table")


def test_directory_above_may_be_shared_like_tmp_and_not_otherwise(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (shared / "tables").mkdir(parents=True)
    shared.chmod(0o1777)
    refuse_open_place(str(shared / "tables" / "table"))
    shared.chmod(0o777)
    expected = Refusal(f"{shared} can be written to by everybody", f"chmod go-w {shared}")
    assert refused(shared / "tables" / "table") == expected.of(shared / "tables" / "table")


def test_links_that_root_made_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "table").touch()
    (tmp_path / "directory").symlink_to("real")
    (tmp_path / "table").symlink_to("directory/../real/table")
    (tmp_path / "absolute").symlink_to(tmp_path / "table")
    for name in ("directory/table", "table", "absolute"):
        refuse_open_place(str(tmp_path / name))


def test_link_into_a_directory_of_others_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "theirs"
    place.mkdir()
    (tmp_path / "table").symlink_to(place / "table")
    (tmp_path / "link").symlink_to(place)
    place.chmod(0o777)
    expected = Refusal(f"{place} can be written to by everybody", f"chmod go-w {place}")
    assert refused(tmp_path / "table") == expected.of(tmp_path / "table")
    assert refused(tmp_path / "link" / "table") == expected.of(tmp_path / "link" / "table")


def test_link_that_another_user_made_in_a_shared_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (tmp_path / "tables").mkdir()
    link = shared / "tables"
    link.symlink_to(tmp_path / "tables")
    shared.chmod(0o1777)
    refuse_open_place(str(link / "table"))
    owned(monkeypatch, link)
    assert refused(link / "table") == Refusal(f"{link} belongs to {STRANGER}", f"chown root {link}").of(link / "table")


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert refused(tmp_path / "a") == f"{tmp_path}/a: too many symbolic links; correct them"


def test_directory_for_scratch_is_sticky_or_of_root_alone(tmp_path: Path) -> None:
    for mode in (0o700, 0o755, 0o1777):
        tmp_path.chmod(mode)
        refuse_open_scratch(str(tmp_path))
    tmp_path.chmod(0o777)
    with pytest.raises(HostError) as caught:
        refuse_open_scratch(str(tmp_path))
    expected = Refusal(f"{tmp_path} can be written to by everybody", f"chmod go-w {tmp_path}")
    assert caught.value.message == expected.of(tmp_path)
