# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import QueueSpace
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import free_space as module
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.free_space import free_space


@pytest.mark.parametrize(("files", "inodes"), [(9, 7), (0, None)])
def test_what_is_free_for_others_than_root_counts(
    monkeypatch: pytest.MonkeyPatch, files: int, inodes: int | None
) -> None:
    found = SimpleNamespace(f_bavail=3, f_bfree=5, f_frsize=4096, f_files=files, f_favail=7)
    monkeypatch.setattr(module.os, "statvfs", lambda _directory: found)
    assert free_space("/queue") == QueueSpace("/queue", 12288, inodes)


def test_directory_that_is_not_there_has_no_space(tmp_path: Path) -> None:
    assert free_space(str(tmp_path / "none")) is None
    here = free_space(str(tmp_path))
    assert here is not None and here.free > 0 and os.path.samefile(here.directory, tmp_path)
