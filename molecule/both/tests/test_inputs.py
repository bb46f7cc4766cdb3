# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the shipped playbooks are given, as a person types it or a survey sends it, before and on a real host."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from lab import faults, playbooks

HOST = "mx1"
NAME = "mx1.lab.example"
MORE = {
    "secondary_mx_domains": [
        {"name": "away.example", "recipients": ["ivan@away.example", "judy@away.example", "karl@away.example"]}
    ]
}
SLICE = {"awx_job_template_name": "MX", "awx_workflow_job_name": "MX"}
META = (playbooks.MOLECULE.parent / "playbooks/verify.meta.yml").read_text(encoding="utf-8")
ALL_OF_VERIFY = tuple(yaml.safe_load(META)["argument_specs"]["verify"]["options"])


@pytest.fixture(scope="module", autouse=True)
def converged() -> None:
    """The tests before have left the host otherwise."""
    run = playbooks.play("both", str(playbooks.MOLECULE / "both/converge.yml"))
    assert run.code == 0, run.said


def shipped(playbook: str, variables: dict[str, Any], **options: Any) -> playbooks.Run:
    return playbooks.play("both", f"mxrelay.postfix.{playbook}", variables=variables, **options)


@pytest.mark.parametrize(
    ("playbook", "variables", "words"),
    [
        ("verify", {"verify_fail_on": "Local"}, "verify_fail_on must be one or more of: local, dns, remote"),
        ("verify", {"verify_fail_on": "local\r\nlan\r\n"}, "Got no match for: lan"),
        ("verify", {"verify_canary_wait": "soon"}, "argument 'verify_canary_wait'"),
        ("verify", {"verify_unproven": "no"}, "verify_unproven must be one of: warn, fail, got: no"),
        ("report", {"report_stats": "perhaps"}, "argument 'report_stats'"),
        ("canary", {"canary_wait": [1]}, "argument 'canary_wait'"),
        ("primary_mx", {"primary_mx_verify_fail_on": "everything"}, "Got no match for: everything"),
        ("secondary_mx", {"secondary_mx_manage_service": "nope"}, "argument 'secondary_mx_manage_service'"),
    ],
)
def test_wrong_answer_fails_before_the_host_is_asked(playbook: str, variables: dict[str, Any], words: str) -> None:
    run = shipped(playbook, variables)
    assert run.code == 2
    assert words in run.said
    assert run.ok == {}


@pytest.mark.parametrize("blank", ["", None, "  "])
def test_blank_answers_are_none(blank: str | None) -> None:
    run = shipped("verify", dict.fromkeys(ALL_OF_VERIFY, blank))
    assert run.code == 0, run.said
    assert run.ok[NAME] > 0
    assert run.artifacts["mx_findings"][NAME]["error"] == 0


def test_misspelt_variable_is_told() -> None:
    run = shipped("verify", {"verify_failon": "local", "secondary_mx_recipient": "x"})
    assert run.code == 0, run.said
    assert "no variable verify_failon; did you mean verify_fail_on?" in run.said
    assert "no variable secondary_mx_recipient" in run.said


def test_retyped_answers_are_taken() -> None:
    before = faults.state_of(HOST)
    run = shipped(
        "secondary_mx", {"secondary_mx_manage_service": "true", "secondary_mx_verify_fail_on": "local\r\n\r\n"}
    )
    assert run.code == 0, run.said
    assert faults.state_of(HOST) == before


def test_check_mode_fails_on_drift_if_it_is_told_to() -> None:
    before = faults.state_of(HOST)
    drift = {"secondary_mx_fail_on_drift": "true"}
    assert shipped("secondary_mx", drift, check=True).code == 0
    run = shipped("secondary_mx", {**drift, **MORE}, check=True)
    assert run.code == 2
    assert "This host is not as it is declared; " in run.said
    assert faults.state_of(HOST) == before


def test_hosts_that_were_changed_are_returned() -> None:
    changed = shipped("secondary_mx", MORE)
    back = shipped("secondary_mx", {})
    same = shipped("secondary_mx", {})
    assert (changed.code, back.code, same.code) == (0, 0, 0), changed.said
    assert (set(changed.artifacts["mx_changed"]), same.artifacts.get("mx_changed")) == ({NAME}, None)


@pytest.mark.parametrize(("playbook", "code"), [("primary_mx", 2), ("secondary_mx", 2), ("verify", 0)])
def test_slice_is_for_what_changes_nothing(playbook: str, code: int) -> None:
    run = shipped(playbook, SLICE)
    assert run.code == code, run.said
    assert ("set Job Slicing to 1" in run.said) is (code == 2)
    assert (run.ok == {}) is (code == 2)
