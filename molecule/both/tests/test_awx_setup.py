# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook awx_setup, with the modules of awx.awx, against what stands in for AWX."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from typing import Any

import ansible
import pytest
import yaml

from lab import controller, playbooks

AWX = playbooks.MOLECULE.parent / "extensions/awx"
SECRET = "a-token-of-awx"
SHIPPED = pathlib.Path(ansible.__file__).parents[1] / "ansible_collections"
needs_modules = pytest.mark.skipif(
    not (SHIPPED / "awx").is_dir(), reason="the package ansible has no awx.awx for this release of Python"
)


@pytest.fixture(scope="module")
def awx() -> Iterator[tuple[controller.Controller, str]]:
    stand_in = controller.Controller()
    with controller.serving(stand_in) as address:
        yield stand_in, address


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROLLER_OAUTH_TOKEN", SECRET)


def set_up(address: str, **options: Any) -> playbooks.Run:
    run = playbooks.play("both", "mxrelay.postfix.awx_setup", variables={"awx_setup_host": address}, **options)
    assert SECRET not in run.output
    return run


def data(name: str) -> Any:
    return yaml.safe_load((AWX / f"{name}.yml").read_text(encoding="utf-8"))


def test_missing_modules_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    (tmp_path / "ansible_collections").mkdir()
    (tmp_path / "ansible_collections/ansible").symlink_to(SHIPPED / "ansible")
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_SCAN_SYS_PATH", "false")
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", f"{os.environ['ANSIBLE_COLLECTIONS_PATH']}:{tmp_path}")
    run = set_up("http://127.0.0.1:9")
    assert run.code == 2
    assert "awx.awx is not installed here; run: ansible-galaxy collection install awx.awx" in run.said


@needs_modules
def test_without_an_address_nothing_is_asked() -> None:
    run = set_up("")
    assert run.code == 2
    assert "set awx_setup_host, or CONTROLLER_HOST in the environment" in run.said


@needs_modules
def test_check_mode_creates_nothing(awx: tuple[controller.Controller, str]) -> None:
    stand_in, address = awx
    run = set_up(address, check=True)
    assert run.code == 0, run.said
    assert stand_in.changes == []
    assert "would be created as well" in run.said


@needs_modules
def test_everything_is_created_once(awx: tuple[controller.Controller, str]) -> None:
    stand_in, address = awx
    run = set_up(address)
    assert run.code == 0, run.said
    templates = {template["name"]: template for template in data("job_templates")["job_templates"]}
    assert stand_in.named("job_templates").keys() == templates.keys()
    for name, template in stand_in.named("job_templates").items():
        assert stand_in.surveys[f"job_templates/{template['id']}/survey_spec"] == data(f"surveys/{name}")
        for field in ("playbook", "job_type", "forks", "timeout", "become_enabled", "ask_job_type_on_launch"):
            assert template[field] == templates[name][field], (name, field)
    assert sorted(stand_in.named("workflow_job_templates")) == sorted(
        workflow["name"] for workflow in data("workflow")["workflows"]
    )
    assert sorted(stand_in.named("schedules")) == ["report weekly", "verify daily"]
    assert [item["inputs"] for item in stand_in.items["credentials"].values() if "inputs" in item] == []
    again = len(stand_in.changes)
    run = set_up(address, check=True)
    assert run.code == 0, run.said
    assert run.tasks == ()
    run = set_up(address)
    assert run.code == 0, run.said
    assert stand_in.changes[again:] == []
    assert run.tasks == ()
