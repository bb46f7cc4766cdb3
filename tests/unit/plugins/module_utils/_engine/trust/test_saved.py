# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import RunRecord, begin, own_record
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust import saved
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust.saved import (
    note_written,
    put_back,
    put_file,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import metadata_of, remove_file
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMxHost:
    monkeypatch.setattr(saved, "_NEW_FILE", metadata_of(str(tmp_path)))
    return FakeMxHost(str(tmp_path), "a = 1\n")


def begun(host: FakeMxHost) -> RunRecord:
    return begin(host.postfix(), RunRecord(), [host.path("main.cf"), host.path("trusted_mx")])[0]


def noted(host: FakeMxHost, record: RunRecord) -> RunRecord:
    note_written(host.postfix(), record)
    found = own_record(host.postfix(), record.name)
    assert found is not None
    return found


def text(host: FakeMxHost, name: str) -> str:
    with open(host.path(name), encoding="utf-8") as stream:
        return stream.read()


def test_files_get_their_bytes_back_and_new_ones_go(host: FakeMxHost) -> None:
    record = begun(host)
    host.write("main.cf", "a = 2\n")
    host.write("trusted_mx", "192.0.2.1 permit\n")
    assert put_back(host.postfix(), noted(host, record)) == []
    assert (text(host, "main.cf"), os.path.exists(host.path("trusted_mx"))) == ("a = 1\n", False)


def test_where_others_have_changed_a_file_since_none_is_put_back(host: FakeMxHost) -> None:
    record = begun(host)
    host.write("main.cf", "a = 2\n")
    host.write("trusted_mx", "192.0.2.1 permit\n")
    record = noted(host, record)
    host.write("main.cf", "a = 3\n")
    assert put_back(host.postfix(), record) == [host.path("main.cf")]
    assert (text(host, "main.cf"), os.path.exists(host.path("trusted_mx"))) == ("a = 3\n", True)


def test_change_that_was_cut_off_is_put_back_whatever_is_there(host: FakeMxHost) -> None:
    record = begun(host)
    host.write("main.cf", "a = 2\n")
    assert put_back(host.postfix(), record) == []
    assert text(host, "main.cf") == "a = 1\n"


def test_file_keeps_its_mode_and_can_be_removed_twice(host: FakeMxHost) -> None:
    os.chmod(host.path("main.cf"), 0o640)
    put_file(host.path("main.cf"), b"a = 4\n")
    assert (text(host, "main.cf"), os.stat(host.path("main.cf")).st_mode & 0o777) == ("a = 4\n", 0o640)
    remove_file(host.path("main.cf"))
    remove_file(host.path("main.cf"))
    assert not os.path.exists(host.path("main.cf"))
