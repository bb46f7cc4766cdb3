# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook awx_setup, with the modules of awx.awx, against what stands in for AWX, and AWX where one is named.

On a real AWX all is made in an organization of its own, and removed at the end.
"""

from __future__ import annotations

import os
import pathlib
import uuid
from collections.abc import Iterator
from typing import Any

import ansible
import pytest
import yaml

from lab import controller, playbooks
from lab.awx_api import Awx

DATA = playbooks.MOLECULE.parent / "extensions/awx"
SECRET = "a-token-of-awx"
OF_A_USER = ("CONTROLLER_OAUTH_TOKEN", "CONTROLLER_USERNAME", "CONTROLLER_PASSWORD")
SHIPPED = pathlib.Path(ansible.__file__).parents[1] / "ansible_collections"
# What a template has as its data says.
KEPT = ("playbook", "job_type", "forks", "timeout", "become_enabled", "ask_job_type_on_launch", "ask_limit_on_launch")


def data(name: str) -> Any:
    return yaml.safe_load((DATA / f"{name}.yml").read_text(encoding="utf-8"))


@pytest.fixture
def collections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ansible finds the modules of awx.awx."""
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", os.environ["MXRELAY_LAB_WITH_AWX"])


@pytest.fixture(scope="module", params=["stand-in", *(["AWX"] if os.environ.get("CONTROLLER_HOST") else [])])
def awx(request: pytest.FixtureRequest) -> Iterator[Awx]:
    """AWX with an organization in which there is nothing yet."""
    name = f"mxrelay tests {uuid.uuid4().hex[:12]}"
    if request.param == "AWX":
        with Awx(os.environ["CONTROLLER_HOST"], name, os.environ).organized() as found:
            yield found
        return
    with controller.serving(controller.Controller()) as address, pytest.MonkeyPatch.context() as patch:
        for variable in OF_A_USER:
            patch.delenv(variable, raising=False)
        patch.setenv("CONTROLLER_OAUTH_TOKEN", SECRET)
        with Awx(address, name, os.environ).organized() as found:
            yield found


def set_up(awx: Awx, **options: Any) -> playbooks.Run:
    variables = {
        "awx_setup_host": awx.address,
        "awx_setup_organization": awx.organization,
        "awx_setup_execution_environment": awx.organization,
    }
    run = playbooks.play("both", "mxrelay.postfix.awx_setup", variables=variables, **options)
    for secret in filter(None, map(os.environ.get, ("CONTROLLER_OAUTH_TOKEN", "CONTROLLER_PASSWORD"))):
        assert secret not in run.output
    return run


def test_missing_modules_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    (tmp_path / "ansible_collections").mkdir()
    (tmp_path / "ansible_collections/ansible").symlink_to(SHIPPED / "ansible")
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_SCAN_SYS_PATH", "false")
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", f"{os.environ['ANSIBLE_COLLECTIONS_PATH']}:{tmp_path}")
    run = playbooks.play("both", "mxrelay.postfix.awx_setup", variables={"awx_setup_host": "http://127.0.0.1:9"})
    assert run.code == 2
    assert "awx.awx is not installed here; run: ansible-galaxy collection install awx.awx" in run.said


@pytest.mark.usefixtures("collections")
def test_without_an_address_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTROLLER_HOST", raising=False)
    run = playbooks.play("both", "mxrelay.postfix.awx_setup", variables={"awx_setup_host": ""})
    assert run.code == 2
    assert "set awx_setup_host, or CONTROLLER_HOST in the environment" in run.said


@pytest.mark.usefixtures("collections")
def test_check_mode_creates_nothing(awx: Awx) -> None:
    run = set_up(awx, check=True)
    assert run.code == 0, run.said
    assert awx.everything() == {}
    assert "would be created as well" in run.said


@pytest.mark.usefixtures("collections")
def test_everything_is_created_once(awx: Awx) -> None:
    run = set_up(awx)
    assert run.code == 0, run.said
    made = awx.everything()
    templates = {template["name"]: template for template in data("job_templates")["job_templates"]}
    assert {kind: sorted(items) for kind, items in made.items()} == {
        "credentials": ["Mail relays"],
        "execution_environments": [awx.organization],
        "inventories": ["Mail relays"],
        "job_templates": sorted(templates),
        "labels": ["audit", "change", "mail relays"],
        "projects": ["mxrelay.postfix"],
        "schedules": ["report weekly", "sync recipients every 5 minutes", "verify daily"],
        "workflow_job_templates": sorted(workflow["name"] for workflow in data("workflow")["workflows"]),
    }
    for name, template in made["job_templates"].items():
        assert awx.ask(template["related"]["survey_spec"]) == data(f"surveys/{name}")
        assert {field: template[field] for field in KEPT} == {field: templates[name][field] for field in KEPT}
    assert made["credentials"]["Mail relays"].get("inputs", {}) == {}
    again = set_up(awx)
    assert (again.code, again.tasks) == (0, ()), again.said
    assert awx.everything() == made


def test_everything_can_be_removed(awx: Awx) -> None:
    awx.remove()
    assert awx.everything() == {}
