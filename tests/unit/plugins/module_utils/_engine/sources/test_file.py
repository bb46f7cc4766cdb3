# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources import file
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.file import read_file_source
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import source_definition
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading


def read(path: Path, **options: Any) -> Reading:
    return read_file_source(source_definition({"type": "file", "path": str(path), **options}))


def test_list_is_read_in_its_format(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("name;mail\nAnn;ann@x.example\nBob;bob\nX;not an address@y.example\n")
    found = read(path, format="csv", column="mail", delimiter=";", default_domain="x.example", skip_invalid=True)
    assert found == Reading(("ann@x.example", "bob@x.example"), skipped=1)


def test_file_that_is_not_there_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path / "list")
    message = f"{tmp_path}/list is not there; correct the path of the source, or have the list written"
    assert caught.value.message == message


def test_what_is_no_file_can_not_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list")
    with pytest.raises(SourceError) as caught:
        read(tmp_path / "list")
    assert caught.value.message == f"{tmp_path}/list: is a fifo, not a regular file; correct the path"


def test_file_that_is_written_meanwhile_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list"
    path.write_text("a@x.example\nb@x.example\n")

    def read_and_replace(name: str) -> bytes:
        content = path.read_bytes()
        (tmp_path / "new").write_text("a@x.example\n")
        os.replace(tmp_path / "new", name)
        return content

    monkeypatch.setattr(file, "read_file", read_and_replace)
    with pytest.raises(SourceError) as caught:
        read(path)
    assert caught.value.message == (
        f"{path} was written while it was read; have it written aside, and moved into place then"
    )
