# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks of the roles may report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import KEYED

ROOT = Path(__file__).resolve().parents[2]
UNDO = "mxrelay.postfix.mx_undo"


def tasks_of(tasks: Any) -> Iterator[dict[str, Any]]:
    for task in tasks or []:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks_of(task.get(part))


def test_only_what_is_taken_back_is_reported_as_a_change_by_mx_undo() -> None:
    """Remembering and forgetting leave the host as it was, also in a run with the tag preflight alone.

    What a run that was cut off has left behind goes when the next one remembers.
    """
    files = sorted(ROOT.glob("roles/*/tasks/*.yml"))
    tasks = [task for file in files for task in tasks_of(yaml.safe_load(file.read_text(encoding="utf-8")))]
    reports = {(task[UNDO]["state"], task.get("changed_when", True)) for task in tasks if UNDO in task}
    assert reports == {
        ("remembered", "__mx_plan.left_behind"),
        ("remembered", False),
        ("undone", True),
        ("forgotten", False),
    }


def test_roles_write_remove_and_take_back_each_table_of_the_plan() -> None:
    variables = yaml.safe_load((ROOT / "roles/mx/vars/main/main.yml").read_text(encoding="utf-8"))
    assert variables["__mx_keyed"] == list(KEYED)
    assert {"transport", "recipients", *KEYED} <= variables["__mx_undo_plan"].keys()
