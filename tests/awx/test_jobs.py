# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks as jobs of AWX: in execution environments, by ansible-runner, with answers as surveys send them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
AS_SLICE = {"awx_job_template_name": "a name", "awx_workflow_job_name": "a name"}

Run = Callable[..., awx_jobs.Job]


def runner(image: str, folder: Path) -> Run:
    """Return what runs jobs in the image: their playbook, answers and options; each in a folder of its own."""

    def run(playbook: str, answers: Mapping[str, Any] | None = None, options: str = "") -> awx_jobs.Job:
        place = folder / f"job-{len(list(folder.iterdir()))}"
        return awx_jobs.run(image, place, "both", playbook, answers or {}, options)

    return run


@pytest.fixture(scope="session", autouse=True)
def first_jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, awx_jobs.Job]:
    """The jobs that make the lab's host an MX."""
    run = runner(next(iter(awx_jobs.IMAGES.values())), tmp_path_factory.mktemp("first"))
    jobs = {"check": run("secondary_mx", options="--check --diff"), "secondary_mx": run("secondary_mx")}
    return {**jobs, "primary_mx": run("primary_mx")}


@pytest.fixture(params=awx_jobs.IMAGES)
def job(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    return runner(awx_jobs.IMAGES[request.param], tmp_path)


def test_jobs_make_a_new_host_an_mx(first_jobs: dict[str, awx_jobs.Job]) -> None:
    assert {name: (done.code, list(done.changed)) for name, done in first_jobs.items()} == {
        "check": (0, [NAME]),
        "secondary_mx": (0, [NAME]),
        "primary_mx": (0, [NAME]),
    }
    claims.accepts(HOST, "judy@away.example")
    claims.accepts(HOST, "alice@gateway.example")


def test_first_job_changes_and_the_second_does_not(job: Run) -> None:
    before = faults.state_of(HOST)
    planned = job("secondary_mx", MORE, "--check --diff")
    assert (planned.code, faults.state_of(HOST)) == (0, before)
    first = job("secondary_mx", MORE, "--diff")
    assert first.code == 0
    assert first.changed == planned.changed
    assert list(first.changed) == list(first.artifacts["mx_changed"]) == [NAME]
    claims.accepts(HOST, "karl@away.example")
    second = job("secondary_mx", MORE, "--diff")
    assert (second.code, second.changed) == (0, {})
    back = job("secondary_mx")
    assert (back.code, list(back.changed)) == (0, [NAME])
    assert [done for done in (planned, first, second, back) if "karl@" in done.text] == []


@pytest.mark.parametrize(
    ("playbook", "answers", "words"),
    [
        ("verify", {"verify_fail_on": "Local"}, "verify_fail_on must be one or more of: local, dns, remote"),
        ("canary", {"canary_wait": "soon"}, "argument 'canary_wait'"),
        ("secondary_mx", {"secondary_mx_undeclared_domains": "{{ 7 * 7 }}"}, "secondary_mx_undeclared_domains must be"),
        ("recipients", {"recipients_domain": "", "recipients_addresses": "karl@away.example"}, "recipients_domain is"),
    ],
)
def test_bad_answer_fails_at_validation(job: Run, playbook: str, answers: dict[str, Any], words: str) -> None:
    done = job(playbook, answers)
    assert done.code == 2
    assert done.started == ["Check the variables of the playbook"]
    assert words in done.text
    assert "karl@" not in done.text


def test_slice_of_a_job_that_changes_is_refused(job: Run) -> None:
    done = job("secondary_mx", AS_SLICE)
    assert done.code == 2
    assert "set Job Slicing to 1" in done.text
    assert done.started[-1] == "Check that the job has the whole inventory"


@pytest.mark.parametrize("blank", ["", None])
def test_audit_takes_a_slice_and_blanks_and_texts(job: Run, blank: str | None) -> None:
    answers = {
        "verify_probe": "false",
        "verify_canary": blank,
        "verify_fail_on": "local\r\ndns\r\n",
        "verify_outage": blank,
    }
    done = job("verify", {**AS_SLICE, **answers})
    assert (done.code, done.changed) == (0, {})
    assert done.artifacts["mx_findings"][NAME]["error"] == 0


def test_report_is_among_the_artifacts(job: Run) -> None:
    done = job("report", {"report_stats": True, "report_title": "Our relays"})
    assert (done.code, done.changed) == (0, {})
    assert "Our relays" in done.artifacts["mx_report_html"]
    assert NAME in done.artifacts["mx_report_markdown"]


def test_help_desk_sees_no_address(job: Run) -> None:
    assert job("secondary_mx", LEFT).code == 0
    answers = {"recipients_domain": "away.example", "recipients_addresses": "karl@away.example\r\n"}
    asked = job("recipients", {**LEFT, **answers}, "-vvvv --diff")
    assert (asked.code, list(asked.changed)) == (0, [NAME])
    assert asked.artifacts["mx_recipients"][NAME]["added"] == 1
    assert "karl@" not in asked.text
    claims.accepts(HOST, "karl@away.example")
    assert job("secondary_mx").code == 0
    claims.refuses_unknown(HOST, "karl@away.example")
