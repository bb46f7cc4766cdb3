# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request is known again only by the code that made its name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.plugin_utils import recipient_task
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_task import code_digest, request_name

LAYERS = ("_model", "_ports", "_engine", "_ansible")
FILES = sorted(
    path.relative_to(recipient_task.PLUGINS).as_posix()
    for layer in LAYERS
    for path in (recipient_task.PLUGINS / "module_utils" / layer).rglob("*.py")
)


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("collection") / "plugins"
    shutil.copytree(recipient_task.PLUGINS, copy)
    return copy


def no_files(path: str) -> bytes:
    raise AssertionError(path)


def _fresh_digest(folder: Path) -> str:
    code_digest.cache_clear()
    return code_digest(folder)


@pytest.mark.parametrize("file", FILES)
def test_changed_code_anywhere_in_the_layers_makes_another_digest(plugins: Path, file: str) -> None:
    before, content = _fresh_digest(plugins), (plugins / file).read_bytes()
    (plugins / file).write_bytes(content + b"\n")
    after = _fresh_digest(plugins)
    (plugins / file).write_bytes(content)
    assert after != before
    assert _fresh_digest(plugins) == before


def test_code_that_moves_makes_another_digest(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = _fresh_digest(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.py").rename(tmp_path / "sub" / "a.py")
    assert _fresh_digest(tmp_path) != before


def test_what_is_compiled_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = _fresh_digest(tmp_path)
    (tmp_path / "a.pyc").write_bytes(b"compiled")
    assert _fresh_digest(tmp_path) == before


def test_name_of_a_request_depends_on_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"recipients": ["alice@x.example"]}
    before = request_name(given, no_files)
    monkeypatch.setattr(recipient_task, "code_digest", lambda: "other code")
    after = request_name(given, no_files)
    assert after.has == before.has
    assert after.name != before.name
