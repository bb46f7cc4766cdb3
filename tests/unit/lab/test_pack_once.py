# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible import constants

from lab.callbacks.pack_once import CallbackModule, state_of


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    path = tmp_path / "plugins/modules/transport.py"
    path.parent.mkdir(parents=True)
    path.write_text("ONE = 1\n")
    return tmp_path / "plugins"


def test_packed_modules_are_shared_until_a_file_is_another(
    plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MXRELAY_LAB_PLUGINS", str(plugins))
    monkeypatch.setenv("MXRELAY_LAB_PACKED", str(tmp_path / "packed"))
    for run in ("first", "second"):
        (tmp_path / run).mkdir()
        monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / run))
        CallbackModule()
    (tmp_path / "first/ansiballz_cache/transport").write_text("packed")
    assert (tmp_path / "second/ansiballz_cache/transport").read_text() == "packed"

    (plugins / "modules/transport.py").write_text("ONE = 2\n")
    (tmp_path / "third").mkdir()
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "third"))
    CallbackModule()
    assert [path.name for path in (tmp_path / "packed").iterdir()] == [state_of(plugins)]
    assert list((tmp_path / "third/ansiballz_cache").iterdir()) == []


def test_state_is_what_the_files_say(plugins: Path) -> None:
    before = state_of(plugins)
    os.utime(plugins / "modules/transport.py", ns=(1, 1))
    assert state_of(plugins) == before
    (plugins / "modules/new.py").write_text("")
    assert state_of(plugins) != before
