# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.mxrelay.postfix.plugins.action import mx_plan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import rows_digest


def run(monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the module was given, and the action's result. Only Ansible's own machinery is stood in for."""
    action = mx_plan.ActionModule(
        MagicMock(args=arguments, async_val=0), MagicMock(), MagicMock(), MagicMock(), None, None
    )
    given: dict[str, Any] = {}

    def execute(module_name: str, module_args: dict[str, Any], **_: Any) -> dict[str, Any]:
        assert module_name == "mxrelay.postfix.mx_plan"
        given.update(module_args)
        return {"refusals": [], "invocation": {"module_args": dict(module_args)}}

    monkeypatch.setattr(mx_plan.ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(action, "_execute_module", execute)
    monkeypatch.setattr(mx_plan, "reader", lambda _action: {"x.txt": b"b@x.example\n"}.__getitem__)
    return given, action.run(task_vars={})


def test_no_address_leaves_the_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    item = {
        "name": "x.example",
        "recipients": ["A@x.example", "postmaster@x.example"],
        "recipients_file": ["x.txt"],
        "port": "",
    }
    given, result = run(monkeypatch, domains=[item], table_type="", queue_lifetime=None, postmaster=False)
    assert given == {
        "domains": [
            {
                "name": "x.example",
                "has_list": True,
                "recipients_count": 3,
                "recipients_digest": rows_digest({"a@x.example": "x", "b@x.example": "x"}),
                "lists_postmaster": True,
            }
        ],
        "postmaster": False,
    }


def test_item_without_a_list_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    given, _result = run(monkeypatch, domains=[{"name": "x.example", "recipients": None, "recipients_policy": "any"}])
    assert given["domains"] == [{"name": "x.example", "recipients_policy": "any", "has_list": False}]


def test_bad_address_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleActionFail, match=r'mx_plan: "bob smith@x.example" \(domains\[0\].recipients\[1\]\)'):
        run(monkeypatch, domains=[{"name": "x.example", "recipients": ["a@x.example", "bob smith@x.example"]}])
