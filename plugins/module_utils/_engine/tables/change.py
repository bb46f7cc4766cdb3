# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table change: plan it from what is there, then replace index and source so that no lookup ever fails.

A run that is killed anywhere leaves the old table or the new one, and the next run converges.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.followed import note_followed
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import record_path
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.lock import table_lock
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import (
    TableOptions,
    TablePlan,
    TableRequest,
    plan_table,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import (
    Settings,
    TableReference,
    proxied,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.replace import put_in_place, write_record
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.index_states import (
    MISSING,
    NO_INDEX,
    UNREADABLE,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import refuse_unwritable
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix


def change_table(
    postfix: Postfix,
    reference: TableReference,
    want: Edits | TableRequest,
    options: TableOptions,
    check_mode: bool,
    settings: Settings | None = None,
) -> tuple[TablePlan, str | None]:
    """Plans under the lock and, unless `check_mode`, applies the plan; also returns the path of the backup.

    Raises MxRelayError, the table then being as it was unless the message says otherwise.
    """
    backup = None
    with table_lock(reference, check_mode):
        plan = plan_table(postfix, reference, want, options, settings)
        if plan.changed:
            refuse_unwritable(*written_by(plan))
        if plan.changed and not check_mode:
            backup = apply_table(postfix, plan)
        elif plan.to_record is not None and not check_mode:
            # Without it the next run has to look through the table again, and nothing else.
            with suppress(OSError):
                write_record(reference.path, plan.to_record)
        return plan if check_mode else _followed(plan), backup


def _followed(plan: TablePlan) -> TablePlan:
    """The plan once it is noted what its domains follow, which the change of the table does not depend on."""
    try:
        note_followed(plan)
    except HostError as error:
        return replace(plan, warnings=[*plan.warnings, f"what was read of sources is not noted: {error.message}"])
    return plan


def written_by(plan: TablePlan) -> list[str]:
    """The files that a change of the table writes."""
    files = [plan.files.path, plan.files.index, record_path(plan.files.path)]
    return [path for path in files if path]


def apply_table(postfix: Postfix, plan: TablePlan) -> str | None:
    """Does what the plan says; returns the path of the backup. The caller holds table_lock since before it planned.

    Raises HostError; the table is then the old one, unless the message says that it is in place.
    """
    return put_in_place(
        postfix,
        plan.files,
        expected=plan.rows,
        write_source=plan.source_changed,
        write_index=plan.index_rebuilt,
        reload=_needs_reload(postfix, plan),
        leftovers=plan.leftovers,
        old_indexes=plan.old_indexes,
        changed=plan.changed_rows,
    )


def _needs_reload(postfix: Postfix, plan: TablePlan) -> bool:
    """Whether daemons would not notice the change by themselves."""
    if plan.reload_pending or plan.state in (MISSING, UNREADABLE):
        return True
    if not (plan.source_changed or plan.index_rebuilt):
        return False
    # A daemon keeps its connection to a proxymap that has the old table open, on a busy host for minutes.
    return plan.state == NO_INDEX or proxied(postfix, plan.reference)
