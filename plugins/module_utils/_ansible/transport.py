# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the module transport."""

from __future__ import annotations

from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.tables import (
    entries_diff,
    table_options,
    table_outcome,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.change import change_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import read_settings, resolve
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.both_forms import with_both_forms
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.entries import edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.transport import transport_rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

PARAMETER = "transport_maps"
DEFAULT_NAME = "transport"


def keep_transport(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """Plans and, unless in check mode, makes the change that the options ask for."""
    wanted = transport_rows(params["entries"], with_results=params["state"] == "present")
    settings = read_settings(postfix, [PARAMETER])
    want = with_both_forms(edits(wanted, params["state"], params["purge"]), settings.utf8, idna2008.a_label)
    reference = resolve(postfix, PARAMETER, DEFAULT_NAME, params["path"], params["type"], settings)
    plan, backup = change_table(postfix, reference, want, table_options(params), check_mode, settings)
    return table_outcome(plan, backup, entries_diff(plan), added=plan.added, removed=plan.removed, updated=plan.updated)
