# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_outage takes, and what it does."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.raise_record import read_raise_evidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.outage.lifetime import (
    RaisePlan,
    await_other_runs,
    carry_out_raise,
    plan_begin,
    plan_end,
    plan_forget,
    rehearse_raise,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.outage.volume import (
    expected_volume,
    relayed_here,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import Outage
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.raised import (
    raise_lines,
    raise_result,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.volume import volume_lines
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import domains_option
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

CHECKED, BEGUN, ENDED, FORGOTTEN = "checked", "begun", "ended", "forgotten"

OUTAGE_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "state": {"type": "str", "choices": [CHECKED, BEGUN, ENDED, FORGOTTEN], "default": CHECKED},
    "domains": {"type": "list", "elements": "str", "default": []},
    "length": {"type": "str"},
    "lifetime": {"type": "str"},
    "force": {"type": "bool", "default": False},
    "volume": {"type": "str"},
}


def outage(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """What the module mx_outage does. Raises MxRelayError."""
    now = int(time.time())
    domains = domains_option(params)
    if params["state"] not in (CHECKED, BEGUN):
        return _changed(params, postfix, domains, now, check_mode)
    here = relayed_here(postfix, domains)
    if params["state"] == BEGUN and here:
        outcome = _changed(params, postfix, here, now, check_mode)
    else:
        record = read_raise_evidence(postfix, now).record
        outcome = Outcome(results={"raise": raise_result(record), "lines": raise_lines(record)})
    outcome.results.update({"domains": here, "elsewhere": [name for name in domains if name not in here]})
    if params["state"] == CHECKED:
        volume = expected_volume(postfix, here, str(params["volume"] or ""), now)
        told = volume_lines(volume) if here else [f"relays none of {', '.join(domains)}"]
        outcome.results.update({"volume": volume, "expected": told})
    return outcome


def _changed(params: Mapping[str, Any], postfix: Postfix, domains: list[str], now: int, check_mode: bool) -> Outcome:
    """The raise, made or taken back."""
    if params["state"] in (BEGUN, ENDED) and not check_mode:
        await_other_runs(postfix)
    plan = _planned(params, postfix, domains, now)
    (rehearse_raise if check_mode else carry_out_raise)(postfix, plan)
    return Outcome(
        changed=plan.changed,
        diffs=plan.diffs,
        warnings=list(plan.main_cf.warnings),
        results={"raise": raise_result(plan.after), "lines": [*plan.notes, *raise_lines(plan.after)]},
    )


def _planned(params: Mapping[str, Any], postfix: Postfix, domains: list[str], now: int) -> RaisePlan:
    if params["state"] == BEGUN:
        length, lifetime = (_time(params, name) for name in ("length", "lifetime"))
        return plan_begin(postfix, domains, Outage(now, length, lifetime))
    if params["state"] == ENDED:
        return plan_end(postfix, domains, bool(params["force"]), now)
    return plan_forget(postfix, now)


def _time(params: Mapping[str, Any], name: str) -> str:
    """A time value with its unit. Raises InvalidInput."""
    value = str(params[name] or "").strip()
    found = seconds(value)
    if not found or value.isdigit() or found > 100 * 86400:
        raise InvalidInput(
            f'mx_outage: "{value}" ({name}) is not a Postfix time value of at most 100d; use a value such as 12h or 3d'
        )
    return value
