# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks as jobs of AWX: by ansible-runner, with answers as surveys send them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab import awx_jobs, claims, faults

HOST = "mx1"
NAME = "mx1.lab.example"
MORE = {
    "secondary_mx_domains": [
        {"name": "away.example", "recipients": "ivan@away.example\r\n\r\njudy@away.example\r\nkarl@away.example\r\n"}
    ]
}
LEFT = {"secondary_mx_domains": [{"name": "away.example", "recipients_policy": "external"}]}


def test_first_job_changes_and_the_second_does_not(tmp_path: Path) -> None:
    before = faults.state_of(HOST)
    planned = awx_jobs.run(tmp_path / "check", "both", "secondary_mx", MORE, options="--check --diff")
    assert (planned.code, faults.state_of(HOST)) == (0, before)
    first = awx_jobs.run(tmp_path / "first", "both", "secondary_mx", MORE, options="--diff")
    assert first.code == 0
    assert first.changed == planned.changed
    assert list(first.changed) == list(first.artifacts["mx_changed"]) == [NAME]
    claims.accepts(HOST, "karl@away.example")
    second = awx_jobs.run(tmp_path / "second", "both", "secondary_mx", MORE, options="--diff")
    assert (second.code, second.changed) == (0, {})
    back = awx_jobs.run(tmp_path / "back", "both", "secondary_mx", {})
    assert (back.code, list(back.changed)) == (0, [NAME])
    assert [job for job in (planned, first, second, back) if "karl@" in job.text] == []


@pytest.mark.parametrize(
    ("playbook", "answers", "words"),
    [
        ("verify", {"verify_fail_on": "Local"}, "verify_fail_on must be one or more of: local, dns, remote"),
        ("canary", {"canary_wait": "soon"}, "argument 'canary_wait'"),
        ("secondary_mx", {"secondary_mx_undeclared_domains": "{{ 7 * 7 }}"}, "secondary_mx_undeclared_domains must be"),
        ("recipients", {"recipients_domain": "", "recipients_addresses": "karl@away.example"}, "recipients_domain is"),
    ],
)
def test_bad_answer_fails_at_validation(tmp_path: Path, playbook: str, answers: dict[str, Any], words: str) -> None:
    job = awx_jobs.run(tmp_path, "both", playbook, answers)
    assert job.code == 2
    assert job.started == ["Check the variables of the playbook"]
    assert words in job.text
    assert "karl@" not in job.text


def test_slice_of_a_job_that_changes_is_refused(tmp_path: Path) -> None:
    names = {"awx_job_template_name": "secondary_mx", "awx_workflow_job_name": "secondary_mx"}
    job = awx_jobs.run(tmp_path, "both", "secondary_mx", names)
    assert job.code == 2
    assert "set Job Slicing to 1" in job.text
    assert job.started[-1] == "Check that the job has the whole inventory"


@pytest.mark.parametrize("blank", ["", None])
def test_audit_takes_a_slice_and_blanks_and_texts(tmp_path: Path, blank: str | None) -> None:
    names = {"awx_job_template_name": "verify", "awx_workflow_job_name": "verify"}
    answers = {
        "verify_probe": "false",
        "verify_canary": blank,
        "verify_fail_on": "local\r\ndns\r\n",
        "verify_outage": blank,
    }
    job = awx_jobs.run(tmp_path, "both", "verify", {**names, **answers})
    assert (job.code, job.changed) == (0, {}), job.text
    assert job.artifacts["mx_findings"][NAME]["error"] == 0


def test_help_desk_sees_no_address(tmp_path: Path) -> None:
    assert awx_jobs.run(tmp_path / "left", "both", "secondary_mx", LEFT).code == 0
    answers = {"recipients_domain": "away.example", "recipients_addresses": "karl@away.example\r\n"}
    job = awx_jobs.run(tmp_path / "asked", "both", "recipients", {**LEFT, **answers}, options="-vvvv --diff")
    assert (job.code, list(job.changed)) == (0, [NAME]), job.text
    assert job.artifacts["mx_recipients"][NAME]["added"] == 1
    assert "karl@" not in job.text
    claims.accepts(HOST, "karl@away.example")
    assert awx_jobs.run(tmp_path / "back", "both", "secondary_mx", {}).code == 0
    claims.refuses_unknown(HOST, "karl@away.example")
