# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""main_cf, master_cf and postfix_info from their options to their results, on files in a scratch directory."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import run
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.configuration import change_main_cf
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.modules import main_cf, master_cf, postfix_info

Run = Callable[..., dict]
RELAY = "relay unix - - n - - smtp\n"


class FakeCommands:
    """The port of the Ansible layer, for a Postfix that knows two parameters."""

    def __init__(self, live: str) -> None:
        self.live = live

    def run(self, argv: Sequence[str], _data: bytes | None = None, _silence: float | None = None) -> Result:
        if argv[3:] == ["-d"]:
            return Result(0, "mail_version = 3.10.13\nsoft_bounce = no\nrelay_domains =\nmynetworks = x\n", "")
        if "-c" in argv and argv[2] != self.live:
            # Staged.
            return Result(0, "mail_owner = nobody\n" if argv[3:] == ["mail_owner"] else "", "")
        if argv[3:] == ["mynetworks"]:
            return Result(0, "mynetworks = 192.0.2.0/24\n", "")
        raise FileNotFoundError(argv[0])


@pytest.fixture(name="module")
def _module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setattr(run, "LocalCommands", lambda: FakeCommands(str(tmp_path)))
    (tmp_path / "main.cf").write_text("soft_bounce = no\n")
    (tmp_path / "master.cf").write_text(RELAY)

    def start(main: Callable[[], None], check_mode: bool = False, **options: Any) -> dict[str, Any]:
        arguments = {"config_directory": str(tmp_path), "_ansible_check_mode": check_mode, **options}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit):
            main()
        result = json.loads(capsys.readouterr().out)
        result.pop("invocation", None)
        return result

    return start


@pytest.mark.parametrize("check_mode", [True, False])
def test_main_cf_returns_the_same_in_check_mode_and_writes_only_otherwise(
    module: Run, tmp_path: Path, check_mode: bool
) -> None:
    result = module(main_cf.main, check_mode, parameters={"soft_bounce": True}, add_items={"relay_domains": ["x.y"]})
    assert (result["changed"], result["reload_needed"], result["restart_needed"]) == (True, True, False)
    assert result["path"] == f"{tmp_path}/main.cf"
    assert result["changed_parameters"] == {
        "soft_bounce": {"before": "no", "after": "yes"},
        "relay_domains": {"before": None, "after": "x.y"},
    }
    assert result["diff"] == [
        {
            "before_header": f"{tmp_path}/main.cf",
            "after_header": f"{tmp_path}/main.cf",
            "before": "soft_bounce = no\n",
            "after": "soft_bounce = yes\nrelay_domains = x.y\n",
        }
    ]
    written = "soft_bounce = no\n" if check_mode else "soft_bounce = yes\nrelay_domains = x.y\n"
    assert (tmp_path / "main.cf").read_text() == written


def test_main_cf_that_finds_everything_as_asked_says_so(module: Run) -> None:
    result = module(main_cf.main, parameters={"soft_bounce": False}, absent=["relay_domains"])
    assert (result["changed"], result["reload_needed"], result["changed_parameters"]) == (False, False, {})
    assert result["diff"] == []


def test_main_cf_tells_of_duplicates(tmp_path: Path) -> None:
    (tmp_path / "main.cf").write_text("soft_bounce = no\nsoft_bounce = no\n")
    options = {"parameters": {}, "absent": ["a"], "add_items": {}, "remove_items": {}, "allow_unknown": False}
    outcome = change_main_cf(options, Postfix(FakeCommands(str(tmp_path)), str(tmp_path)), False)
    assert outcome.warnings == [
        f"{tmp_path}/main.cf: soft_bounce is set on lines 1, 2; Postfix uses the last; remove the others"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parameters": {"soft_bounce": None}}, "parameters.soft_bounce is null"),
        ({"parameters": {"soft_bonce": "yes"}}, 'did you mean "soft_bounce"?'),
        ({"parameters": {"soft_bounce": "a\nb"}}, "contains a line break"),
        ({"parameters": {"soft_bounce": "#"}}, 'begins with "#"'),
        ({"add_items": {"mynetworks": ["10.0.0.0/8"]}}, "at present to 192.0.2.0/24"),
        ({"add_items": {"relay_domains": None}}, "give the members as a list"),
    ],
)
def test_main_cf_refuses_and_writes_nothing(module: Run, tmp_path: Path, options: dict[str, Any], message: str) -> None:
    result = module(main_cf.main, **options)
    assert result["failed"] is True
    assert message in result["msg"]
    assert (tmp_path / "main.cf").read_text() == "soft_bounce = no\n"


@pytest.mark.parametrize("check_mode", [True, False])
def test_master_cf_returns_the_same_in_check_mode_and_writes_only_otherwise(
    module: Run, tmp_path: Path, check_mode: bool
) -> None:
    services = [
        {"name": "relay", "type": "unix", "overrides": {"a": True, "b": ["c", "d"], "e": None, "f": 5, "g": ""}},
        {"name": "x", "type": "inet", "command": "y", "process_limit": 0, "chroot": False},
    ]
    relay = RELAY + "  -o a=yes\n  -o { b = c, d }\n  -o f=5\n  -o g=\n"
    new = "x         inet  n       -       n       -       0       y\n"
    result = module(master_cf.main, check_mode, services=services)
    assert (result["changed"], result["reload_needed"]) == (True, True)
    assert result["changed_services"] == {
        "relay/unix": {"before": RELAY, "after": relay},
        "x/inet": {"before": None, "after": new},
    }
    assert result["diff"][0]["after"] == relay + new
    assert (tmp_path / "master.cf").read_text() == (RELAY if check_mode else relay + new)
    assert module(master_cf.main, check_mode, services=services)["changed"] is check_mode


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ({"name": "x", "type": "unix"}, "there is no service x/unix yet, and command is missing"),
        (
            {"name": "relay", "type": "unix", "overrides": {"a": "b\nc"}},
            r'master.cf: "b\nc" (services[0].overrides.a) contains a line',
        ),
        ({"name": "relay", "type": "unix", "overrides": {"a": 3.10}}, "services[0].overrides.a is the number 3.1"),
        ({"name": "relay", "type": "tcp"}, "value of type must be one of: inet, unix, unix-dgram, fifo, pass"),
        ({"name": "relay"}, "missing required arguments: type"),
    ],
)
def test_master_cf_refuses_and_writes_nothing(
    module: Run, tmp_path: Path, service: dict[str, Any], message: str
) -> None:
    result = module(master_cf.main, services=[service])
    assert result["failed"] is True
    assert message in result["msg"]
    assert (tmp_path / "master.cf").read_text() == RELAY


def test_malformed_file_is_reported_and_left_alone(module: Run, tmp_path: Path) -> None:
    (tmp_path / "master.cf").write_text("relay unix\n")
    result = module(master_cf.main, services=[{"name": "relay", "type": "unix", "state": "absent"}])
    assert result["msg"] == (
        f'{tmp_path}/master.cf, line 1: "relay unix" has 2 of the 8 fields that a service needs; '
        "correct or remove the line"
    )
    assert (tmp_path / "master.cf").read_text() == "relay unix\n"


def test_postfix_info_does_not_fail_where_postfix_is_missing(module: Run) -> None:
    assert module(postfix_info.main) == {
        "changed": False,
        "diff": [],
        "installed": False,
        "version": "",
        "instance": {},
        "instances": [],
        "table_types": [],
        "default_database_type": "",
        "parameters": {},
        "explicit_parameters": {},
        "services": [],
        "tables": [],
    }
