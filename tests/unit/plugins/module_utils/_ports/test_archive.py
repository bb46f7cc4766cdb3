# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
import zipfile
import zipimport
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.archive import Importer, compile_once


@pytest.fixture(name="archive")
def archive_of_modules(tmp_path: Path) -> Path:
    path = tmp_path / "modules.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("outer/__init__.py", "")
        archive.writestr("outer/inner/__init__.py", "WORD = 'package'")
        archive.writestr("outer/inner/module.py", "WORD = 'module'")
        archive.writestr("outer/wrong.py", "WORD = ")
    return path


@pytest.mark.parametrize(
    "folder, name", [("", "outer"), ("outer", "outer.inner"), ("outer/inner", "outer.inner.module")]
)
def test_names_of_files_are_those_of_python(archive: Path, folder: str, name: str) -> None:
    place = str(archive / folder)
    assert Importer(place).get_filename(name) == zipimport.zipimporter(place).get_filename(name)


def test_name_of_a_file_is_not_asked_of_the_compiler(archive: Path) -> None:
    with pytest.raises(SyntaxError):
        zipimport.zipimporter(str(archive / "outer")).get_filename("outer.wrong")
    assert Importer(str(archive / "outer")).get_filename("outer.wrong") == str(archive / "outer" / "wrong.py")


def test_module_that_is_not_there_is_none(archive: Path) -> None:
    with pytest.raises(ImportError):
        Importer(str(archive)).get_filename("nothing")


def test_packages_are_imported_by_it(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(archive), *sys.path])
    monkeypatch.setattr(sys, "path_hooks", list(sys.path_hooks))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    compile_once()
    assert zipimport.zipimporter not in sys.path_hooks
    from outer.inner import WORD, module  # type: ignore[import-not-found]

    assert (WORD, module.WORD) == ("package", "module")
    assert isinstance(module.__loader__, Importer)
    assert module.__file__ == str(archive / "outer" / "inner" / "module.py")
