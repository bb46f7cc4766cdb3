# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raises maximal_queue_lifetime for the length of outages, and takes it back. See model/outage/raised.py.

The record is written before main.cf gets the raise, and removed after it has lost it: a run that is killed leaves a
record of a raise that main.cf does not have, which says nothing.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    ConfigurationPlan,
    MainCfRequest,
    apply_configuration,
    plan_main_cf,
    rehearse_configuration,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.raise_record import (
    FILE,
    overdue,
    raise_path,
    read_raise_evidence,
    write_raise,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import (
    await_end,
    record_directory,
    standing,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, MxRelayError, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import (
    LIFETIME,
    LifetimeRaise,
    Outage,
    RaiseEvidence,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.raised import (
    judge_raise,
    raise_text,
    same,
    standing_outages,
    value_told,
    with_outages,
    without_outages,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    refuse_unwritable,
    text_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix


@dataclass(frozen=True)
class RaisePlan:
    """What is to become of the record and of main.cf, which says `written` of the parameter; what is to be told."""

    evidence: RaiseEvidence
    written: str | None
    after: LifetimeRaise | None
    main_cf: ConfigurationPlan
    notes: Sequence[str] = ()

    @property
    def record_changed(self) -> bool:
        return self.evidence.found if self.after is None else self.after != self.evidence.record

    @property
    def changed(self) -> bool:
        return self.record_changed or self.main_cf.changed

    @property
    def diffs(self) -> list[Diff]:
        """Of main.cf, and of the record."""
        texts = [raise_text(record) if record else "" for record in (self.evidence.record, self.after)]
        record = Diff(os.path.join(os.path.dirname(self.main_cf.path), FILE), *texts)
        return [*[self.main_cf.diff] * self.main_cf.changed, *[record] * self.record_changed]


def plan_begin(postfix: Postfix, domains: Collection[str], outage: Outage) -> RaisePlan:
    """The raise, once the mail hosts of these domains go away. `outage.began` is now. Raises MxRelayError."""
    evidence, written = read_raise_evidence(postfix, outage.began), _written(postfix)
    effective = postfix.parameters([LIFETIME], ["-x"])[LIFETIME]
    after = with_outages(evidence, written, effective, domains, outage)
    value = written if same(written, after.value) else after.value
    notes = [f"{LIFETIME} is {effective}: mail waits {outage.lifetime} or longer already"] if value == written else []
    believed = evidence.record is not None and same(written, evidence.record.value)
    said = "" if believed else judge_raise(evidence, written).note
    return RaisePlan(evidence, written, after, _main_cf(postfix, value), [*[said] * bool(said), *notes])


def plan_end(postfix: Postfix, domains: Collection[str], force: bool, now: int | None = None) -> RaisePlan:
    """The record without the outages of these domains, or without any all; the last one takes the raise with it.

    Raises Refused while mail waits that would then be returned, unless `force`.
    """
    evidence, written = read_raise_evidence(postfix, now), _written(postfix)
    record = evidence.record
    left = without_outages(record, domains, evidence.now) if record else None
    if record and left and left.outages and same(written, record.value):
        return RaisePlan(evidence, written, left, _main_cf(postfix, written))
    return _back(postfix, replace(evidence, record=left), evidence, written, force)


def plan_forget(postfix: Postfix, now: int | None = None) -> RaisePlan:
    """What a run of a role leaves of a record whose outages are over, once it has changed main.cf itself."""
    evidence, written = read_raise_evidence(postfix, now), _written(postfix)
    record = evidence.record
    stands = record is not None and standing_outages(record, evidence.now) and same(written, record.value)
    return RaisePlan(evidence, written, record if stands else None, _main_cf(postfix, written))


def _back(
    postfix: Postfix, over: RaiseEvidence, evidence: RaiseEvidence, written: str | None, force: bool
) -> RaisePlan:
    """The raise as it goes back; `over` is the evidence with no outage left, `evidence` that of the host."""
    if over.record and same(written, over.record.value):
        over = replace(over, overdue=overdue(postfix, over.record, over.now))
    verdict = judge_raise(over, written)
    if verdict.holds and not force:
        raise Refused(f"{verdict.note}, or set force; nothing was changed")
    back = (verdict.back or verdict.holds) and over.record is not None
    value = over.record.before if back and over.record else written
    notes = [f"{LIFETIME} goes back to {value_told(value)}"] if back and not same(value, written) else []
    notes += [verdict.note] if verdict.note and not back else []
    return RaisePlan(evidence, written, None, _main_cf(postfix, value), notes)


def carry_out_raise(postfix: Postfix, plan: RaisePlan) -> None:
    """Makes the change, and has Postfix take it. Raises MxRelayError; then all is as it was."""
    if not plan.changed:
        return
    refuse_unwritable(raise_path(postfix))
    try:
        if plan.after is not None:
            write_raise(postfix, plan.after)
        if apply_configuration(postfix, plan.main_cf).changed:
            postfix.reload()
        if plan.after is None:
            write_raise(postfix, None)
    except MxRelayError:
        _take_back(postfix, plan)
        raise


def _take_back(postfix: Postfix, plan: RaisePlan) -> None:
    with suppress(MxRelayError):
        apply_configuration(postfix, _main_cf(postfix, plan.written))
    with suppress(MxRelayError):
        write_raise(postfix, plan.evidence.record)


def rehearse_raise(postfix: Postfix, plan: RaisePlan) -> None:
    """What check mode can tell of the change. Raises MxRelayError."""
    if plan.changed:
        refuse_unwritable(raise_path(postfix))
        rehearse_configuration(postfix, plan.main_cf)


def await_other_runs(postfix: Postfix) -> None:
    """Waits for a run of a role, which may take back what is changed meanwhile. Raises HostError if it does not end."""
    other = standing(postfix).other
    if other is not None:
        await_end(postfix, other)
        other = standing(postfix).other
    if other is not None:
        refused = other.refusal(record_directory(postfix))
        raise HostError(f"{refused.cause}; {refused.remedy}; nothing was changed")


def _written(postfix: Postfix) -> str | None:
    path = os.path.join(postfix.config_directory, "main.cf")
    return MainCf(text_of(path), path).values.get(LIFETIME)


def _main_cf(postfix: Postfix, value: str | None) -> ConfigurationPlan:
    """main.cf with this value, or with None without one."""
    request = MainCfRequest(absent=[LIFETIME]) if value is None else MainCfRequest({LIFETIME: value})
    return plan_main_cf(postfix, request)
