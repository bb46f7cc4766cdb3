# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lab.images import CONTEXT

HOOK = CONTEXT / "compile_once.py"


def imported(folder: Path, path: Path) -> str:
    """What a Python says that imports `told` from the zip file, and keeps in the folder what it compiled."""
    hook = folder.parent / "lab_compile_once.py"
    hook.write_text(HOOK.read_text().replace("/var/cache/lab-compiled", str(folder)))
    code = f"import sys; sys.path[:0] = [{str(folder.parent)!r}, {str(path)!r}]; import lab_compile_once, told"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "kept"
    path.mkdir()
    return path


def packed(path: Path, source: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("told.py", source)
    return path


def test_what_is_imported_from_a_zip_file_is_compiled_once(folder: Path, tmp_path: Path) -> None:
    first = packed(tmp_path / "first.zip", "print('one', __file__)")
    assert imported(folder, first) == f"one {first}/told.py\n"
    (kept,) = folder.iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"one", b"two"))  # so that one sees who reads it
    again = packed(tmp_path / "again.zip", "print('one', __file__)")
    assert imported(folder, again) == f"two {again}/told.py\n"
    other = packed(tmp_path / "other.zip", "print('one more', __file__)")
    assert imported(folder, other) == f"one more {other}/told.py\n"
    assert len(list(folder.iterdir())) == 2


def test_without_a_folder_python_compiles_as_ever(tmp_path: Path) -> None:
    path = packed(tmp_path / "one.zip", "print('one')")
    assert imported(tmp_path / "none", path) == "one\n"
    assert not (tmp_path / "none").exists()
