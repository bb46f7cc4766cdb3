# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Held against plays as Ansible itself loads them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins.loader import init_plugin_loader
from ansible.vars.manager import VariableManager

from ansible_collections.mxrelay.postfix.plugins.plugin_utils import peer_plan
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.peer_plan import arguments_of_peer, recalled, remembered
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.own_clock import set_clock

OWN = {
    "role": "primary_mx",
    "domains": [{"name": "x.example"}],
    "settings": {"ipv6": False},
    "peer": {"role": "secondary_mx", "domains": ["y.example"], "settings": {"postmaster": True}},
    "host_name": "mx.example",
}
PEER = {
    "role": "secondary_mx",
    "domains": ["y.example"],
    "settings": {"postmaster": True},
    "peer": {"role": "primary_mx", "domains": [{"name": "x.example"}], "settings": {"ipv6": False}},
    "host_name": "mx.example",
}
PLAN = {"pending": False}
BETWEEN = {"ansible.builtin.command": "true"}
Plans = Callable[..., "dict[str, list[Task]]"]


def _tasks(blocks: list[Any]) -> Iterator[Task]:
    for part in blocks:
        if isinstance(part, Block):
            yield from _tasks(part.block)
        else:
            yield part


@pytest.fixture(scope="module", autouse=True)
def collections() -> None:
    """Ansible finds collections, as in ansible-playbook."""
    init_plugin_loader()


@pytest.fixture(name="plans")
def tasks_that_plan(tmp_path: Path) -> Plans:
    """The tasks by which the roles of a play plan, in their order, by the role's name."""

    def write(name: str, text: Any) -> None:
        path = tmp_path / "roles" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(text))

    def role(name: str, tasks: list[Any]) -> None:
        write(f"{name}/tasks/main.yml", tasks)

    def load(dependencies: dict[str, list[str]] | None = None, **play: Any) -> dict[str, list[Task]]:
        role("mx", [{"name": "plan", "ansible.builtin.debug": {}}])
        role("other", [BETWEEN])
        for name in ("primary_mx", "secondary_mx"):
            imported = {"ansible.builtin.import_role": {"name": "mx"}, "vars": {"role_that_asks": name}}
            role(name, [imported])
        role("site", [BETWEEN, {"ansible.builtin.import_role": {"name": "secondary_mx"}}])
        for name, others in (dependencies or {}).items():
            write(f"{name}/meta/main.yml", {"dependencies": others})
        loader = DataLoader()
        loader.set_basedir(str(tmp_path))
        loaded = Play.load({"hosts": "all", **play}, variable_manager=VariableManager(loader=loader), loader=loader)
        found: dict[str, list[Task]] = {"primary_mx": [], "secondary_mx": []}
        for task in _tasks(loaded.compile()):
            if task.get_name().endswith("plan"):
                found[task.get_vars()["role_that_asks"]].append(task)
        return found

    return load


def left(task: Task) -> dict[str, Any]:
    return {"peer_plan": remembered(PLAN, PEER, task)}


def test_second_role_takes_the_plan_that_the_first_one_made_for_it(plans: Plans) -> None:
    found = plans(roles=["primary_mx", "secondary_mx"])
    (first,), (second,) = found["primary_mx"], found["secondary_mx"]
    assert arguments_of_peer(OWN, first) == PEER
    assert recalled(left(first), PEER, second) == PLAN


def test_order_of_the_roles_does_not_matter(plans: Plans) -> None:
    found = plans(roles=["other", "secondary_mx", "primary_mx", "other"])
    (first,), (second,) = found["secondary_mx"], found["primary_mx"]
    assert arguments_of_peer(PEER, first) == OWN
    assert recalled(left(first), PEER, second) == PLAN


def test_nothing_is_planned_for_a_role_that_does_not_come_next(plans: Plans) -> None:
    for play in (
        {"roles": ["primary_mx"]},
        {"roles": ["secondary_mx", "primary_mx"]},
        {"roles": ["primary_mx", "other", "secondary_mx"]},
        {"roles": ["primary_mx", "site"]},
        {"roles": ["other", "secondary_mx"], "dependencies": {"other": ["primary_mx"]}},
        {"tasks": [{"ansible.builtin.import_role": {"name": name}} for name in ("primary_mx", "secondary_mx")]},
    ):
        assert [arguments_of_peer(OWN, task) for task in plans(**play)["primary_mx"]] == [None]


@pytest.mark.parametrize(
    "play",
    [
        pytest.param({"roles": ["primary_mx", "other", "secondary_mx"]}, id="another role between"),
        pytest.param({"roles": ["primary_mx", "site"]}, id="within a role that does more"),
        pytest.param(
            {"roles": ["primary_mx", "secondary_mx"], "dependencies": {"secondary_mx": ["other"]}},
            id="a role it depends on",
        ),
        pytest.param(
            {
                "pre_tasks": [{"ansible.builtin.import_role": {"name": "primary_mx"}}, BETWEEN],
                "roles": ["secondary_mx"],
            },
            id="imported before",
        ),
        pytest.param(
            {"roles": ["primary_mx"], "tasks": [BETWEEN, {"ansible.builtin.import_role": {"name": "secondary_mx"}}]},
            id="imported after",
        ),
    ],
)
def test_plan_is_not_taken_where_something_may_have_come_between(plans: Plans, play: dict[str, Any]) -> None:
    neighbours = plans(roles=["primary_mx", "secondary_mx"])
    assert recalled(left(neighbours["primary_mx"][0]), PEER, neighbours["secondary_mx"][0]) == PLAN
    found = plans(**play)
    assert recalled(left(found["primary_mx"][0]), PEER, found["secondary_mx"][0]) is None


def test_plan_of_an_earlier_play_is_not_taken(plans: Plans) -> None:
    earlier, now = (plans(roles=["primary_mx", "secondary_mx"]) for _play in range(2))
    assert recalled(left(earlier["primary_mx"][0]), PEER, now["secondary_mx"][0]) is None


def test_plan_for_anything_else_than_what_is_asked_is_not_taken(plans: Plans) -> None:
    found = plans(roles=["primary_mx", "secondary_mx"])
    plan = left(found["primary_mx"][0])
    assert recalled(plan, {**PEER, "domains": ["z.example"]}, found["secondary_mx"][0]) is None


@pytest.mark.parametrize("found", [None, {}, {"skipped": True}, {"peer_plan": None}])
def test_plan_is_made_where_none_is_left(plans: Plans, found: object) -> None:
    task = plans(roles=["primary_mx", "secondary_mx"])["secondary_mx"][0]
    assert recalled(found, PEER, task) is None


def test_old_plan_is_not_taken(plans: Plans, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plans(roles=["primary_mx", "secondary_mx"])
    plan = left(found["primary_mx"][0])
    then = time.monotonic()
    set_clock(monkeypatch, peer_plan, monotonic=lambda: then + peer_plan.SECONDS_GOOD + 1)
    assert recalled(plan, PEER, found["secondary_mx"][0]) is None


@pytest.mark.parametrize("holder", [{"recipients_file": "y.txt"}, {"recipients_from": ["people"]}])
def test_list_in_a_file_is_not_read_twice_and_one_of_a_source_is_not_there_yet(
    plans: Plans, holder: dict[str, Any]
) -> None:
    task = plans(roles=["primary_mx", "secondary_mx"])["primary_mx"][0]
    peer = {**OWN["peer"], "domains": [{"name": "y.example", **holder}]}
    assert arguments_of_peer({**OWN, "peer": peer}, task) is None
