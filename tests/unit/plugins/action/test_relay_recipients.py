# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import os
import pathlib
from typing import Any
from unittest import mock

import pytest
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.playbook.task import Task

from ansible_collections.mxrelay.postfix.plugins.action import relay_recipients
from ansible_collections.mxrelay.postfix.plugins.action.relay_recipients import ActionModule
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.list_parts import ListParts

TMP = "/remote/tmp"


class Controller:
    """The action plugin with its ports: the connection, the files of the controller, and the module on the host."""

    def __init__(self, tmp_path: pathlib.Path) -> None:
        self.files = tmp_path
        self.transferred: dict[str, bytes] = {}
        self.modes: dict[str, str] = {}
        self.removed: list[str] = []
        self.sent: list[str] = []
        self.module_arguments: dict[str, Any] | None = None
        self.asked: list[dict[str, Any]] = []
        self.names: list[str] = []
        self.lists: list[str] = []
        self.known: set[str] = set()
        # The keys of the host's table as lines of a list, and whether they change while a list is sent.
        self.table = b""
        self.changes = False
        self.parts: list[str | None] = []
        self.failure = ""
        self.chmod = {"rc": 0}

    def run(self, **arguments: Any) -> dict[str, Any]:
        task = mock.MagicMock(spec=Task)
        task.args, task.async_val, task.check_mode, task.diff = arguments, 0, False, False
        connection = mock.MagicMock()
        connection._shell.tmpdir = TMP
        connection._shell.get_option = lambda name: {"remote_tmp": "~/.ansible/tmp"}[name]
        connection._shell.join_path = lambda *parts: "/".join(parts)
        loader = mock.MagicMock()
        loader.get_real_file = self._decrypt
        loader.get_basedir = lambda: str(self.files)
        task.get_search_path = list
        action = ActionModule(task, connection, mock.MagicMock(), loader, mock.MagicMock(), mock.MagicMock())
        with mock.patch.multiple(
            action,
            _transfer_data=self._transfer,
            _remote_chmod=self._chmod,
            _fixup_perms2=mock.Mock(),
            _remove_tmp_path=self.removed.append,
            _execute_module=self._execute,
        ):
            return action.run(task_vars={})

    def _decrypt(self, path: str) -> str:
        if path.endswith("vaulted"):
            raise AnsibleError("no vault secrets found")
        return path

    def _transfer(self, path: str, content: bytes) -> None:
        self.transferred[path] = content

    def _chmod(self, paths: list[str], mode: str) -> dict[str, Any]:
        self.modes.update(dict.fromkeys(paths, mode))
        return self.chmod

    def _execute(self, module_name: str, module_args: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        assert (module_name, task_vars) == ("mxrelay.postfix.relay_recipients", {})
        request = module_args.pop("_request")
        assert request["remote_tmp"] == "~/.ansible/tmp"
        # The list that is there for this module alone, which takes it away.
        self.lists.append(request.get("list", ""))
        parts = module_args.pop("_parts", None)
        self.parts.append(parts)
        if "_lists" in module_args:
            self.sent.append(module_args.pop("_lists"))
        self.names.append(request["name"])
        if request.get("asks"):
            self.asked.append(module_args)
            if request["name"] not in self.known:
                return {"failed": True, "msg": "unknown", "request_unknown": True, **self._lacks(parts)}
            return {"changed": False, "added": 0}
        if self.changes and parts:
            return {"failed": True, "msg": "has changed", "list_incomplete": True}
        self.module_arguments = module_args
        if self.failure:
            return {"failed": True, "msg": self.failure}
        return {"changed": True, "added": 1}

    def _lacks(self, parts: str | None) -> dict[str, Any]:
        return {"list_lacks": ListParts.unpacked(parts).lacking(self.table)} if parts else {}


@pytest.fixture(name="controller")
def fixture_controller(tmp_path: pathlib.Path) -> Controller:
    (tmp_path / "list").write_bytes(b"# x\nalice@x.example\n")
    return Controller(tmp_path)


@pytest.fixture
def nothing_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_recipients, "SHORT_BYTES", 0)


def at(content: bytes) -> str:
    return f"{TMP}/recipients-{hashlib.sha256(content).hexdigest()}"


def test_short_lists_travel_with_the_task(controller: Controller) -> None:
    controller.run(recipients=["bob@x.example"], recipients_file="list", state="absent")
    assert controller.sent == ["bob@x.example\nalice@x.example\n"]
    assert controller.module_arguments == {"recipients_file": ["-"], "state": "absent", "remote_src": True}
    assert (controller.asked, controller.transferred) == ([], {})
    assert len(controller.names[0]) == 64


def test_list_that_is_too_long_for_that_is_a_file(controller: Controller) -> None:
    (controller.files / "list").write_bytes(b"".join(b"a%013d@x.example\n" % number for number in range(1 << 16 >> 4)))
    controller.run(recipients_file="list")
    assert (len(controller.asked), len(controller.transferred), controller.sent) == (1, 1, [])


@pytest.mark.usefixtures("nothing_is_short")
def test_lists_travel_as_a_private_file_and_not_as_arguments(controller: Controller) -> None:
    result = controller.run(
        domains=[
            {"name": "x.example", "recipients": ["bob@x.example"], "recipients_file": "list"},
            {"name": "y.example", "recipients_policy": "any"},
        ],
        max_removals="10%",
    )
    content = b"bob@x.example\nalice@x.example\n"
    assert result["changed"] is True and result["added"] == 1
    assert controller.transferred == {at(content): content}
    assert controller.modes == {at(content): "0600"}
    assert controller.lists == ["", at(content)]
    assert controller.module_arguments == {
        "domains": [
            {"name": "x.example", "recipients_file": [at(content)]},
            {"name": "y.example", "recipients_policy": "any"},
        ],
        "max_removals": "10%",
        "remote_src": True,
    }
    assert controller.removed == [TMP]


@pytest.mark.usefixtures("nothing_is_short")
def test_single_recipients_travel_alike(controller: Controller) -> None:
    controller.run(recipients=["bob@x.example"], recipients_file="list", state="absent")
    content = b"bob@x.example\nalice@x.example\n"
    assert controller.module_arguments == {
        "recipients_file": [at(content)],
        "state": "absent",
        "remote_src": True,
    }
    assert controller.transferred == {at(content): content}


@pytest.mark.usefixtures("nothing_is_short")
def test_files_of_the_host_are_left_to_the_module(controller: Controller) -> None:
    controller.run(recipients_file="/on/host", remote_src="yes")
    assert controller.module_arguments == {"recipients_file": "/on/host", "remote_src": "yes"}
    assert controller.transferred == {}
    controller.run(recipients=["bob@x.example"], recipients_file="/on/host", remote_src=True)
    assert controller.module_arguments == {
        "recipients_file": ["/on/host", at(b"bob@x.example\n")],
        "remote_src": True,
    }


def test_nothing_is_transferred_where_nothing_is_listed(controller: Controller) -> None:
    controller.run(domains=[{"name": "x.example", "state": "absent"}])
    assert controller.transferred == {}
    assert controller.module_arguments == {"domains": [{"name": "x.example", "state": "absent"}]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"domains": [{"name": "x.example", "recipients": ["a@x.example", "bob smith@x.example"]}]},
            'relay_recipients: "bob smith@x.example" (domains[0].recipients[1]) contains white space; '
            "quote the local part or correct it",
        ),
        (
            {"domains": [{"name": "x.example", "recipients": []}]},
            "relay_recipients: domains[0] (x.example) has no recipients, so all its mail would be refused; "
            "list them, or give it recipients_policy: any, or state: absent to remove its entries",
        ),
        (
            {"domains": [{"name": "x.example"}], "recipients": ["a@x.example"]},
            "relay_recipients: domains can't be given with recipients or recipients_file; use one of the two forms",
        ),
        (
            {"recipients": None},
            "relay_recipients: neither recipients nor recipients_file nor domains has a value; give one of them",
        ),
        (
            {"recipients": "", "recipients_file": ""},
            "relay_recipients: neither recipients nor recipients_file nor domains has a value; give one of them",
        ),
        (
            {"domains": None, "remote_src": True},
            "relay_recipients: neither recipients nor recipients_file nor domains has a value; give one of them",
        ),
        (
            {"recipients": ["bob"]},
            'relay_recipients: "bob" (recipients[0]) has no @; give a full address, such as name@domain.example',
        ),
    ],
)
def test_bad_lists_are_refused_before_the_host_is_asked(
    controller: Controller, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(AnsibleActionFail) as caught:
        controller.run(**arguments)
    assert str(caught.value) == message
    assert (controller.transferred, controller.module_arguments) == ({}, None)


def test_missing_file_of_the_controller_is_named(controller: Controller) -> None:
    with pytest.raises(AnsibleActionFail) as caught:
        controller.run(recipients_file="none")
    assert str(caught.value) == (
        "relay_recipients: none (recipients_file) is not a file of the controller: it is in none of "
        f"{controller.files}, {os.getcwd()}; correct the path, or give remote_src: true for a file of the host"
    )


def test_file_that_can_not_be_decrypted_is_named(controller: Controller) -> None:
    (controller.files / "vaulted").write_bytes(b"$ANSIBLE_VAULT;1.1;AES256\n")
    with pytest.raises(AnsibleActionFail) as caught:
        controller.run(recipients_file="vaulted")
    assert str(caught.value) == (
        f"relay_recipients: {controller.files}/vaulted (recipients_file) can't be read on the controller "
        "(no vault secrets found); let Ansible's user read it"
    )


@pytest.mark.usefixtures("nothing_is_short")
def test_list_that_cannot_be_made_private_is_not_used(controller: Controller) -> None:
    controller.chmod = {"rc": 1, "stderr": "no such option"}
    with pytest.raises(AnsibleActionFail, match="the transferred list can't be made private: no such option"):
        controller.run(recipients=["bob@x.example"])
    assert controller.module_arguments is None


@pytest.mark.usefixtures("nothing_is_short")
def test_host_that_knows_the_request_is_sent_no_list(controller: Controller) -> None:
    task = {"domains": [{"name": "x.example", "recipients_file": "list"}], "max_removals": "10%"}
    controller.run(**task)
    first, again = controller.names
    assert first == again
    controller.known = {first}
    controller.transferred.clear()
    controller.module_arguments = None
    assert controller.run(**task) == {"changed": False, "added": 0}
    assert (controller.transferred, controller.module_arguments) == ({}, None)
    assert controller.asked[-1] == {"max_removals": "10%", "recipients_file": []}


@pytest.mark.parametrize(
    "other",
    [
        {"recipients_file": "list", "value": "OK"},
        {"recipients_file": "list", "purge": True},
        {"recipients_file": "other"},
        {"recipients_file": "list", "recipients": ["alice@x.example"]},
        {"domains": [{"name": "x.example", "recipients_file": "list"}]},
    ],
)
def test_another_request_has_another_name(controller: Controller, other: dict[str, Any]) -> None:
    (controller.files / "other").write_bytes(b"# x\nbob@x.example\n")
    controller.run(recipients_file="list")
    controller.run(**other)
    assert controller.names[0] != controller.names[-1]


def test_other_content_of_the_same_file_has_another_name(controller: Controller) -> None:
    controller.run(recipients_file="list")
    (controller.files / "list").write_bytes(b"# x\nalice@x.example\nbob@x.example\n")
    controller.run(recipients_file="list")
    assert controller.names[0] != controller.names[-1]


@pytest.mark.usefixtures("nothing_is_short")
def test_host_that_fails_for_another_reason_is_not_sent_a_list(controller: Controller) -> None:
    failure = {"failed": True, "msg": "postconf was not found"}
    with mock.patch.object(Controller, "_execute", lambda *_arguments, **_options: dict(failure)):
        assert controller.run(recipients_file="list") == failure
    assert controller.transferred == {}


LONG = b"alice@x.example\n" * (1 << 16) + b"no address\n"


def test_long_list_is_not_looked_into_where_the_host_knows_it(controller: Controller) -> None:
    (controller.files / "long").write_bytes(LONG)
    (controller.files / "short").write_bytes(b"bob@x.example\n")
    with pytest.raises(AnsibleActionFail, match="long line 65537"):
        controller.run(recipients_file=["long", "short"])
    controller.known = set(controller.names)
    assert controller.run(recipients_file=["long", "short"])["changed"] is False


@pytest.mark.parametrize(
    "task",
    [
        {"recipients_file": "long", "purge": True},
        {"domains": [{"name": "x.example", "recipients_file": ["long"]}, {"name": "y.example", "state": "absent"}]},
    ],
)
def test_single_long_list_is_passed_on_and_checked_by_the_module(controller: Controller, task: dict[str, Any]) -> None:
    (controller.files / "long").write_bytes(LONG)
    controller.failure = f'"no address" ({at(LONG)} line 65537) contains white space'
    result = controller.run(**task)
    assert result["msg"] == '"no address" (long line 65537) contains white space'
    assert controller.transferred == {at(LONG): LONG}
    listed = {"recipients_file": [at(LONG)]}
    items = [{"name": "x.example", **listed}, {"name": "y.example", "state": "absent"}]
    wanted = {"domains": items} if "domains" in task else {"purge": True, **listed}
    assert controller.module_arguments == {**wanted, "remote_src": True}


def test_lists_on_the_host_are_named_there(controller: Controller) -> None:
    controller.run(recipients_file="/on/host", remote_src=True)
    assert (len(controller.names), controller.asked) == (1, [])
    controller.run(recipients=["bob@x.example"], recipients_file="/on/host", remote_src=True)
    assert (len(set(controller.names)), controller.sent) == (2, ["bob@x.example\n"])


def many(first: int = 0) -> list[bytes]:
    return [b"user%06d@x.example\n" % number for number in range(first, 100_000)]


@pytest.mark.parametrize("changes", [False, True], ids=["at rest", "table that changes meanwhile"])
def test_only_the_parts_travel_that_the_table_lacks(controller: Controller, changes: bool) -> None:
    controller.table = b"".join(many())
    controller.changes = changes
    rows = many()
    rows[50_000] = b"new@x.example\n"
    content = b"".join(rows)
    (controller.files / "list").write_bytes(content)
    assert controller.run(recipients_file="list", purge=True)["changed"] is True
    first, *later = controller.transferred.values()
    assert b"new@x.example\n" in first
    assert len(first) < len(content) / 50
    assert ListParts.of(content).joined(controller.table, first) == content
    # What the table no longer has is sent in a third try, and all else with it.
    assert later == ([content] if changes else [])
    assert controller.parts == [ListParts.of(content).packed()] * 2 + [None] * changes


def test_only_parts_travel_of_a_long_list_of_several_files(controller: Controller) -> None:
    rows = many()
    controller.table = b"".join(rows)
    rows[50_000] = b"new@x.example\n"
    for name, part in (("one", rows[:60_000]), ("two", rows[60_000:])):
        (controller.files / name).write_bytes(b"".join(part))
    items = [{"name": "x.example", "recipients": ["info@x.example"], "recipients_file": ["one", "two"]}]
    assert controller.run(domains=items)["changed"] is True
    content = b"".join([b"info@x.example\n", *rows])
    (sent,) = controller.transferred.values()
    assert len(sent) < len(content) / 50
    packed = ListParts.of(content).packed()
    assert controller.parts == [None, packed, packed]


def test_list_of_which_the_table_has_nothing_travels_whole(controller: Controller) -> None:
    content = b"".join(many())
    (controller.files / "list").write_bytes(content)
    controller.run(recipients_file="list")
    assert controller.transferred == {at(content): content}
    assert controller.parts[-1] is None


def test_list_that_the_table_has_does_not_travel_for_another_request(controller: Controller) -> None:
    controller.table = b"".join(many())
    (controller.files / "list").write_bytes(controller.table)
    controller.run(recipients_file="list", purge=True)
    assert controller.transferred == {at(b""): b""}
