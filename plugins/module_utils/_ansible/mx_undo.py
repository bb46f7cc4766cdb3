# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_undo takes, and what it does."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.undo import Undone, forget, remember, undo
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MxPlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

UNDO_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "state": {"type": "str", "choices": ["remembered", "undone", "forgotten"], "required": True},
    "plan": {"type": "dict"},
}


def keep_undo(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """The work of mx_undo, of which check mode does nothing."""
    if check_mode:
        return Outcome(results=asdict(Undone()))
    if params["state"] == "remembered":
        remember(postfix, MxPlan.from_result(params["plan"]))
        return Outcome(changed=True, results=asdict(Undone()))
    if params["state"] == "forgotten":
        return Outcome(changed=forget(postfix), results=asdict(Undone()))
    done = undo(postfix, MxPlan.from_result(params["plan"]))
    return Outcome(changed=bool(done.undone), results=asdict(done))
