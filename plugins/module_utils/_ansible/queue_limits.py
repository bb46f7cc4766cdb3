# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What queue_limits takes, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue import QUEUE_SPEC
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_limits import (
    LimitsChange,
    LimitsRequest,
    set_limits,
    take_limits,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import domains_option
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

PRESENT = "present"
LIMITS_SPEC: dict[str, Any] = {
    **QUEUE_SPEC,
    "concurrency": {"type": "int", "default": 0},
    "rate_delay": {"type": "int", "default": 0},
    "duration": {"type": "int", "default": 3600},
    "without_timer": {"type": "bool", "default": False},
    "expired": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": [PRESENT, "absent"], "default": PRESENT},
}
_LEAST = {"concurrency": 0, "rate_delay": 0, "duration": 1}


def queue_limits(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """The work of queue_limits. Raises MxRelayError."""
    if params["state"] == PRESENT:
        change = set_limits(postfix, _request(params), check_mode)
    else:
        change = take_limits(postfix, check_mode, params["expired"])
    return Outcome(
        changed=change.diff is not None,
        diffs=[change.diff] if change.diff else [],
        warnings=_warnings(params, change),
        results={
            "limits": dict(change.parameters),
            "transports": list(change.transports),
            "expires": change.expires,
            "timer": change.timer,
            "taken_back": list(change.taken_back),
            "changed_by_others": list(change.changed_by_others),
        },
    )


def _request(params: Mapping[str, Any]) -> LimitsRequest:
    """Raises InvalidInput."""
    for name, least in _LEAST.items():
        if params[name] < least:
            raise InvalidInput(f"{name} is {params[name]}; give at least {least}")
    if not params["concurrency"] and not params["rate_delay"]:
        raise InvalidInput("neither concurrency nor rate_delay is given; give one of them, or state: absent")
    return LimitsRequest(
        domains_option(params),
        params["concurrency"],
        params["rate_delay"],
        params["duration"],
        params["without_timer"],
    )


def _warnings(params: Mapping[str, Any], change: LimitsChange) -> list[str]:
    found = [
        f"main.cf: {name} was changed meanwhile, so it was not taken back; see whether it is still wanted"
        for name in change.changed_by_others
    ]
    if change.parameters and not change.timer:
        found.append(
            "no timer takes the limits back if this run is killed; the next run of queue_flush or of the roles does"
        )
    if params["concurrency"] > 1 and params["rate_delay"]:
        found.append("with a rate delay, Postfix makes one delivery at a time, whatever concurrency is")
    return found
