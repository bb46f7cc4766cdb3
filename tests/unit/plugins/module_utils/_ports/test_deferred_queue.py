# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.deferred_queue import due_times


def queue_file(directory: pathlib.Path, name: str, due: int) -> None:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (due, due))


def test_files_are_found_however_they_are_spread(tmp_path: pathlib.Path) -> None:
    queue_file(tmp_path, "deferred/A/A1", 1000)
    queue_file(tmp_path, "deferred/B/2/B2", 2000)
    queue_file(tmp_path, "deferred/C3", 3000)
    queue_file(tmp_path, "active/D4", 4000)
    assert due_times(str(tmp_path)) == {"A1": 1000, "B2": 2000, "C3": 3000}
    assert len(due_times(str(tmp_path), 2)) == 2


def test_queue_that_is_not_there_has_none(tmp_path: pathlib.Path) -> None:
    assert due_times(str(tmp_path / "gone")) == {}
