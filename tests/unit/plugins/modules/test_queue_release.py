# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.modules import queue_release
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_kept_mail import FakeKeptMail
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import Start


def test_nothing_is_changed_by_default(tmp_path: pathlib.Path, start: Start) -> None:
    host = FakeKeptMail(tmp_path, "rcpt", "size", "forged_by_user")
    found = start(queue_release, host)
    assert (found["changed"], found["action"], found["diff"], found["warned"]) == (False, "show", [], [])
    assert found["lines"] == [
        "hold.example: 1 report kept (refused: 550 5.7.1: 1)",
        "small.example: 1 report kept (too large: 5.3.4: 1)",
    ]
    assert host.asked == []


@pytest.mark.parametrize(("check_mode", "left"), [(True, ["data", "rcpt", "size"]), (False, ["size"])])
def test_check_mode_tells_the_same_and_does_nothing(
    tmp_path: pathlib.Path, start: Start, check_mode: bool, left: list[str]
) -> None:
    host = FakeKeptMail(tmp_path, "rcpt", "data", "size")
    found = start(queue_release, host, check_mode, action="bounce", domains=["hold.example"])
    assert (found["changed"], found["total"]["count"], host.left()) == (True, 2, left)
    assert found["diff"] == [
        {
            "before_header": "kept mail",
            "after_header": "kept mail",
            "before": "hold.example, refused: 550 5.7.1: 1\nhold.example, refused: 554 5.7.1: 1\n"
            "small.example, too large: 5.3.4: 1\n",
            "after": "small.example, too large: 5.3.4: 1\n",
        }
    ]
    assert found["warned"] == [
        "the reports go to the senders that the messages name; if such a sender is forged, a stranger is told of mail "
        "that the stranger never sent"
    ]


def test_second_run_changes_nothing(tmp_path: pathlib.Path, start: Start) -> None:
    host = FakeKeptMail(tmp_path, "rcpt")
    arguments = {"action": "delete", "all": True}
    assert [start(queue_release, host, **arguments)["changed"] for _run in range(2)] == [True, False]


def test_domains_are_required_to_change_something(tmp_path: pathlib.Path, start: Start) -> None:
    host = FakeKeptMail(tmp_path, "rcpt")
    found = start(queue_release, host, action="delete", domains=[])
    assert (found["failed"], host.left()) == (True, ["rcpt"])
    assert found["msg"] == "action is delete, and neither domains nor all is given; name the domains"
