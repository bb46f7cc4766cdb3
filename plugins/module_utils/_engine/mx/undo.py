# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remembers how a host was before a plan is carried out, and takes the plan back where its run fails.

The record of the run (record.py) has copies of main.cf, of master.cf, of the source of each table that the plan
changes, and of what is noted beside it. A file that nobody else has touched since gets its bytes back; in any other
only the plan's own part goes back.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    ConfigurationPlan,
    MainCfRequest,
    MasterCfRequest,
    apply_configuration,
    plan_main_cf,
    plan_master_cf,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.raise_record import raise_path, restore_raise
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import (
    RunRecord,
    begin,
    end,
    files_before,
    forget,
    own_record,
    record_directory,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.standby import restore_standby, standby_files
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.change import change_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.followed import take_back_followed
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import record_path
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.lock import table_lock
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TableOptions
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import (
    Settings,
    TableReference,
    read_settings,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import index_suffix
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf, default_text
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import (
    MasterCf,
    Service,
    ServiceRequest,
    as_request,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import ABSENT
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import (
    KEYED,
    MasterCfChange,
    MxPlan,
    RecipientsItem,
    ServiceChange,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.undo import (
    Undo,
    same_remarks,
    undo_parameters,
    undo_recipients,
    undo_rows,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.followed import followed_path
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.both_forms import KeyForms
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.edit import mapping_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.service import (
    queue_manager,
    reload_and_await,
    survives_reload,
)

# Beside its overrides, a service itself.
_ENTRY = "the entry"
TABLES = ("transport", "recipients", *KEYED)


@dataclass
class Undone:
    """What was taken back, what stands against taking anything back, and what went wrong while it was done.

    `kept`: the files from before the run are kept for a person.
    """

    undone: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    restart_needed: bool = False
    kept: bool = False


@dataclass(frozen=True)
class _TableUndo:
    """The inverse for a table. `text` are its bytes before, if it can have those back, None if not."""

    reference: TableReference
    existed: bool
    undo: Undo
    text: bytes | None

    @property
    def first(self) -> Edits:
        """What main.cf as it was relies on. Rows that it still has to let go of stay meanwhile."""
        return Edits(set=self.undo.set) if self.text is None or self.undo.remove else Edits(text=self.text)

    @property
    def last(self) -> Edits:
        if self.text is None:
            return Edits(remove=self.undo.remove)
        return Edits(text=self.text) if self.undo.remove else Edits()


@dataclass(frozen=True)
class _FileUndo:
    """The inverse for main.cf or master.cf: the text now, and that before if it can have it back, None if not."""

    path: str
    undo: Undo
    now: str
    text: str | None

    def plan(self, again: Callable[[], ConfigurationPlan]) -> ConfigurationPlan:
        """The change that the inverse is; `again` makes it by values, as for a file that others have changed."""
        if self.text is None:
            return again()
        changes: dict[str, tuple[str | None, str | None]] = {
            name: (None, self.undo.set.get(name)) for name in self.undo.names
        }
        return ConfigurationPlan(self.path, self.now, self.text, changes, Diff(self.path, "", ""), again)


def remember(postfix: Postfix, plan: MxPlan, own: str = "") -> tuple[str, bool]:
    """Copies what the plan would change to the record of this run; `own` is its name if it has one already.

    Returns the name, and whether another run began or ended since the plan was made, so that it has to be made again.
    Raises HostError.
    """
    paths = [os.path.join(postfix.config_directory, name) for name in ("main.cf", "master.cf")]
    written = [table for table in _tables(plan).values() if table.path and table.concerned]
    paths += [table.path for table in written]
    paths += [followed_path(table.path) for table in written if table.domains]
    paths += standby_files(postfix).all if plan.standby.changed else []
    paths += [raise_path(postfix)] if plan.raise_over else []
    run = plan.run
    running, manager = postfix.running(), queue_manager(postfix.queue_directory())
    record = RunRecord(own, str(run.get("controller", "")), int(run.get("pid", 0)), running, manager)
    begun, mark = begin(postfix, record, list(dict.fromkeys(paths)), str(run.get("ended", "")))
    return begun.name, not own and mark != plan.mark


@dataclass(frozen=True)
class _Table:
    """A table that a plan is about: rows that it was to get, or to lose as None; of domains, or by key."""

    path: str
    type: str
    domains: Sequence[RecipientsItem] = ()
    rows: Mapping[str, str | None] = field(default_factory=dict)
    both_forms: bool = False

    @property
    def concerned(self) -> bool:
        return bool(self.domains or self.rows)


def _tables(plan: MxPlan) -> dict[str, _Table]:
    """In the order in which they are written. The modules write some in both forms of a domain."""
    gone = plan.removal
    keyed = {
        "transport": (plan.transport, gone.transport),
        **{name: (getattr(plan, name), getattr(gone, name)) for name in KEYED},
    }
    found = {
        name: _Table(
            table.path, table.type, rows={**table.rows, **dict.fromkeys(removed)}, both_forms=name == "transport"
        )
        for name, (table, removed) in keyed.items()
    }
    recipients = plan.recipients
    found["recipients"] = _Table(
        recipients.path, recipients.type, domains=[*recipients.domains, *gone.recipients], both_forms=True
    )
    return {name: found[name] for name in TABLES}


def conclude(postfix: Postfix, name: str, reloaded: bool = False) -> bool:
    """Forgets the record of a run that has got through; whether there was one.

    Raises HostError if Postfix ran before it and does no more, as after a reload that its master did not survive.
    `reloaded`: whether the run has reloaded or restarted Postfix, which is then awaited.
    """
    record = own_record(postfix, name)
    if record is not None and record.running and not _runs(postfix, record, reloaded):
        raise HostError("Postfix was running before this run, and is not any more; its master's log says why it ended")
    return forget(postfix, name)


def _runs(postfix: Postfix, record: RunRecord, reloaded: bool) -> bool:
    if not reloaded:
        return postfix.running()
    return survives_reload(postfix, record.queue_manager)


def undo(postfix: Postfix, plan: MxPlan, name: str) -> Undone:
    """Takes back what was carried out of the plan, unless somebody else has touched the same since.

    `name` is that of the run's record, "" if it has none and so has changed nothing. The record is kept only if
    something is left to be done by hand. What goes wrong is told, not raised.
    """
    result = Undone()
    try:
        record = own_record(postfix, name) if name else None
        if record is not None:
            _with_record(postfix, plan, record, result)
        elif name:
            result.problems.append(f"{record_directory(postfix)} no longer has the files from before this run")
    except MxRelayError as error:
        result.problems.append(error.message)
    return result


def _with_record(postfix: Postfix, plan: MxPlan, record: RunRecord, result: Undone) -> None:
    try:
        _take_back(postfix, plan, files_before(postfix, record), result)
    except MxRelayError as error:
        result.problems.append(error.message)
    stopped = record.running and not postfix.running()
    result.restart_needed = result.restart_needed or stopped
    result.kept = bool(result.problems or result.touched)
    if result.kept:
        end(postfix, record)
    else:
        forget(postfix, record.name)


def _take_back(postfix: Postfix, plan: MxPlan, before: Mapping[str, bytes | None], result: Undone) -> None:
    """Rows come back before main.cf needs them, and go after it has let go of them."""
    settings = read_settings(postfix)
    written = [table for table in _tables(plan).values() if table.path in before]
    tables = [_table_undo(table, before, settings) for table in written]
    main_cf = _main_cf_undo(postfix, plan, before)
    master_cf = _master_cf_undo(postfix, plan, before)
    result.touched = [f"{table.reference.path}: {key}" for table in tables for key in table.undo.touched]
    result.touched += [f"main.cf: {name}" for name in main_cf.undo.touched]
    result.touched += [f"master.cf: {name}" for name in master_cf.undo.touched]
    if result.touched:
        return
    rows_are_back = [_edit(postfix, table, table.first, settings, result) for table in tables]
    then = _text(before.get(master_cf.path))
    requests = _services_back(plan.master_cf, master_cf.undo, then, master_cf.path)
    _configuration(postfix, main_cf, master_cf, requests, any(rows_are_back), result)
    if plan.standby.changed:
        _standby(postfix, before, result)
    _raise(postfix, before.get(raise_path(postfix)), result)
    for table, is_back in zip(tables, rows_are_back):
        path = table.reference.path
        if result.problems:
            # main.cf may still rely on them.
            result.problems += [f"{path}: its new rows stay"] if table.undo.remove else []
        elif _edit(postfix, table, table.last, settings, result) or is_back:
            result.undone.append(f"{path}: its rows are as before")
        _remove_new(postfix, table, settings, result)
    for noted in written:
        _note_back(noted, before, result)


def _table_undo(table: _Table, memory: Mapping[str, bytes | None], settings: Settings) -> _TableUndo:
    """The inverse for one table."""
    reference = TableReference(table.type, table.path)
    then, source = memory[reference.path], read_file(reference.path)
    if source == then:
        return _TableUndo(reference, then is not None, Undo(), then)
    before, now = (_rows(text, reference.type, settings.utf8) for text in (then, source))
    found = _rows_undo(table, before, now)
    restores = found.restores(before, now) and same_remarks(then or b"", source or b"")
    return _TableUndo(reference, then is not None, found, then if restores else None)


def _rows_undo(table: _Table, before: Mapping[str, str], now: Mapping[str, str]) -> Undo:
    known = KeyForms(_encode)
    if table.domains:
        both = {form: replace(item, name=form) for item in table.domains for form in known.of(item.name).spellings}
        return undo_recipients(before, now, list(both.values()))
    rows = table.rows
    if table.both_forms:
        rows = {form: value for key, value in rows.items() for form in known.of(key).spellings}
    return undo_rows(before, now, rows)


def _encode(label: str) -> str | None:
    """Without python3-idna nothing was written in both forms."""
    return idna2008.a_label(label) if idna2008.has_idna() else None


def _rows(source: bytes | None, table_type: str, utf8: bool) -> dict[str, str]:
    return mapping_of(source or b"", table_type, utf8)


def _main_cf_undo(postfix: Postfix, plan: MxPlan, memory: Mapping[str, bytes | None]) -> _FileUndo:
    path = os.path.join(postfix.config_directory, "main.cf")
    then, text = memory.get(path), read_file(path)
    before, now = (MainCf(_text(content), path).values for content in (then, text))
    defaults = postfix.defaults()
    level = now.get("compatibility_level", defaults.get("compatibility_level", "0"))
    meant = {name: default_text(value, level) for name, value in defaults.items()}
    found = undo_parameters(before, now, plan.main_cf, meant)
    return _file_undo(path, found, found.restores(before, now), then, text)


def _master_cf_undo(postfix: Postfix, plan: MxPlan, memory: Mapping[str, bytes | None]) -> _FileUndo:
    path = os.path.join(postfix.config_directory, "master.cf")
    then, text = memory.get(path), read_file(path)
    before, others_before = _services(_text(then), path, plan.master_cf)
    now, others = _services(_text(text), path, plan.master_cf)
    found = undo_rows(before, now, _planned(plan.master_cf, before))
    return _file_undo(path, found, found.restores(before, now) and others == others_before, then, text)


def _of(part: str, key: str) -> str:
    """What an override, or the entry, of a service is called."""
    return f"{part} of {key}"


def _planned(change: MasterCfChange, before: Mapping[str, str]) -> dict[str, str | None]:
    """What the plan makes of overrides and entries, by what they are called."""
    found: dict[str, str | None] = {}
    for key, service in change.services.items():
        if service.state == ABSENT:
            found.update(dict.fromkeys(name for name in before if name.endswith(_of("", key))))
            continue
        if service.command:
            found[_of(_ENTRY, key)] = service.command
        found.update({_of(name, key): value for name, value in service.overrides.items()})
    return found


def _file_undo(path: str, found: Undo, restores: bool, then: bytes | None, now: bytes | None) -> _FileUndo:
    whole = restores and then is not None and same_remarks(then, now or b"")
    return _FileUndo(path, found, _text(now), _text(then) if whole else None)


def _services(text: str, path: str, change: MasterCfChange) -> tuple[dict[str, str], list[Service]]:
    """The overrides of the services that the plan is about, with the entries that it makes or removes; and the rest."""
    values: dict[str, str] = {}
    others = []
    for service in MasterCf(text, path).effective:
        planned = change.services.get(service.key)
        if planned is None:
            others.append(service)
            continue
        values.update({_of(name, service.key): value for name, value in service.overrides.items()})
        if planned.whole:
            values[_of(_ENTRY, service.key)] = service.command
        else:
            others.append(replace(service, overrides={}))
    return values, others


def _services_back(change: MasterCfChange, found: Undo, then: str, path: str) -> list[ServiceRequest]:
    """What takes the plan's services back, as `found`, where master.cf can't have all of its text back."""
    before = {service.key: service for service in MasterCf(then, path).effective}
    requests = []
    for key, planned in change.services.items():
        names = {_of(name, key): name for name in [*planned.overrides, *_overrides(before.get(key))]}
        overrides = {name: found.set.get(part) for part, name in names.items() if part in found.names}
        entry = _of(_ENTRY, key)
        if entry in found.remove:
            requests.append(ServiceChange(state=ABSENT).request(key))
        elif entry in found.set:
            was = as_request(before[key])
            requests.append(replace(was, overrides={**was.overrides, **overrides}))
        elif overrides:
            requests.append(ServiceChange(overrides).request(key))
    return requests


def _overrides(service: Service | None) -> Iterable[str]:
    return service.overrides if service else ()


def _text(content: bytes | None) -> str:
    return (content or b"").decode("utf-8", "surrogateescape")


def _edit(postfix: Postfix, table: _TableUndo, edits: Edits, settings: Settings, result: Undone) -> bool:
    """Makes the edits, or tells why not; whether anything was changed."""
    if not (edits.set or edits.remove or edits.text is not None):
        return False
    try:
        plan, _backup = change_table(postfix, table.reference, edits, TableOptions(), False, settings)
    except MxRelayError as error:
        result.problems.append(error.message)
        return False
    return plan.source_changed


def _configuration(
    postfix: Postfix,
    main_cf: _FileUndo,
    master_cf: _FileUndo,
    requests: Sequence[ServiceRequest],
    rows_are_back: bool,
    result: Undone,
) -> None:
    parameters, overrides = main_cf.undo, master_cf.undo
    request = MainCfRequest(parameters=parameters.set, absent=parameters.remove, allow_unknown=True)
    services = MasterCfRequest(requests)
    try:
        plan = apply_configuration(postfix, main_cf.plan(lambda: plan_main_cf(postfix, request)))
        result.restart_needed = plan.restart_needed
        result.undone += [f"main.cf: {name} is as before" for name in parameters.names]
        apply_configuration(postfix, master_cf.plan(lambda: plan_master_cf(postfix, services)), restores=True)
        result.undone += [f"master.cf: {name} is as before" for name in overrides.names]
        if result.undone or rows_are_back:
            reload_and_await(postfix)
    except MxRelayError as error:
        result.problems.append(error.message)


def _note_back(table: _Table, before: Mapping[str, bytes | None], result: Undone) -> None:
    """What is noted beside a table of the domains whose rows went back."""
    note = followed_path(table.path)
    if not table.domains or note not in before or result.problems:
        return
    try:
        with table_lock(TableReference(table.type, table.path)):
            take_back_followed(table.path, {item.name for item in table.domains}, before[note])
    except MxRelayError as error:
        result.problems.append(error.message)


def _standby(postfix: Postfix, before: Mapping[str, bytes | None], result: Undone) -> None:
    """The standby service as it was: its files have nobody else's changes to keep."""
    values = postfix.parameters(["queue_directory", "mail_owner"], ("-x",))
    try:
        if restore_standby(postfix, values["queue_directory"], values.get("mail_owner", ""), before):
            result.undone.append("the standby service is as before")
    except MxRelayError as error:
        result.problems.append(error.message)


def _raise(postfix: Postfix, before: bytes | None, result: Undone) -> None:
    """The record of a raised maximal_queue_lifetime, which belongs to a main.cf that has the raise again."""
    try:
        if before is not None and not result.problems and restore_raise(postfix, before):
            result.undone.append("the record of the raised maximal_queue_lifetime is back")
    except MxRelayError as error:
        result.problems.append(error.message)


def _remove_new(postfix: Postfix, table: _TableUndo, settings: Settings, result: Undone) -> None:
    """A table that there was not before goes altogether, unless somebody has put rows of their own in it."""
    path = table.reference.path
    if table.existed or not os.path.exists(path) or result.problems:
        return
    if _rows(read_file(path), table.reference.type, settings.utf8):
        return
    suffix = index_suffix(postfix, table.reference.type, settings.redirected)
    try:
        with table_lock(table.reference):
            for name in dict.fromkeys((path, path + suffix, record_path(path))):
                if os.path.lexists(name):
                    os.unlink(name)
    except OSError as error:
        result.problems.append(f"{path}: {error.strerror}; remove the table, which nothing names")
