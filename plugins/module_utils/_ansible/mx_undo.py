# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_undo takes, and what it does."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.undo import Undone, conclude, remember, undo
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MxPlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

UNDO_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "state": {"type": "str", "choices": ["remembered", "undone", "forgotten"], "required": True},
    "plan": {"type": "dict"},
    "record": {"type": "str"},
    "reloaded": {"type": "bool", "default": False},
}


def keep_undo(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """The work of mx_undo, of which check mode does nothing."""
    name = str(params["record"] or "")
    result = {**asdict(Undone()), "record": name, "outdated": False}
    if check_mode:
        return Outcome(results=result)
    if params["state"] == "remembered":
        record, outdated = remember(postfix, MxPlan.from_result(params["plan"]), name)
        return Outcome(changed=True, results={**result, "record": record, "outdated": outdated})
    if params["state"] == "forgotten":
        return Outcome(changed=conclude(postfix, name, params["reloaded"]), results=result)
    done = undo(postfix, MxPlan.from_result(params["plan"]), name)
    return Outcome(changed=bool(done.undone), results={**result, **asdict(done)})
