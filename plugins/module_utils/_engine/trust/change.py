# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a mail host trust its MX hosts, or not any more: planned, tried, done in one go, and taken back where it fails.

The order is such that nothing is named which is not there: the table comes first, and goes last. While a run changes
the host, no other one does, whether of this role or of an MX role.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    ConfigurationPlan,
    apply_configuration,
    rehearse_configuration,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_parameters
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import (
    SECONDS_TO_WAIT,
    RunRecord,
    await_end,
    begin,
    end,
    forget,
    own_record,
    record_directory,
    standing,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust.saved import (
    note_written,
    put_back,
    put_file,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf, default_text
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, MxRelayError, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.admission import AdmissionEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    RELAY_RESTRICTIONS,
    stranger_services,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.lists import LISTS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.plan import (
    TrustPlan,
    TrustRequest,
    decide_trust,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.reading import access_tables_asked
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.trust_table import (
    TrustTable,
    read_trust_table,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    read_file,
    reason,
    remove_file,
    run_lock,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.service import reload_and_await, reload_pending


@dataclass(frozen=True)
class Planned:
    """A plan and the texts that it comes to. `pending`: Postfix has not read yet what its files say."""

    plan: TrustPlan
    main_cf: ConfigurationPlan
    master_cf: ConfigurationPlan
    table: Diff
    pending: bool = False
    changes: list[str] = field(default_factory=list)

    @property
    def edits(self) -> bool:
        """Whether a file is to change."""
        return self.main_cf.changed or self.master_cf.changed or self.table.before != self.table.after

    @property
    def changed(self) -> bool:
        return self.edits or self.pending

    @property
    def diffs(self) -> list[Diff]:
        found = [plan.diff for plan in (self.main_cf, self.master_cf) if plan.changed]
        return [*found, *([self.table] if self.table.before != self.table.after else [])]


def plan_trust(postfix: Postfix, request: TrustRequest) -> Planned:
    """What the request would change. Raises Refused with all reasons, or HostError."""
    if not postfix.installed():
        raise HostError(
            f"no Postfix with its configuration in {postfix.config_directory}; trust_mx is for mail hosts that run "
            "Postfix; docs/mail-host.md has the lines for others"
        )
    state = _read(postfix)
    before = _text(request.path)
    plan = decide_trust(state, request, TrustTable() if before is None else read_trust_table(before))
    if plan.refusals:
        lines = [f"- {refusal.check}: {refusal.cause}; {refusal.remedy}" for refusal in plan.refusals]
        raise Refused("\n".join([f"trust_mx: refused for {len(lines)} reason(s); nothing was changed:", *lines]))
    queue = state.value("queue_directory")
    planned = Planned(
        plan,
        _main_cf(postfix, request, plan),
        _master_cf(postfix, request, plan),
        Diff(request.path, before or "", plan.table or ""),
        reload_pending(postfix.config_directory, queue),
    )
    return replace(planned, changes=_changes(planned))


def _read(postfix: Postfix) -> HostState:
    """The host, with what its access tables may lead to."""
    reader = MapReader(postfix)
    state = read_parameters(postfix, reader)
    tables = access_tables_asked(state, stranger_services(state), (*LISTS, RELAY_RESTRICTIONS))
    results = {table: reader.results(table) for table in tables}
    return replace(state, admission=AdmissionEvidence(defaults=postfix.defaults(), results=results))


def _changes(planned: Planned) -> list[str]:
    """One line for each thing that changes."""
    values = {name: after for name, (_before, after) in planned.main_cf.changes.items()}
    lines = [f"{name}: {'removed' if value is None else ' '.join(value.split())}" for name, value in values.items()]
    lines += [f"master.cf: {key}" for key in planned.master_cf.changes]
    if planned.table.before != planned.table.after:
        lines.append(f"{planned.table.header}: {'written' if planned.table.after else 'removed'}")
    if planned.pending and not lines:
        lines.append("Postfix reads its files again")
    return lines


def _main_cf(postfix: Postfix, request: TrustRequest, plan: TrustPlan) -> ConfigurationPlan:
    path = os.path.join(postfix.config_directory, "main.cf")
    before = _text(path) or ""
    old, new = MainCf(before, path), MainCf(before, path)
    for name, items in plan.removed.items():
        new.remove_items(name, items)
    for name, (item, place) in plan.inserted.items():
        new.insert_item(name, item, place)
    level = old.values.get("compatibility_level", postfix.defaults().get("compatibility_level", "0"))
    for name, items in plan.added.items():
        new.add_items(name, items, default_text(postfix.defaults().get(name, ""), level))
    for name in plan.absent:
        new.remove(name)
    values, now = old.values, new.values
    names = dict.fromkeys([*plan.removed, *plan.inserted, *plan.added, *plan.absent])
    changes = {name: (values.get(name), now.get(name)) for name in names if values.get(name) != now.get(name)}
    diff = Diff(path, old.excerpt(changes), new.excerpt(changes))
    return ConfigurationPlan(path, before, str(new), changes, diff, lambda: plan_trust(postfix, request).main_cf)


def _master_cf(postfix: Postfix, request: TrustRequest, plan: TrustPlan) -> ConfigurationPlan:
    path = os.path.join(postfix.config_directory, "master.cf")
    before = _text(path) or ""
    old, new = MasterCf(before, path), MasterCf(before, path)
    for key, overrides in plan.overrides.items():
        for name, value in overrides.items():
            new.amend_override(key, name, value)
    keys = [(key.rpartition("/")[0], key.rpartition("/")[2]) for key in plan.overrides]
    changes = {"/".join(key): (old.excerpt([key]) or None, new.excerpt([key]) or None) for key in keys}
    diff = Diff(path, old.excerpt(keys), new.excerpt(keys))
    return ConfigurationPlan(path, before, str(new), changes, diff, lambda: plan_trust(postfix, request).master_cf)


def rehearse(postfix: Postfix, planned: Planned) -> list[str]:
    """Tries the texts, and changes nothing; returns the warnings. Raises what `carry_out` raises."""
    tried = [rehearse_configuration(postfix, plan) for plan in (planned.master_cf, planned.main_cf)]
    return [warning for plan in tried for warning in plan.warnings]


@dataclass(frozen=True)
class Run:
    """This run as the host tells it from others, and the record of another one that is known to be `ended`, or that is
    alive and to be awaited. See plugin_utils/runs.py."""

    controller: str = ""
    pid: int = 0
    ended: str = ""
    awaited: str = ""


def refuse_beside(postfix: Postfix, run: Run) -> None:
    """Raises HostError, with what is known of it, if another run is changing the host; one that is awaited may end."""
    other = standing(postfix, ended=run.ended).other
    if other is not None and other.record == run.awaited:
        await_end(postfix, other)
        other = standing(postfix, ended=run.ended).other
    if other is not None:
        refused = other.refusal(record_directory(postfix))
        raise HostError(f"{refused.cause}; {refused.remedy}; nothing was changed", other_run=asdict(other))


@dataclass(frozen=True)
class Done:
    """What was carried out, the warnings, and the name of the record that has the files from before."""

    planned: Planned
    warnings: list[str] = field(default_factory=list)
    record: str = ""


def carry_out(postfix: Postfix, request: TrustRequest, run: Run = Run(), seconds: float = SECONDS_TO_WAIT) -> Done:
    """Makes the request live, planned once no other run changes the host.

    What was there before is kept until `settle` or `take_back`. Raises HostError or Refused; then everything is as it
    was.
    """
    own = RunRecord(controller=run.controller, pid=run.pid)
    record, _mark = begin(postfix, own, _paths(postfix, request), run.ended, seconds)
    try:
        planned = plan_trust(postfix, request)
        warnings = []
        if planned.changed:
            with run_lock():
                warnings = _carried_out(postfix, request, planned)
                note_written(postfix, record)
    except (MxRelayError, OSError) as error:
        _restored(postfix, record, error)
        raise
    if not planned.changed:
        forget(postfix, record.name)
        return Done(planned)
    return Done(planned, warnings, record.name)


def _carried_out(postfix: Postfix, request: TrustRequest, planned: Planned) -> list[str]:
    text = planned.plan.table
    if text is not None and planned.table.before != text:
        put_file(request.path, text.encode("utf-8", "surrogateescape"))
    files = (planned.master_cf, planned.main_cf)
    applied = [apply_configuration(postfix, plan) for plan in files]
    _reload(postfix)
    if text is None:
        remove_file(request.path)
    return [warning for plan in applied for warning in plan.warnings]


def _reload(postfix: Postfix) -> None:
    """Raises HostError where Postfix does not come through it."""
    if postfix.running() and not reload_and_await(postfix):
        raise HostError("Postfix is not running any more after the reload; see the mail log")


def _restored(postfix: Postfix, record: RunRecord, error: Exception) -> None:
    """Puts everything back after a failure, whose error says what could not be."""
    try:
        put_back(postfix, record)
        forget(postfix, record.name)
        postfix.reload()
    except (MxRelayError, OSError) as failed:
        why = failed.message if isinstance(failed, MxRelayError) else reason(failed)
        raise HostError(f"{error}; and it could not be taken back: {why}") from error


def settle(postfix: Postfix, name: str) -> bool:
    """Forgets what was there before the run of this record; whether there was anything. Raises HostError."""
    return forget(postfix, name)


def take_back(postfix: Postfix, request: TrustRequest, name: str) -> list[str]:
    """Puts back what was there before the change whose record has this name; returns what was done.

    If somebody else has changed one of the files since, what trusts the MX hosts is taken out instead.
    Raises HostError.
    """
    record = own_record(postfix, name) if name else None
    if record is None:
        raise HostError(
            f"{record_directory(postfix)} no longer has the files from before this run; run trust_mx with state absent"
        )
    try:
        with run_lock():
            touched = put_back(postfix, record)
            if touched:
                absent = replace(request, hosts=(), present=False)
                _carried_out(postfix, absent, plan_trust(postfix, absent))
            else:
                postfix.reload()
    except (MxRelayError, OSError):
        end(postfix, record)
        raise
    forget(postfix, name)
    if touched:
        return [f"others have changed {', '.join(touched)} since, so what trusts the MX hosts was taken out instead"]
    return [f"{path} is as before" for path in record.copies]


def _paths(postfix: Postfix, request: TrustRequest) -> list[str]:
    return [os.path.join(postfix.config_directory, name) for name in ("main.cf", "master.cf")] + [request.path]


def _text(path: str) -> str | None:
    content = read_file(path)
    return None if content is None else content.decode("utf-8", "surrogateescape")


def plan_result(planned: Planned) -> Mapping[str, Any]:
    """The plan as a result has it."""
    return {
        "changes": planned.changes,
        "exempts": planned.plan.exempts,
        "untouched": planned.plan.untouched,
        "domains": planned.plan.domains,
        "reload_needed": planned.changed,
    }
