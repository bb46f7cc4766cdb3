# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run makes of maximal_queue_lifetime while outage_begin has it raised, and once those outages are over."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import LIFETIME
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.raised import UNIT, judge_raise


@dataclass(frozen=True)
class RaisedLifetime:
    """The change of main.cf with the raise honoured, whether its record is to be forgotten, and what is to be told."""

    main_cf: MainCfChange
    over: bool = False
    notes: tuple[str, ...] = ()


def raised_lifetime(host: HostState, main_cf: MainCfChange) -> RaisedLifetime:
    """While the raise holds, no setting makes the lifetime shorter; then it goes back, to a setting if there is one."""
    if not host.raised.found:
        return RaisedLifetime(main_cf)
    verdict = judge_raise(host.raised, host.explicit.get(LIFETIME))
    notes = (verdict.note,) if verdict.note else ()
    declared = main_cf.parameters.get(LIFETIME)
    if verdict.holds:
        shorter = declared is not None and (seconds(declared, UNIT) or 0) <= (seconds(host.value(LIFETIME), UNIT) or 0)
        return RaisedLifetime(_without_lifetime(main_cf) if shorter else main_cf, notes=notes)
    record = host.raised.record
    if record is not None and declared is not None:
        # What somebody has changed gives way to the setting, as without a raise.
        return RaisedLifetime(main_cf, True)
    if record is None or not verdict.back:
        return RaisedLifetime(main_cf, True, notes)
    return RaisedLifetime(_with_lifetime(main_cf, record.before), True, notes)


def _without_lifetime(main_cf: MainCfChange) -> MainCfChange:
    return replace(main_cf, parameters={name: value for name, value in main_cf.parameters.items() if name != LIFETIME})


def _with_lifetime(main_cf: MainCfChange, value: str | None) -> MainCfChange:
    if value is None:
        return replace(main_cf, absent=[*main_cf.absent, LIFETIME])
    return replace(main_cf, parameters={**main_cf.parameters, LIFETIME: value})
