# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook recipients, as somebody at the help desk runs it from a survey, on a host whose list others keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab import claims, faults, playbooks

HOST = "mx1"
NAME = "mx1.lab.example"
LEFT = {"secondary_mx_domains": [{"name": "away.example", "recipients_policy": "external"}]}
RECIPIENTS = "mxrelay.postfix.recipients"


@pytest.fixture(autouse=True)
def said_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever debugs a job sees as much as there is to see."""
    monkeypatch.setenv("ANSIBLE_VERBOSITY", "4")
    monkeypatch.setenv("ANSIBLE_DISPLAY_ARGS_TO_STDOUT", "true")


@pytest.fixture(scope="module", autouse=True)
def left_to_others() -> Iterator[None]:
    run = playbooks.play("both", playbooks.SECONDARY, variables=LEFT)
    assert run.code == 0, run.said
    yield
    run = playbooks.play("both", playbooks.SECONDARY)
    assert run.code == 0, run.said


def asked(addresses: Any, *, state: str = "", domain: str = "away.example", **options: Any) -> playbooks.Run:
    """Run the playbook with the answers of a survey; nothing that it says has an address."""
    answers = {"recipients_domain": domain, "recipients_addresses": addresses, "recipients_state": state}
    run = playbooks.play("both", RECIPIENTS, variables={**LEFT, **answers}, **options)
    assert "karl" not in run.output.lower()
    return run


def test_addresses_are_added_and_removed() -> None:
    claims.refuses_unknown(HOST, "karl@away.example")
    added = asked("karl@away.example\r\n\r\n Karl@AWAY.example \r\nivan@away.example\r\n")
    assert added.code == 0, added.said
    assert "away.example: 1 added, 1 was there already" in added.said
    assert added.artifacts["mx_recipients"] == {
        NAME: {"domain": "away.example", "added": 1, "removed": 0, "unchanged": 1}
    }
    claims.accepts(HOST, "karl@away.example")
    again = asked(["karl@away.example"])
    assert (again.code, again.changed) == (0, {NAME: 0}), again.said
    removed = asked("karl@away.example", state="absent")
    assert removed.code == 0, removed.said
    assert "away.example: 1 removed" in removed.said
    claims.refuses_unknown(HOST, "karl@away.example")
    claims.accepts(HOST, "ivan@away.example")


def test_check_mode_changes_nothing_and_shows_nobody() -> None:
    before = faults.state_of(HOST)
    run = asked("karl@away.example", check=True)
    assert run.code == 0, run.said
    assert "away.example: 1 added" in run.said
    assert faults.state_of(HOST) == before


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"addresses": "anna@away.example\nkarl@away.example\nkarl@\nkarl\n"}, "recipients_addresses line 3"),
        ({"addresses": "karl@gateway.example"}, "recipients_addresses line 1 is not in the domain away.example"),
        ({"addresses": "@away.example"}, "recipients_addresses line 1"),
        ({"addresses": ["karl@away.example", "karl smith@away.example"]}, "recipients_addresses[1]"),
        ({"addresses": {"karl": 1}}, "neither text nor a list"),
        ({"addresses": " \r\n"}, "recipients_addresses is not given"),
        ({"addresses": "karl@gateway.example", "domain": "gateway.example"}, "primary_mx_domains"),
        ({"addresses": "karl@foreign.example", "domain": "foreign.example"}, "is declared for no host"),
        (
            {"addresses": "karl@away.example\nPostmaster@away.example", "state": "absent"},
            "postmaster@away.example must",
        ),
        ({"addresses": "karl@away.example", "domain": ""}, "recipients_domain is not given"),
        ({"addresses": "karl@away.example", "state": "Present"}, "recipients_state must be one of: present, absent"),
    ],
)
def test_bad_request_is_refused_whole(answers: dict[str, Any], words: str) -> None:
    before = faults.state_of(HOST)
    run = asked(**answers)
    assert run.code == 2
    assert words in run.said
    assert faults.state_of(HOST) == before


def test_table_that_cannot_be_written_is_told_without_addresses() -> None:
    with faults.read_only(HOST, "/etc/postfix"):
        run = asked("karl@away.example")
    assert run.code == 2
    assert "away.example: " in run.said
    assert "on a file system that is read-only" in run.said
