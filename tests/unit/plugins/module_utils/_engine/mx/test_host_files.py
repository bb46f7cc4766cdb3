# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host_files import (
    shut_out,
    stale_copies,
    written,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState

ME = pwd.getpwuid(os.geteuid()).pw_name


def host(tmp_path: Path, chroot: str = "y", command: str = "smtp") -> HostState:
    (tmp_path / "etc").mkdir()
    (tmp_path / "queue/etc").mkdir(parents=True)
    (tmp_path / "etc/resolv.conf").write_text("nameserver 192.0.2.1\n")
    (tmp_path / "queue/etc/resolv.conf").write_text("nameserver 192.0.2.1\n")
    relay = Service("relay", "unix", "-", "-", chroot, "-", "-", command, {})
    return HostState(values={"queue_directory": str(tmp_path / "queue")}, services=[relay])


def test_equal_copies_are_fine(tmp_path: Path) -> None:
    assert stale_copies(host(tmp_path), str(tmp_path)) == []


def test_copy_that_differs_or_is_missing_is_named(tmp_path: Path) -> None:
    state = host(tmp_path)
    (tmp_path / "etc/resolv.conf").write_text("nameserver 192.0.2.2\n")
    (tmp_path / "etc/hosts").write_text("127.0.0.1 localhost\n")
    queue = tmp_path / "queue/etc"
    assert stale_copies(state, str(tmp_path)) == [str(queue / "resolv.conf"), str(queue / "hosts")]


@pytest.mark.parametrize(("chroot", "command"), [("n", "smtp"), ("y", "pipe")])
def test_copies_matter_only_where_delivery_is_in_the_chroot(tmp_path: Path, chroot: str, command: str) -> None:
    state = host(tmp_path, chroot, command)
    (tmp_path / "etc/resolv.conf").write_text("nameserver 192.0.2.2\n")
    assert stale_copies(state, str(tmp_path)) == []


@pytest.mark.parametrize(("mode", "expected"), [(0o400, ""), (0o044, ME)])
def test_mode_that_shuts_the_mail_owner_out_is_seen(tmp_path: Path, mode: int, expected: str) -> None:
    table = tmp_path / "table"
    table.write_text("a b\n")
    index = tmp_path / "table.db"
    index.write_text("")
    index.chmod(mode)
    assert shut_out(str(table), HostState(values={"mail_owner": ME})) == expected


def test_nobody_is_shut_out_of_what_is_not_there(tmp_path: Path) -> None:
    assert shut_out(str(tmp_path / "table"), HostState(values={"mail_owner": ME})) == ""
    assert shut_out(str(tmp_path), HostState(values={"mail_owner": "no such user"})) == ""


def test_time_of_writing_is_the_files(tmp_path: Path) -> None:
    table = tmp_path / "table"
    assert written(str(table)) is None
    table.write_text("a b\n")
    os.utime(table, (1000, 2000))
    assert written(str(table)) == 2000
