# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.build_cache import ENOUGH_BYTES, with_cache
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import LocalCommands
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

MAIN_CF = b"smtputf8_enable = no\nmyorigin = x.example"


@pytest.fixture(name="stage")
def fixture_stage(tmp_path: pathlib.Path) -> pathlib.Path:
    stage = tmp_path / "stage"
    stage.mkdir()
    (tmp_path / "main.cf").write_bytes(MAIN_CF)
    return stage


def test_long_berkeley_db_table_gets_cache_for_all_of_it(stage: pathlib.Path) -> None:
    postfix = Postfix(LocalCommands(), str(stage.parent))
    builder = with_cache(postfix, "/etc/postfix/table.db", ENOUGH_BYTES + 1, str(stage))
    assert builder.config_directory == str(stage / ".configuration")
    main_cf = pathlib.Path(builder.config_directory) / "main.cf"
    assert main_cf.read_bytes() == MAIN_CF + b"\nberkeley_db_create_buffer_size = 8388610\n"
    assert (main_cf.stat().st_mtime, oct(main_cf.stat().st_mode & 0o7777)) == (0, "0o600")
    assert with_cache(postfix, "/t.db", 1 << 40, str(_other(stage))).config_directory.endswith(".configuration")
    assert b" = 268435456\n" in (_other(stage) / ".configuration/main.cf").read_bytes()


def _other(stage: pathlib.Path) -> pathlib.Path:
    os.makedirs(stage.parent / "other", exist_ok=True)
    return stage.parent / "other"


@pytest.mark.parametrize(
    ("index", "length", "main_cf"),
    [
        ("/etc/postfix/table.db", ENOUGH_BYTES, MAIN_CF),
        ("/etc/postfix/table.lmdb", 1 << 30, MAIN_CF),
        ("/etc/postfix/table.cdb", 1 << 30, MAIN_CF),
        ("/etc/postfix/table.db", 1 << 30, MAIN_CF + b"\nberkeley_db_create_buffer_size = 1000000\n"),
        ("/etc/postfix/table.db", 1 << 30, None),
    ],
)
def test_every_other_table_is_built_as_main_cf_says(
    stage: pathlib.Path, index: str, length: int, main_cf: bytes | None
) -> None:
    (stage.parent / "main.cf").unlink()
    if main_cf is not None:
        (stage.parent / "main.cf").write_bytes(main_cf)
    postfix = Postfix(LocalCommands(), str(stage.parent))
    assert with_cache(postfix, index, length, str(stage)) is postfix
    assert list(stage.iterdir()) == []
