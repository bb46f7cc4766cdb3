# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils import basic

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import Secrets, Work, run_module
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff, Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

SPEC = {"config_directory": {"type": "path"}, "name": {"type": "str"}, "other": {"type": "str"}}
Start = Callable[..., "dict[str, Any]"]


@pytest.fixture(name="logged")
def _logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    logged: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _self, message, **_how: logged.append(message))
    return logged


@pytest.fixture(name="start")
def _start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logged: list[str]) -> Start:
    """Runs a module, and returns its result with the code that it ended with."""

    def start(
        work: Work, arguments: dict[str, Any], check_mode: bool = False, secrets: Secrets | None = None, **how: Any
    ) -> dict[str, Any]:
        assert logged == []
        given = {"_ansible_check_mode": check_mode, "_ansible_remote_tmp": "/tmp", **arguments}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit) as caught:
            run_module(work, SPEC, secrets, **how)
        return {**json.loads(capsys.readouterr().out), "code": caught.value.code}

    return start


def echo(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    results = {"name": params["name"], "directory": postfix.config_directory, "check_mode": check_mode}
    return Outcome(changed=True, diffs=[Diff("main.cf", "a\n", "b\n")], results=results)


@pytest.mark.parametrize(
    ("given", "directory"),
    [
        ({}, "/etc/postfix"),
        ({"config_directory": ""}, "/etc/postfix"),
        ({"config_directory": "/etc/postfix-out"}, "/etc/postfix-out"),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_outcome_is_what_the_module_returns(
    start: Start, check_mode: bool, given: dict[str, str], directory: str
) -> None:
    found = start(echo, {"name": "x", **given}, check_mode)
    found.pop("invocation")
    assert found == {
        "changed": True,
        "diff": [{"before_header": "main.cf", "after_header": "main.cf", "before": "a\n", "after": "b\n"}],
        "name": "x",
        "directory": directory,
        "check_mode": check_mode,
        "code": 0,
    }


def test_whatever_bytes_a_host_has_can_be_told(
    start: Start, logged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = b"\xe9".decode("utf-8", "surrogateescape")
    warned: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, warning: warned.append(warning))
    told = Outcome(True, [Diff(odd, odd, odd)], [odd], {"found": {odd: [odd]}})
    found = start(lambda _params, _postfix, _check_mode: told, {})
    assert (found["found"], found["diff"][0]["after"], warned) == ({"\\xe9": ["\\xe9"]}, "\\xe9", ["\\xe9"])

    def fails(_params: dict[str, Any], _postfix: Postfix, _check_mode: bool) -> Outcome:
        raise HostError(odd, details=odd)

    logged.clear()
    found = start(fails, {})
    assert (found["msg"], found["details"]) == ("\\xe9", "\\xe9")


def test_error_is_a_failure_with_its_details(start: Start) -> None:
    def fails(_params: dict[str, Any], _postfix: Postfix, _check_mode: bool) -> Outcome:
        raise HostError("main.cf: Permission denied; run as root (become: true)", request_unknown=True)

    found = start(fails, {})
    assert (found["failed"], found["msg"], found["request_unknown"], found["code"]) == (
        True,
        "main.cf: Permission denied; run as root (become: true)",
        True,
        1,
    )


def test_mistake_in_the_code_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(_params: dict[str, Any], _postfix: Postfix, _check_mode: bool) -> Outcome:
        raise KeyError("name")

    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": {}}).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    with pytest.raises(KeyError):
        run_module(mistaken, SPEC)


def test_warnings_are_handed_over_in_their_order(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, warning: warned.append(warning))
    start(lambda _params, _postfix, _check_mode: Outcome(warnings=["first", "second"]), {})
    assert warned == ["first", "second"]


def test_constraints_are_those_of_ansible(start: Start) -> None:
    found = start(echo, {"name": "a", "other": "b"}, mutually_exclusive=[("name", "other")])
    assert found["msg"] == "parameters are mutually exclusive: name|other"


def test_arguments_are_logged_unless_there_are_secrets(start: Start, logged: list[str]) -> None:
    start(echo, {"name": "bob@x.example"})
    assert "bob@x.example" in logged.pop()
    start(echo, {"name": "bob@x.example"}, secrets=lambda params: [params["name"]])
    assert logged == []


def test_secret_is_masked_wherever_the_result_has_it(start: Start) -> None:
    found = start(echo, {"name": "bob@x.example"}, secrets=lambda params: [params["name"]])
    assert "bob@x.example" not in json.dumps(found)
    assert found["directory"] == "/etc/postfix"
