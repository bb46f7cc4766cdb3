# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits how fast the mail of some domains is delivered, for a while. See postconf(5).

A limit is noted in a record, and a timer that takes it back is started, before it is written to main.cf; so it goes
however its run ends.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    ConfigurationPlan,
    MainCfRequest,
    apply_configuration,
    plan_main_cf,
    rehearse_configuration,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.delivery_limits import (
    StandingLimits,
    limits_path,
    main_cf_text,
    standing_limits,
    stop_timer,
    take_limits_back,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import read_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_estimate import routes_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.logical_lines import physical_lines
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, MxRelayError, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import waiting_for
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import limits_guard
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import put_private_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.systemd import runs_systemd

CONCURRENCY = "destination_concurrency_limit"
RATE_DELAY = "destination_rate_delay"
# These deliver nothing to another host.
_NO_DELIVERY = ("error", "retry", "discard", "local", "virtual")


@dataclass(frozen=True)
class LimitsRequest:
    """At most `concurrency` deliveries at a time, `rate_delay` seconds between two (0: as it is), for `seconds`."""

    domains: Sequence[str] = ()
    concurrency: int = 0
    rate_delay: int = 0
    seconds: int = 3600
    without_timer: bool = False


@dataclass(frozen=True)
class LimitsChange:
    """The parameters that limit now, and what has become of main.cf; `timer`: whether one takes them back."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    transports: Sequence[str] = ()
    diff: Diff | None = None
    expires: int | None = None
    timer: bool = False
    taken_back: Sequence[str] = ()
    changed_by_others: Sequence[str] = ()


def set_limits(postfix: Postfix, request: LimitsRequest, check_mode: bool) -> LimitsChange:
    """Sets them, in place of those that are set. Raises MxRelayError; then main.cf is as it was."""
    timer = runs_systemd()
    if not timer and not request.without_timer:
        raise Refused(
            "systemd does not run this host, so no timer can take the limits back if the run is killed; set "
            "without_timer to have the next run take them back"
        )
    standing = standing_limits(postfix)
    transports, wanted = _wanted(postfix, request, standing)
    if not wanted:
        return _replaced(take_limits(postfix, check_mode), transports)
    base = standing.without if standing else main_cf_text(postfix)
    after = MainCf(base)
    for name, value in wanted.items():
        after.set(name, value)
    present = standing.text if standing else base
    expires = int(time.time()) + request.seconds
    if str(after) == present:
        diff = None
        if standing and not check_mode:
            _extend(postfix, standing, expires, timer)
    else:
        path = os.path.join(postfix.config_directory, "main.cf")
        names = {*wanted, *(standing.names if standing else ())}
        diff = Diff(path, MainCf(present).excerpt(names), after.excerpt(names))
        _set(postfix, wanted, standing, expires, timer, check_mode)
    return LimitsChange(wanted, transports, diff, expires, timer)


def _replaced(change: LimitsChange, transports: Sequence[str]) -> LimitsChange:
    """The outcome where the host is stricter by itself, so that nothing is to be set."""
    return LimitsChange({}, transports, change.diff, None, False, change.taken_back, change.changed_by_others)


def take_limits(postfix: Postfix, check_mode: bool, expired: bool = False) -> LimitsChange:
    """Takes back what is set, or only what has `expired`. Raises MxRelayError."""
    standing = standing_limits(postfix)
    if standing is None or (expired and not standing.expired):
        return LimitsChange()
    diff = standing.diff(os.path.join(postfix.config_directory, "main.cf")) if standing.names else None
    names = list(standing.names) if check_mode else take_limits_back(postfix, standing)
    return LimitsChange(diff=diff, taken_back=names, changed_by_others=standing.changed_by_others)


def _wanted(
    postfix: Postfix, request: LimitsRequest, standing: StandingLimits | None
) -> tuple[list[str], dict[str, str]]:
    """The transports by which the domains' mail goes, and what main.cf is to say: what is stricter there stays."""
    domains = request.domains or list(waiting_for(read_queue(postfix), ()))
    values = postfix.parameters(options=("-x",))
    if standing is not None:
        before = MainCf(standing.without).values
        values.update({name: before.get(name, "") for name in standing.names})
    routes = routes_of(postfix, domains, values) if domains else {}
    transports = sorted({route.transport for route in routes.values()}.difference(_NO_DELIVERY))
    wanted: dict[str, str] = {}
    for transport in transports:
        limit = _value(values, transport, CONCURRENCY)
        allowed = int(limit) if limit.isdigit() else 0
        if request.concurrency and not 0 < allowed <= request.concurrency:
            wanted[f"{transport}_{CONCURRENCY}"] = str(request.concurrency)
        if request.rate_delay and (seconds(_value(values, transport, RATE_DELAY), "s") or 0) < request.rate_delay:
            wanted[f"{transport}_{RATE_DELAY}"] = f"{request.rate_delay}s"
    return transports, wanted


def _value(values: Mapping[str, str], transport: str, name: str) -> str:
    return values.get(f"{transport}_{name}") or values.get(f"default_{name}", "")


def _set(
    postfix: Postfix,
    wanted: Mapping[str, str],
    standing: StandingLimits | None,
    expires: int,
    timer: bool,
    check_mode: bool,
) -> None:
    """Takes back what is set, and sets what is wanted."""
    request = MainCfRequest(parameters=dict(wanted), allow_unknown=True)
    if check_mode:
        rehearse_configuration(postfix, plan_main_cf(postfix, request))
        return
    if standing is not None:
        take_limits_back(postfix, standing, reloads=False)
    plan = plan_main_cf(postfix, request)
    record = _record(plan, wanted, expires)
    try:
        _guard(postfix, record, timer)
        apply_configuration(postfix, plan)
    except MxRelayError:
        undone = standing_limits(postfix)
        if undone is not None:
            take_limits_back(postfix, undone)
        raise
    postfix.reload()


def _record(plan: ConfigurationPlan, wanted: Mapping[str, str], expires: int) -> limits_guard.Record:
    before, after = differing_lines(plan.before, plan.after)
    old = MainCf(plan.before, plan.path)
    return {
        "unit": _new_unit(),
        "expires": expires,
        "before": before,
        "after": after,
        "limits": [{"name": name, "value": value, "lines": old.excerpt([name])} for name, value in wanted.items()],
    }


def differing_lines(before: str, after: str) -> tuple[str, str]:
    """The lines between the first and the last in which two texts differ, in both."""
    old, new = physical_lines(before), physical_lines(after)
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return "".join(old[start : len(old) - end]), "".join(new[start : len(new) - end])


def _extend(postfix: Postfix, standing: StandingLimits, expires: int, timer: bool) -> None:
    """What is set stays so until then."""
    old = standing.record["unit"]
    _guard(postfix, {**standing.record, "unit": _new_unit(), "expires": expires}, timer)
    stop_timer(postfix, old)


def _new_unit() -> str:
    return f"mxrelay-limits-{time.time_ns():x}"


def _guard(postfix: Postfix, record: limits_guard.Record, timer: bool) -> None:
    """Writes the record, and starts the timer. Raises HostError."""
    program = os.path.join(postfix.config_directory, limits_guard.PROGRAM)
    contents = {program: inspect.getsource(limits_guard), limits_path(postfix): json.dumps(record)}
    for path, text in contents.items():
        refuse_open_place(path)
        put_private_file(path, text.encode())
    if timer:
        _start_timer(postfix, record, program)


def _start_timer(postfix: Postfix, record: limits_guard.Record, program: str) -> None:
    unit = record["unit"]
    argv = ["systemd-run", f"--unit={unit}", f"--on-active={max(1, record['expires'] - int(time.time()))}s"]
    argv += ["--timer-property=AccuracySec=1s", "--description=Take limits of deliveries back (mxrelay.postfix)"]
    done = postfix.commands.run([*argv, sys.executable, program, postfix.config_directory, unit])
    if done.rc != 0:
        said = " ".join((done.err or done.out).split())
        raise HostError(f"systemd-run failed: {said}; set without_timer to do without a timer")
