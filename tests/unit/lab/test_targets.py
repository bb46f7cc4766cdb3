# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from lab.checkout import ROOT
from lab.targets import SHARED, TARGETS, all_targets

MODULES = {path.stem: path.read_text() for path in (ROOT / "plugins/modules").glob("*.py") if path.stem != "__init__"}
# What roles and playbooks call, or what needs mail that flows: where each is held against real hosts.
ELSEWHERE = {
    "mx_canary": "molecule/canary",
    "mx_metrics": "molecule/metrics",
    "mx_outage": "molecule/outage",
    "mx_standby": "molecule/standby",
    "mx_trust": "molecule/trust",
    "mx_undo": "molecule/primary_mx",
    "queue_bounce": "molecule/outage",
    "queue_flush": "molecule/outage",
    "queue_hold": "molecule/outage",
    "queue_limits": "molecule/outage",
    "queue_release": "molecule/releases",
    "queue_watch": "molecule/outage",
    "recipients_info": "tests/integration/test_recipients_info.py",
}
CHANGES_NOTHING = re.compile(r"^  - mxrelay\.postfix\.postfix\.info$", re.MULTILINE)
CHANGING = [name for name in all_targets() if not CHANGES_NOTHING.search(MODULES[name])]


def tasks_of(target: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load((TARGETS / target / "tasks/main.yml").read_text()))


def test_each_module_has_a_target_or_is_tested_elsewhere() -> None:
    assert sorted([*all_targets(), *ELSEWHERE]) == sorted(MODULES)
    assert [place for place in ELSEWHERE.values() if not (ROOT / place).exists()] == []


def test_modules_that_change_files_are_told_from_those_that_read() -> None:
    assert CHANGING == ["lookup_table", "main_cf", "master_cf", "relay_recipients", "transport"]


@pytest.mark.parametrize("target", all_targets())
def test_target_says_what_it_needs_and_does(target: str) -> None:
    lines = (TARGETS / target / "aliases").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == [
        "destructive",
        "needs/root",
        f"needs/target/{SHARED}postfix",
    ]
    assert yaml.safe_load((TARGETS / target / "meta/main.yml").read_text()) == {"dependencies": [f"{SHARED}postfix"]}


@pytest.mark.parametrize("target", CHANGING)
def test_target_checks_applies_repeats_removes_and_refuses(target: str) -> None:
    tasks = tasks_of(target)
    ours = [task for task in tasks if f"mxrelay.postfix.{target}" in task]
    present = ours[0][f"mxrelay.postfix.{target}"]
    same = [task for task in ours if task[f"mxrelay.postfix.{target}"] == present]
    assert [(task.get("check_mode"), task.get("diff")) for task in same] == [(True, True), (None, True), (None, None)]
    assert same[2]["failed_when"] == "again is changed"
    assert "absent" in (TARGETS / target / "tasks/main.yml").read_text()
    assert [task for task in tasks if task.get("loop") == "{{ [true, false] | product(refused) }}"] != []


@pytest.mark.parametrize("target", CHANGING)
def test_what_may_not_write_is_followed_by_a_comparison(target: str) -> None:
    tasks = tasks_of(target)
    quiet = [number for number, task in enumerate(tasks) if task.get("check_mode") is True or "refused" in str(task)]
    compared = {
        number
        for number, task in enumerate(tasks)
        if task.get("ansible.builtin.include_role", {}).get("tasks_from") == "unchanged"
    }
    assert quiet
    assert [tasks[number]["name"] for number in quiet if not {number + 1, number + 2} & compared] == []
