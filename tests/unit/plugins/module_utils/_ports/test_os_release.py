# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import ALPINE, DEBIAN
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import os_release


def test_family_is_that_of_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os_release, "OS_RELEASE", str(tmp_path / "os-release"))
    assert os_release.family_of_host() == DEBIAN
    (tmp_path / "os-release").write_bytes(b'NAME="\xff"\nID=alpine\n')
    assert os_release.family_of_host() == ALPINE
