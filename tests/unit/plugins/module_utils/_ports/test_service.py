# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import service
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost


class HostWithoutSystemd(FakeMxHost):
    """A host that another init system runs; `systemctl` is what that command answers, if it is there."""

    systemctl: Result | None = None

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        if argv[0] != "systemctl":
            return super().run(argv, data, silence)
        if self.systemctl is None:
            raise FileNotFoundError(argv[0])
        return self.systemctl


@pytest.mark.parametrize(
    ("directory", "name"),
    [("/etc/postfix", "postfix"), ("/etc/postfix/", "postfix"), ("/etc/postfix-out", "postfix@postfix-out")],
)
def test_service_is_named_by_the_instance(directory: str, name: str) -> None:
    assert service.service_name(directory) == name


@pytest.mark.parametrize(
    ("directory", "name"),
    [
        ("/etc/postfix-out", "postfix@out"),
        ("/etc/postfix-out-2", "postfix@out\\x2d2"),
        ("/etc/postfix", "postfix"),
        ("/srv/other", "postfix@other"),
    ],
)
def test_service_is_named_as_debian_13_does_where_its_template_says_so(directory: str, name: str) -> None:
    template = "[Unit]\nAssertPathExists=/etc/postfix-%I/main.cf\n"
    assert service.service_name(directory, template) == name


@pytest.mark.parametrize(
    ("unit", "active", "enabled"),
    [
        ("ActiveState=active\nUnitFileState=enabled\n", True, True),
        ("ActiveState=failed\nUnitFileState=enabled\n", False, True),
        ("ActiveState=active\nUnitFileState=masked\n", True, False),
        ("ActiveState=active\nUnitFileState=\n", True, False),
    ],
)
def test_state_is_what_systemd_says(tmp_path: Path, unit: str, active: bool, enabled: bool) -> None:
    host = FakeMxHost(str(tmp_path))
    host.unit = unit
    state = service.service_state(host.postfix(), "/nowhere")
    assert (state.active, state.enabled, state.reload_pending) == (active, enabled, False)


@pytest.mark.parametrize("running", [True, False])
def test_instance_without_a_unit_is_asked_itself(tmp_path: Path, running: bool) -> None:
    host = FakeMxHost(str(tmp_path))
    host.unit = "LoadState=not-found\nActiveState=inactive\nUnitFileState=\n"
    host.running = running
    state = service.service_state(host.postfix(), "/nowhere")
    assert (state.active, state.enabled, state.unit) == (running, None, False)


@pytest.mark.parametrize(
    ("runlevel", "openrc", "enabled"),
    [("default", True, True), ("", True, False), ("default", False, None)],
)
@pytest.mark.parametrize("running", [True, False])
def test_openrc_tells_whether_postfix_starts_with_the_host_and_postfix_whether_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runlevel: str, openrc: bool, enabled: bool | None, running: bool
) -> None:
    (tmp_path / "etc/postfix").mkdir(parents=True)
    (tmp_path / "runlevels/default").mkdir(parents=True)
    if runlevel:
        (tmp_path / "runlevels" / runlevel / "postfix").symlink_to("/etc/init.d/gone")
    monkeypatch.setattr(service, "RUNLEVELS", str(tmp_path / "runlevels"))
    monkeypatch.setattr(service, "OPENRC", str(tmp_path / ("etc" if openrc else "gone")))
    host = HostWithoutSystemd(str(tmp_path / "etc/postfix"))
    host.running = running
    state = service.service_state(host.postfix(), "/nowhere")
    assert (state.name, state.active, state.enabled, state.unit) == ("postfix", running, enabled, True)


@pytest.mark.parametrize("openrc", [True, False])
def test_second_instance_has_no_service_without_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, openrc: bool
) -> None:
    (tmp_path / "postfix-out").mkdir()
    monkeypatch.setattr(service, "OPENRC", str(tmp_path if openrc else tmp_path / "gone"))
    state = service.service_state(HostWithoutSystemd(str(tmp_path / "postfix-out")).postfix(), "/nowhere")
    assert (state.active, state.enabled, state.unit) == (True, None, False)


def test_systemd_that_does_not_run_the_host_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "postfix").mkdir()
    host = HostWithoutSystemd(str(tmp_path / "postfix"))
    host.systemctl = Result(1, "", "System has not been booted with systemd as init system (PID 1).\n")
    state = service.service_state(host.postfix(), "/nowhere")
    assert (state.active, state.enabled, state.unit) == (True, None, True)


def written(tmp_path: Path, seconds: float) -> bool:
    """Whether a reload is pending where the files were written that long ago, and qmgr was started 100 s ago."""
    (tmp_path / "pid").mkdir(exist_ok=True)
    (tmp_path / "pid" / "master.pid").write_text("   77\n")
    for name in ("main.cf", "master.cf"):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (0, time.time() - seconds))
    return service.reload_pending(str(tmp_path), str(tmp_path))


def test_reload_is_pending_after_a_later_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = int((time.clock_gettime(time.CLOCK_BOOTTIME) - 100) * os.sysconf("SC_CLK_TCK"))
    monkeypatch.setattr(service, "_children", lambda master: [("qmgr", started)] if master == 77 else [])
    assert written(tmp_path, 50) is True
    assert written(tmp_path, 150) is False
    assert written(tmp_path, -3600) is False
    os.utime(tmp_path / "master.cf", (0, time.time() - 50))
    assert service.reload_pending(str(tmp_path), str(tmp_path)) is True
    monkeypatch.setattr(service, "_children", lambda _master: [])
    assert written(tmp_path, 50) is False


def test_nothing_is_pending_where_no_instance_runs(tmp_path: Path) -> None:
    assert service.reload_pending(str(tmp_path), str(tmp_path)) is False


SERVERS = [("smtpd", 90), ("smtpd", 100), ("smtpd", 101), ("qmgr", 100), ("pickup", 90)]


@pytest.mark.parametrize(
    ("children", "pending", "old"),
    [
        (SERVERS, False, 1),
        (SERVERS, True, 3),
        ([("nqmgr", 100), ("smtpd", 50), ("smtpd", 60)], False, 2),
        ([("smtpd", 90)], False, 0),
        ([], True, 0),
    ],
)
def test_sessions_from_before_the_reload_are_counted(
    children: list[tuple[str, int]], pending: bool, old: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pid").mkdir()
    (tmp_path / "pid" / "master.pid").write_text("   77\n")
    monkeypatch.setattr(service, "_children", lambda master: children if master == 77 else [])
    monkeypatch.setattr(service, "reload_pending", lambda *_directories: pending)
    assert service.old_sessions("/etc/postfix", str(tmp_path)) == old


def test_no_session_is_old_where_no_instance_runs(tmp_path: Path) -> None:
    assert service.old_sessions("/etc/postfix", str(tmp_path)) == 0


@pytest.mark.parametrize(
    ("managers", "end", "survives", "looks"),
    [
        ([50, 50, 0, 60], None, True, 4),
        ([60], None, True, 1),
        # The master sleeps a second before it ends, its old queue manager goes at once.
        ([50, 0, 0, 0], 3, False, 4),
    ],
)
def test_reload_is_through_with_another_queue_manager_or_the_end(
    managers: list[int], end: int | None, survives: bool, looks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, seen = FakeMxHost(str(tmp_path)), []
    host.running = True

    def children(_master: int) -> list[tuple[str, int]]:
        ticks = managers[len(seen)]
        if len(seen) == end:
            host.running = False
        seen.append(ticks)
        return [("smtpd", 99), *([("qmgr", ticks)] if ticks else [])]

    monkeypatch.setattr(service, "_master", lambda _directory: 77)
    monkeypatch.setattr(service, "_children", children)
    monkeypatch.setattr(service, "POLL_SECONDS", 0)
    assert service.survives_reload(host.postfix(), 50) is survives
    assert len(seen) == looks


def test_without_a_queue_manager_before_only_what_runs_counts(tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path))
    for running in (True, False):
        host.running = running
        assert service.survives_reload(host.postfix(), 0) is running
        assert service.reload_and_await(host.postfix()) is running
    host.running = True
    assert service.survives_reload(host.postfix(), 50, seconds=0.1) is True


def _start_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])


def test_children_are_told_by_name_and_start() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as first:
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as second:
            # In the order of the processes' numbers, which begin anew at their end.
            started = [_start_of(child.pid) for child in (first, second)]
            assert started[0] <= started[1]
            assert sorted(child for child in service._children(os.getpid()) if child[0] == "cat") == [
                ("cat", ticks) for ticks in started
            ]
            second.communicate()
        first.communicate()


def test_reload_is_told_by_the_start_of_the_queue_manager(tmp_path: Path) -> None:
    (tmp_path / "pid").mkdir()
    (tmp_path / "pid" / "master.pid").write_text(f"   {os.getpid()}\n")
    assert service.reloaded_at(str(tmp_path)) is None
    shutil.copy("/bin/cat", tmp_path / "qmgr")
    before = time.time()
    with subprocess.Popen([tmp_path / "qmgr"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        # Once it answers it has started.
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"ready\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"ready\n"
        started = service.reloaded_at(str(tmp_path))
    assert started is not None
    # It is told in hundredths of a second.
    assert before - 0.02 <= started <= time.time()


@pytest.mark.parametrize("pid", [None, "", "x"])
def test_reload_is_not_told_where_no_instance_has_run(pid: str | None, tmp_path: Path) -> None:
    (tmp_path / "pid").mkdir()
    if pid is not None:
        (tmp_path / "pid" / "master.pid").write_text(pid)
    assert service.reloaded_at(str(tmp_path)) is None


def test_master_that_is_no_longer_installed_is_told(tmp_path: Path) -> None:
    """A running program is replaced as a package manager does it."""
    for name in ("master", "new"):
        shutil.copy("/bin/cat", tmp_path / name)
    (tmp_path / "pid").mkdir()
    with subprocess.Popen([tmp_path / "master"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        (tmp_path / "pid" / "master.pid").write_text(f"   {process.pid}\n")
        # Once it answers it has started.
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"ready\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"ready\n"
        assert service.is_replaced(str(tmp_path)) is False
        os.replace(tmp_path / "new", tmp_path / "master")
        assert service.is_replaced(str(tmp_path)) is True
    assert service.is_replaced(str(tmp_path)) is False


def test_no_master_is_replaced_where_no_instance_runs(tmp_path: Path) -> None:
    assert service.is_replaced(str(tmp_path)) is False
