# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import tables
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.tables import (
    counts_diff,
    entries_diff,
    table_options,
    table_outcome,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.change import change_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TableOptions, TablePlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import TableReference
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._ansible.table_options import table_params
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost

OLD = {"a@x.example": "1", "b@x.example": "2"}
CHANGE = Edits(set={"b@x.example": "3", "c@x.example": "4"}, remove=["a@x.example"])


class Changed:
    """One table of a fake host that holds OLD, and what changes of it plan."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.host = FakeHost(str(directory))
        self.path = directory / "table"
        self.change(Edits(set=OLD))

    def change(self, edits: Edits, check_mode: bool = False, **options: object) -> TablePlan:
        reference = TableReference("hash", str(self.path))
        given = table_options(table_params(**options))
        return change_table(self.host.postfix(), reference, edits, given, check_mode)[0]


@pytest.fixture(name="table")
def fixture_table(tmp_path: pathlib.Path) -> Changed:
    return Changed(tmp_path)


def test_options_are_those_of_the_task_and_of_the_module() -> None:
    params = table_params(owner="root", group="postfix", mode="0644", backup=True, max_removals="10%")
    assert table_options(params) == TableOptions("root", "postfix", "0644", True, "10%")
    assert table_options(params, new_mode="0600").new_mode == "0600"


def test_diff_of_entries_has_those_that_change(table: Changed) -> None:
    plan = table.change(CHANGE, check_mode=True)
    before, after = "a@x.example 1\nb@x.example 2\n", "b@x.example 3\nc@x.example 4\n"
    assert entries_diff(plan) == Diff(str(table.path), before, after)


def test_diff_without_values_has_keys(table: Changed) -> None:
    before = "a@x.example (old value)\nb@x.example (old value)\n"
    after = "b@x.example (new value)\nc@x.example (new value)\n"
    plan = table.change(CHANGE, check_mode=True)
    assert entries_diff(plan, values=False) == Diff(str(table.path), before, after)


def test_diff_of_counts_has_neither(table: Changed) -> None:
    plan = table.change(CHANGE, check_mode=True)
    after = "2 entries (1 added, 1 removed, 1 with another value)\n"
    assert counts_diff(plan) == Diff(str(table.path), "2 entries\n", after)


def test_diff_of_very_many_entries_ends_with_their_number(table: Changed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "DIFF_ROWS", 1)
    diff = entries_diff(table.change(Edits(remove=list(OLD)), check_mode=True))
    assert (diff.before, diff.after) == ("a@x.example 1\n... and 1 more\n", "")


@pytest.mark.parametrize("make", [counts_diff, entries_diff])
def test_diff_of_a_repair_names_what_was_wrong(table: Changed, make: Callable[[TablePlan], Diff]) -> None:
    (table.path.parent / "table.db").write_text("hash\n")
    (table.path.parent / "table.lmdb").touch()
    table.path.chmod(0o604)
    plan = table.change(Edits(set=OLD), check_mode=True, mode="0640", remove_old_index=True)
    diff = make(plan)
    assert diff.before.splitlines()[:3] == ["index: stale", "table.lmdb: there", f"table: {whose(0o604)}"]
    assert diff.after.splitlines()[:2] == ["index: current", f"table: {whose(0o640)}"]


def whose(mode: int) -> str:
    mine = table_params()
    return f"owner {mine['owner']}, group {mine['group']}, mode {mode:04o}"


def test_outcome_has_what_every_table_module_returns(table: Changed) -> None:
    plan = table.change(CHANGE)
    outcome = table_outcome(plan, "/backup", entries_diff(plan), added=1)
    assert outcome.results == {
        "path": str(table.path),
        "type": "hash",
        "reference": f"hash:{table.path}",
        "total": 2,
        "index_rebuilt": True,
        "added": 1,
        "backup_file": "/backup",
    }
    assert (outcome.changed, len(outcome.diffs), outcome.warnings) == (True, 1, [])


def test_outcome_of_no_change_has_warnings_and_no_diff(table: Changed) -> None:
    with table.path.open("a") as source:
        source.write("keyonly\n")
    os.unlink(table.path.parent / ".table.mxrelay")
    plan = table.change(Edits(set=OLD))
    outcome = table_outcome(plan, None, entries_diff(plan))
    assert (outcome.changed, outcome.diffs) == (False, [])
    assert outcome.warnings == [f"{table.path}: line 3: has a key without a value; Postfix ignores the entry"]
    assert "backup_file" not in outcome.results
