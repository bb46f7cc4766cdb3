# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from release import guide


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the release's files, and beside it a home for gpg that knows no key."""
    (tmp_path / "gpg").mkdir(mode=0o700)
    return Path(shutil.copytree(guide.FILES, tmp_path / "files"))
