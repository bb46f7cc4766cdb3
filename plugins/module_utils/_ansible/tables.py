# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules for tables share: options, and how a plan becomes an outcome."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.metadata import described
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TableOptions, TablePlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff, Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.index_states import CURRENT

TABLE_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "path": {"type": "path"},
    "type": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "purge": {"type": "bool", "default": False},
    "max_removals": {"type": "str"},
    "backup": {"type": "bool", "default": False},
    "remove_old_index": {"type": "bool", "default": False},
    "owner": {"type": "str"},
    "group": {"type": "str"},
    "mode": {"type": "raw"},
}
# A diff is for people; of a change of a whole table they need not see every row.
DIFF_ROWS = 500


def table_options(params: Mapping[str, Any], **new: str) -> TableOptions:
    """The options of TABLE_SPEC; `new` are the metadata of a new table if they aren't the usual ones."""
    return TableOptions(
        owner=params["owner"],
        group=params["group"],
        mode=params["mode"],
        backup=params["backup"],
        remove_old_index=params["remove_old_index"],
        max_removals=params["max_removals"],
        **new,
    )


def counts_diff(plan: TablePlan) -> Diff:
    """How many entries there were and are, with no key and no value."""
    changes = f"{len(plan.added)} added, {len(plan.removed)} removed, {len(plan.updated)} with another value"
    return _diff(plan, [f"{plan.old_total} entries"], [f"{plan.total} entries ({changes})"])


def entries_diff(plan: TablePlan, values: bool = True) -> Diff:
    """The changed entries alone, in the order of the table; without `values` their keys alone."""

    def rows(mapping: Mapping[str, str], keys: Sequence[str], mark: str) -> list[str]:
        shown = set(keys)
        found = [key for key in mapping if key in shown]
        some = [f"{key} {mapping[key]}" if values else f"{key} ({mark})" for key in found[:DIFF_ROWS]]
        return some + ([f"... and {len(found) - DIFF_ROWS} more"] if len(found) > DIFF_ROWS else [])

    return _diff(
        plan,
        rows(plan.old, [*plan.removed, *plan.updated], "old value"),
        rows(plan.new, [*plan.added, *plan.updated], "new value"),
    )


def _diff(plan: TablePlan, before: list[str], after: list[str]) -> Diff:
    if not (plan.added or plan.removed or plan.updated):
        before, after = [], []
    if plan.index_rebuilt and not plan.source_changed:
        before, after = [*before, f"index: {plan.state}"], [*after, f"index: {CURRENT}"]
    before = [*before, *(f"{os.path.basename(path)}: there" for path in plan.old_indexes)]
    for change in plan.metadata_changes:
        name = os.path.basename(change.path)
        before = [*before, f"{name}: {described(change.before)}"]
        after = [*after, f"{name}: {described(change.after)}"]
    return Diff(plan.reference.path, _as_lines(before), _as_lines(after))


def _as_lines(rows: Sequence[str]) -> str:
    return "".join(f"{row}\n" for row in rows)


def table_outcome(plan: TablePlan, backup: str | None, diff: Diff, **results: Any) -> Outcome:
    """The result that every table module returns, with the warnings of the plan and `results` of its own."""
    returned: dict[str, Any] = {
        "path": plan.reference.path,
        "type": plan.reference.type,
        "reference": str(plan.reference),
        "total": plan.total,
        "index_rebuilt": plan.index_rebuilt,
        **results,
    }
    if backup:
        returned["backup_file"] = backup
    return Outcome(
        changed=plan.changed,
        diffs=[diff] if plan.changed else [],
        warnings=plan.warnings,
        results=returned,
    )
