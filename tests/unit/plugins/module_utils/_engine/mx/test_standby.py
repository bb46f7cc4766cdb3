# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine import own_files
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import standby as module
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.standby import (
    apply_standby,
    ask_standby,
    plan_standby,
    read_standby,
    restore_standby,
    standby_files,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import StandbyState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.standby_files import StandbyRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import standby_service, systemd
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

WANTED = StandbyRequest(("x.example",), (), ("mx.example",), "mx.example")
PROGRAM = Path(standby_service.__file__).read_bytes()
UNIT = "mxrelay-standby-etc"
UNITS = [f"{UNIT}.socket", f"{UNIT}.service"]


class StandbyHost(FakeMxHost):
    """A host whose systemd keeps what it is told, and whose service answers what `status` says once it runs."""

    def __init__(self, root: Path) -> None:
        (root / "etc").mkdir()
        (root / "units").mkdir()
        super().__init__(str(root / "etc"))
        self.units = str(root / "units")
        self.queue_directory = str(root / "spool")
        self.told: list[list[str]] = []
        self.broken = ""
        self.runs = False
        self.status: dict[str, Any] = {"program": hashlib.sha256(PROGRAM).hexdigest(), "uid": 61000, "problem": ""}
        self.owner = os.geteuid()

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        if argv[0] != "systemctl":
            return super().run(argv, data, silence)
        self.told.append(list(argv[1:]))
        self.runs = argv[1] == "start" or (self.runs and argv[1] not in ("stop", "disable"))
        return Result(1, "", f"{self.broken} is broken") if self.broken in argv and self.broken else Result(0, "", "")

    def ask(self, path: str, request: Mapping[str, str]) -> dict[str, str]:
        assert (path, dict(request)) == (f"{self.queue_directory}/mxrelay/standby", {"request": standby_service.STATUS})
        if not self.runs:
            raise HostError(f"{path}: No such file or directory")
        return {"status": json.dumps(self.status)}

    def state(self) -> HostState:
        return HostState(values={"queue_directory": self.queue_directory, "mail_owner": me()})

    def change(self, wanted: StandbyRequest = WANTED) -> bool:
        change = plan_standby(self.postfix(), wanted, self.queue_directory, me())
        apply_standby(self.postfix(), change)
        return change.changed


def me() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandbyHost:
    made = StandbyHost(tmp_path)
    monkeypatch.setattr(module, "UNITS", str(tmp_path / "units"))
    monkeypatch.setattr(systemd, "SYSTEMD", str(tmp_path))
    monkeypatch.setattr(module, "ask_policy_service", made.ask)
    monkeypatch.setattr(module, "socket_owner", lambda _path: made.owner)
    # Who writes to what is above a temporary directory is not asked about here.
    for each in (module, own_files):
        monkeypatch.setattr(each, "refuse_open_place", lambda _path: None)
    return made


def files(host: StandbyHost) -> dict[str, bytes]:
    return {path: Path(path).read_bytes() for path in standby_files(host.postfix()).all if os.path.exists(path)}


def test_service_is_installed_and_started_once(host: StandbyHost) -> None:
    assert host.change() is True
    assert host.told == [
        ["reset-failed", *UNITS],
        ["--no-reload", "enable", UNITS[0]],
        ["start", *UNITS],
    ]
    assert len(files(host)) == 4
    assert files(host)[standby_files(host.postfix()).program] == PROGRAM
    assert {os.stat(path).st_mode & 0o777 for path in files(host)} == {0o644}
    host.told.clear()
    assert host.change() is False
    assert host.told == []


def test_changed_domains_need_no_restart(host: StandbyHost) -> None:
    host.change()
    host.told.clear()
    assert host.change(StandbyRequest(("y.example",), (), ("mx.example",), "mx.example")) is True
    assert host.told == []
    assert read_standby(host.postfix(), host.state()).domains == ("y.example",)


def test_units_are_read_anew_only_where_one_has_changed(host: StandbyHost) -> None:
    host.change()
    for name, read in {standby_files(host.postfix()).program: False, f"{host.units}/{UNIT}.service": True}.items():
        Path(name).write_text("older", encoding="utf-8")
        host.told.clear()
        assert host.change() is True
        assert (["daemon-reload"] in host.told, host.told[0], host.runs) == (read, ["stop", *UNITS], True)


def test_service_that_does_not_answer_begins_anew(host: StandbyHost) -> None:
    host.change()
    host.runs = False
    assert host.change() is True
    assert host.runs is True


def test_missing_library_is_no_reason_to_begin_anew(host: StandbyHost) -> None:
    host.change()
    host.status["problem"] = "it can't ask DNS, as python3-dnspython is missing"
    assert host.change() is False
    assert read_standby(host.postfix(), host.state()).problem == host.status["problem"]


def test_planning_changes_nothing_and_shows_the_program_by_its_digest(host: StandbyHost) -> None:
    change = plan_standby(host.postfix(), WANTED, host.queue_directory, me())
    assert (files(host), host.told, change.changed) == ({}, [], True)
    shown = {diff.header: diff.after for diff in change.diffs}
    digest = hashlib.sha256(PROGRAM).hexdigest()
    assert shown[standby_files(host.postfix()).program] == f"a program with the SHA-256 {digest}\n"


def test_service_goes_without_domains(host: StandbyHost) -> None:
    host.change()
    host.told.clear()
    assert host.change(StandbyRequest()) is True
    assert host.told == [["--no-reload", "disable", UNITS[0]], ["stop", *UNITS]]
    assert files(host) == {}
    assert host.change(StandbyRequest()) is False


def test_what_systemd_refuses_is_an_error(host: StandbyHost) -> None:
    host.broken = f"{UNIT}.service"
    with pytest.raises(HostError) as caught:
        host.change()
    assert caught.value.message == (
        f"systemctl start {UNIT}.socket {UNIT}.service failed: {UNIT}.service is broken; "
        f"see journalctl -u {UNIT}.service"
    )


@pytest.mark.parametrize(
    ("status", "owner", "problem"),
    [
        ({}, 0, ""),
        ({"uid": 0}, 0, "it runs as root, which it need not and must not"),
        ({"program": "0"}, 0, "its program is not the one of this release of the collection"),
        ({"problem": "no"}, 0, "no"),
        ({}, 1, "{place} does not belong to {me}, so smtpd can't ask it"),
    ],
)
def test_problem_of_the_service_is_told(host: StandbyHost, status: dict[str, Any], owner: int, problem: str) -> None:
    host.change()
    host.status.update(status)
    host.owner += owner
    place = f"{host.queue_directory}/mxrelay/standby"
    said = problem.format(place=place, me=me())
    assert read_standby(host.postfix(), host.state()) == StandbyState(True, True, ("x.example",), (), said)


def test_what_else_answers_is_no_standby(host: StandbyHost, monkeypatch: pytest.MonkeyPatch) -> None:
    host.change()
    monkeypatch.setattr(module, "ask_policy_service", lambda _path, _request: {"action": "DUNNO"})
    place = f"{host.queue_directory}/mxrelay/standby"
    problem = read_standby(host.postfix(), host.state()).problem
    assert problem == f"what answers at {place} is not the collection's service"


def test_host_without_it_has_none(host: StandbyHost) -> None:
    assert read_standby(host.postfix(), host.state()) == StandbyState(supervised=True)


def test_service_that_selinux_keeps_smtpd_from_asking_does_not_do_its_work(
    host: StandbyHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_enforcing", lambda: True)
    assert read_standby(host.postfix(), host.state()) == StandbyState(supervised=True, confined=True)
    host.change()
    problem = "SELinux is enforcing, and its policy does not let smtpd ask it"
    state = StandbyState(True, True, ("x.example",), (), problem, confined=True)
    assert read_standby(host.postfix(), host.state()) == state


def test_configuration_that_is_none_has_no_domains(host: StandbyHost) -> None:
    host.change()
    for text in ("[", "[]"):
        host.write("mxrelay-standby.json", text)
        assert read_standby(host.postfix(), host.state()).domains == ()


def test_failed_run_gives_back_what_was_there(host: StandbyHost) -> None:
    before: dict[str, bytes | None] = dict.fromkeys(standby_files(host.postfix()).all)
    assert restore_standby(host.postfix(), host.queue_directory, me(), before) is False
    host.change()
    assert restore_standby(host.postfix(), host.queue_directory, me(), before) is True
    assert (files(host), host.runs) == ({}, False)


def test_failed_run_gives_back_an_older_service(host: StandbyHost) -> None:
    host.change()
    before: dict[str, bytes | None] = dict(files(host))
    host.change(StandbyRequest())
    assert restore_standby(host.postfix(), host.queue_directory, me(), before) is True
    assert (files(host), host.runs) == (before, True)


def test_domains_whose_strangers_are_let_in_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(path: str, request: Mapping[str, str]) -> dict[str, str]:
        asked.append(request["recipient"])
        assert (path, request["protocol_state"]) == ("/q/mxrelay/standby", "RCPT")
        if "gone" in request["recipient"]:
            raise HostError("gone")
        slow = request["recipient"] == "postmaster@slow.example" and asked.count("postmaster@slow.example") == 1
        off = request["recipient"] in ("postmaster@off.example", "postmaster@slow.example") and not slow
        return {"action": standby_service.PUT_OFF if off else "DUNNO"}

    monkeypatch.setattr(module, "ask_policy_service", ask)
    names = ("off.example", "slow.example", "in.example", "gone.example")
    state = HostState(values={"queue_directory": "/q"}, standby=StandbyState(True, True, names))
    assert ask_standby(state, [*names, "other.example"]).lets_in == {"in.example", "gone.example"}
    assert asked.count("postmaster@off.example") == 1
    assert ask_standby(replace(state, standby=replace(state.standby, problem="no")), names).lets_in == frozenset()
