# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.program_archive import program_archive

UTILS = "ansible_collections.mxrelay.postfix.plugins.module_utils"


def test_program_runs_without_the_collection(tmp_path: Path) -> None:
    path = tmp_path / "program.pyz"
    path.write_bytes(program_archive(f"{UTILS}._ports.limits_guard", sys.executable))
    path.chmod(0o755)
    done = subprocess.run([path], cwd="/", env={}, capture_output=True, text=True, check=False)
    # limits_guard's own main takes two words.
    assert "missing 1 required positional argument: 'unit'" in done.stderr
    assert done.returncode == 1


def test_archive_has_what_is_imported_anywhere_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "program.pyz"
    path.write_bytes(program_archive(f"{UTILS}._ports.network", sys.executable))
    names = [name.partition("module_utils/")[2] for name in zipfile.ZipFile(path).namelist()]
    assert "_ports/served_certificate.py" in names
    assert "_model/evidence/__init__.py" in names
    assert "_ports/postfix.py" not in names
    assert not [name for name in names if name.startswith(("_engine", "_ansible"))]


def test_same_sources_make_the_same_bytes() -> None:
    made = [program_archive(f"{UTILS}._model.quoted", "/usr/bin/python3") for _time in range(2)]
    assert made[0] == made[1]
    assert made[0].startswith(b"#!/usr/bin/python3 -IB\nPK")
