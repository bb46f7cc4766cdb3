# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import re
import sys
from dataclasses import asdict
from typing import Any
from unittest import mock

import pytest
from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.playbook.task import Task

from ansible_collections.mxrelay.postfix.plugins.action.recipients_info import ActionModule
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.recipients_info import recipients_info
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import source_definition
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.summary import by_domain, summary_of
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

DEFAULTS = {"dest": None, "show_recipients": False, "tell_failure": False, "_collect": None}


def _raise(error: Exception | None) -> None:
    if error is not None:
        raise error


class Controller:
    """The action plugin with its ports: a connection, and the module, which runs here."""

    def __init__(self, tmp_path: pathlib.Path) -> None:
        self.remote = tmp_path / "remote"
        self.ran: list[dict[str, Any]] = []
        self.error: AnsibleError | None = None
        self.removed = 0

    def run(self, host: str = "mail1", delegated: str | None = None, **arguments: Any) -> dict[str, Any]:
        task = mock.MagicMock(spec=Task)
        task.args, task.async_val, task.check_mode, task.diff = arguments, 0, False, False
        task.delegate_to = delegated
        connection = mock.MagicMock()
        connection._shell.tmpdir = None
        connection._shell.get_option = lambda name: {"remote_tmp": "~/.ansible/tmp"}[name]
        connection._shell.join_path = lambda *parts: "/".join(parts)
        connection.fetch_file = lambda path, to: pathlib.Path(to).write_bytes(pathlib.Path(path).read_bytes())
        names = (mock.MagicMock() for _number in range(4))
        action = ActionModule(task, connection, *names)
        with mock.patch.multiple(
            action, _make_tmp_path=self._made, _remove_tmp_path=self._remove, _execute_module=self._execute
        ):
            return action.run(task_vars={"inventory_hostname": host})

    def _made(self) -> str:
        _raise(self.error)
        self.remote.mkdir(exist_ok=True)
        return str(self.remote)

    def _remove(self, _path: str | None) -> None:
        self.removed += 1
        _raise(self.error)

    def _execute(self, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        assert module_name == "mxrelay.postfix.recipients_info"
        assert task_vars.keys() == {"inventory_hostname"}
        self.ran.append(module_args)
        params = {**DEFAULTS, "domains": [], **module_args}
        try:
            outcome = recipients_info(params, FakeMxHost(str(self.remote)).postfix(), False)
        except MxRelayError as error:
            return {"failed": True, "msg": error.message}
        return {"changed": outcome.changed, **outcome.results}


@pytest.fixture(name="controller")
def fixture_controller(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Controller:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "tmp"))
    (tmp_path / "remote").mkdir()
    return Controller(tmp_path)


@pytest.fixture(name="source")
def fixture_source(tmp_path: pathlib.Path) -> dict[str, Any]:
    (tmp_path / "list").write_text("a@x.example\nb@y.example\n")
    return {"type": "file", "path": str(tmp_path / "list")}


def test_task_of_others_is_the_modules(controller: Controller, source: dict[str, Any]) -> None:
    found = controller.run(source=source, domains=["x.example"], show_recipients=True)
    assert controller.ran == [{"source": source, "domains": ["x.example"], "show_recipients": True}]
    assert found["recipients"] == ["a@x.example"]
    assert "lists" not in found


def test_lists_come_to_the_controller(controller: Controller, source: dict[str, Any]) -> None:
    given = {**source, "host": "mail1"}
    found = controller.run(source=given, domains="x.example\nno.example", _collect=True, tell_failure=True)
    lists = {name: pathlib.Path(path).read_text() for name, path in found["lists"].items()}
    assert lists == {"x.example": "a@x.example\n"}
    assert {name: domain["count"] for name, domain in found["domains"].items()} == {"x.example": 1, "no.example": 0}
    assert (found["undeclared"], found["problem"], found["changed"]) == ({"y.example": 1}, "", False)
    assert "a@x.example" not in str(found)
    (ran,) = controller.ran
    place = ran.pop("_collect")
    assert re.fullmatch(rf"{controller.remote}/recipients-[0-9a-f]{{64}}", place["path"])
    assert place["remote_tmp"] == "~/.ansible/tmp"
    assert ran == {"source": source_definition(source), "domains": ["x.example", "no.example"], "tell_failure": True}
    assert controller.removed == 1


def test_hosts_share_what_was_read(controller: Controller, source: dict[str, Any]) -> None:
    first = controller.run("mx1", "mail1", source=source, domains=["x.example"], _collect=True)
    second = controller.run("mx2", "mail1", source=source, domains=["y.example"], _collect=True)
    assert (first["domains"].keys(), second["domains"].keys()) == ({"x.example"}, {"y.example"})
    assert len(controller.ran) == 1
    controller.run("mx1", "mail2", source=source, _collect=True)
    controller.run("mx1", source=source, _collect=True)
    assert len(controller.ran) == 3


class MailHost(Controller):
    """The source is a Postfix that has two domains, and is asked about any others."""

    def _execute(self, module_args: dict[str, Any], **_others: Any) -> dict[str, Any]:
        self.ran.append(module_args)
        others = set(module_args["domains"]) - {"x.example", "y.example"}
        reading = Reading(("a@x.example", "b@y.example"), incomplete=dict.fromkeys(others, "it is nowhere"))
        domains = by_domain(reading)
        lines = [json.dumps(asdict(summary_of(reading, domains, "then"))), *reading.addresses]
        pathlib.Path(module_args["_collect"]["path"]).write_text("".join(f"{line}\n" for line in lines))
        return {"problem": ""}


def test_mail_host_is_read_again_only_about_a_domain_that_it_did_not_name(
    controller: Controller, tmp_path: pathlib.Path
) -> None:
    mail_host, said = MailHost(tmp_path), []
    for domains in (["x.example"], ["y.example"], ["x.example", "z.example"], ["z.example", "x.example"]):
        found = mail_host.run(source={"type": "postfix"}, domains=domains, _collect=True)
        said.append([found["domains"][name]["why_incomplete"] for name in domains])
    assert [ran["domains"] for ran in mail_host.ran] == [["x.example"], ["x.example", "z.example"]]
    assert said == [[""], [""], ["", "it is nowhere"], ["it is nowhere", ""]]
    assert controller.ran == []


def test_failed_read_is_told_to_all(controller: Controller, source: dict[str, Any]) -> None:
    pathlib.Path(source["path"]).unlink()
    message = f"{source['path']} is not there; correct the path of the source, or have the list written"
    found = controller.run(source=source, domains=["x.example"], _collect=True, tell_failure=True)
    assert (found["problem"], found["lists"]) == (message, {})
    assert controller.run(source=source, _collect=True) == {"failed": True, "msg": message}
    assert len(controller.ran) == 1


def test_package_that_the_host_lacks_is_told(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    source = {"type": "sql", "engine": "mysql", "database": "mail", "query": "SELECT address FROM mailbox"}
    for _time in range(2):
        found = controller.run(source=source, domains=["x.example"], _collect=True, tell_failure=True)
        assert "pymysql" in found["lacks"].lower()
    assert len(controller.ran) == 2


def test_wrong_definition_is_told(controller: Controller) -> None:
    with pytest.raises(AnsibleActionFail, match="source has no path, which a source of type file needs; give it"):
        controller.run(source={"type": "file"}, _collect=True, tell_failure=True)


def test_host_that_is_not_reached_is_a_failed_read(controller: Controller, source: dict[str, Any]) -> None:
    controller.error = AnsibleConnectionFailure("no route")
    found = controller.run("mx1", "mail1", source=source, domains=["x.example"], _collect=True, tell_failure=True)
    assert found["problem"] == "Ansible can't run on mail1 (no route); make it reach the host"
    assert found["domains"]["x.example"]["complete"] is False


def test_domain_that_is_none_is_refused(controller: Controller, source: dict[str, Any]) -> None:
    with pytest.raises(AnsibleActionFail, match=r'^recipients_info: "a/b" \(domains\[0\]\) is not a domain name'):
        controller.run(source=source, domains=["a/b"], _collect=True)
