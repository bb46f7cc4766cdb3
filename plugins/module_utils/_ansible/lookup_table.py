# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the module lookup_table."""

from __future__ import annotations

from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.tables import (
    entries_diff,
    table_options,
    table_outcome,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.change import change_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import (
    read_settings,
    reference_at,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.entries import edits, entry_rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix


def keep_lookup_table(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """Plans and, unless in check mode, makes the change that the options ask for."""
    settings = read_settings(postfix)
    reference = reference_at(postfix, params["path"], params["type"], settings)
    secret = params["secret"]
    wanted = entry_rows(params["entries"], reference.type, with_values=params["state"] == "present", secret=secret)
    want = edits(wanted, params["state"], params["purge"])
    options = table_options(params, new_group="root", new_mode="0600") if secret else table_options(params)
    plan, backup = change_table(postfix, reference, want, options, check_mode, settings)
    return table_outcome(
        plan,
        backup,
        entries_diff(plan, values=not secret),
        added=plan.added,
        removed=plan.removed,
        updated=plan.updated,
    )


def secret_values(params: dict[str, Any]) -> list[str]:
    """The values that are not to be shown."""
    return [entry["value"] for entry in params["entries"] if params["secret"] and entry["value"]]
