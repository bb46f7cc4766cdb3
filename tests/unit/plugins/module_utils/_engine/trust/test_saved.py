# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust import saved
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust.saved import (
    discard,
    note_written,
    put_back,
    put_file,
    remove_file,
    save,
    saved_directory,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import metadata_of
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMxHost:
    monkeypatch.setattr(saved, "_NEW_FILE", metadata_of(str(tmp_path)))
    return FakeMxHost(str(tmp_path), "a = 1\n")


def paths(host: FakeMxHost) -> list[str]:
    return [host.path("main.cf"), host.path("trusted_mx")]


def text(host: FakeMxHost, name: str) -> str:
    with open(host.path(name), encoding="utf-8") as stream:
        return stream.read()


def test_files_get_their_bytes_back_and_new_ones_go(host: FakeMxHost) -> None:
    save(host.postfix(), paths(host))
    host.write("main.cf", "a = 2\n")
    host.write("trusted_mx", "192.0.2.1 permit\n")
    note_written(host.postfix(), paths(host))
    assert os.stat(saved_directory(host.postfix())).st_mode & 0o777 == 0o700
    assert put_back(host.postfix(), paths(host)) == []
    assert (text(host, "main.cf"), os.path.exists(host.path("trusted_mx"))) == ("a = 1\n", False)


def test_where_others_have_changed_a_file_since_none_is_put_back(host: FakeMxHost) -> None:
    save(host.postfix(), paths(host))
    host.write("main.cf", "a = 2\n")
    host.write("trusted_mx", "192.0.2.1 permit\n")
    note_written(host.postfix(), paths(host))
    host.write("main.cf", "a = 3\n")
    assert put_back(host.postfix(), paths(host)) == [host.path("main.cf")]
    assert (text(host, "main.cf"), os.path.exists(host.path("trusted_mx"))) == ("a = 3\n", True)


def test_change_that_was_cut_off_is_put_back_whatever_is_there(host: FakeMxHost) -> None:
    save(host.postfix(), paths(host))
    host.write("main.cf", "a = 2\n")
    assert put_back(host.postfix(), paths(host)) == []
    assert text(host, "main.cf") == "a = 1\n"


def test_copies_that_another_run_left_are_replaced(host: FakeMxHost) -> None:
    save(host.postfix(), paths(host))
    host.write("main.cf", "a = 2\n")
    save(host.postfix(), paths(host))
    host.write("main.cf", "a = 3\n")
    put_back(host.postfix(), paths(host))
    assert text(host, "main.cf") == "a = 2\n"


def test_without_copies_nothing_can_be_put_back(host: FakeMxHost) -> None:
    save(host.postfix(), paths(host))
    discard(host.postfix())
    discard(host.postfix())
    with pytest.raises(HostError, match="no longer has the files from before this run"):
        put_back(host.postfix(), paths(host))


def test_file_keeps_its_mode_and_can_be_removed_twice(host: FakeMxHost) -> None:
    os.chmod(host.path("main.cf"), 0o640)
    put_file(host.path("main.cf"), b"a = 4\n")
    assert (text(host, "main.cf"), os.stat(host.path("main.cf")).st_mode & 0o777) == ("a = 4\n", 0o640)
    remove_file(host.path("main.cf"))
    remove_file(host.path("main.cf"))
    assert not os.path.exists(host.path("main.cf"))
