# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What queue_hold takes, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue import QUEUE_SPEC
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_hold import carry_out_hold, plan_hold
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff, Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue_hold import (
    HELD,
    SHOWN,
    STATES,
    HoldRequest,
    held_by_domain,
    hold_result,
    hold_table,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

HOLD_SPEC: dict[str, Any] = {
    **QUEUE_SPEC,
    "all": {"type": "bool", "default": False},
    "subdomains": {"type": "bool", "default": False},
    "mixed": {"type": "bool", "default": False},
    "flush": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": list(STATES), "required": True},
}


def queue_hold(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """The work of queue_hold; in check mode, and to show what is on hold, nothing. Raises MxRelayError."""
    request = HoldRequest.from_params(params)
    idle = check_mode or request.state == SHOWN
    plan = plan_hold(postfix, request) if idle else carry_out_hold(postfix, request)
    changed = bool(plan.chosen or plan.arrived) and request.state != SHOWN
    done = {message.queue_id for message in plan.chosen}
    after = [*plan.held, *plan.chosen] if request.state == HELD else plan.held
    stays = [message for message in after if request.state == HELD or message.queue_id not in done]
    before, then = (hold_table(held_by_domain(request, mail)) for mail in (plan.held, stays))
    return Outcome(
        changed=changed,
        diffs=[Diff("mail on hold", before, then)] if changed else [],
        results=hold_result(request, plan),
    )
