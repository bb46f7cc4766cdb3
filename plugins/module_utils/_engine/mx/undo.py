# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remembers how a host was before a plan is carried out, and takes the plan back where its run fails.

The memory is a directory `.mxrelay-undo` in the configuration directory, open to nobody but root: a copy of main.cf,
of master.cf and of the source of each table that the plan changes. It is there only while a run changes something.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field, replace
from typing import Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    MainCfRequest,
    MasterCfRequest,
    apply_configuration,
    plan_main_cf,
    plan_master_cf,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.change import change_table
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
    ServiceRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import (
    RELAY_SERVICE,
    MxPlan,
    RecipientsItem,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.undo import (
    Undo,
    undo_parameters,
    undo_recipients,
    undo_rows,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.both_forms import KeyForms
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.pattern_table import (
    PATTERN_TYPES,
    PatternTable,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits, Table
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file, write_new_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

DIRECTORY = ".mxrelay-undo"
LIST = "files.json"
TABLES = ("transport", "recipients", "subdomains", "verify")


@dataclass
class Undone:
    """What was taken back, what stands against taking anything back, and what went wrong while it was done."""

    undone: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    restart_needed: bool = False


@dataclass(frozen=True)
class _TableUndo:
    reference: TableReference
    existed: bool
    undo: Undo


def remember(postfix: Postfix, plan: MxPlan) -> None:
    """Copies what the plan would change, in place of what an earlier run may have left. Raises HostError."""
    directory = os.path.join(postfix.config_directory, DIRECTORY)
    paths = [os.path.join(postfix.config_directory, name) for name in ("main.cf", "master.cf")]
    paths += [table.path for table in _tables(plan).values() if table.path and table.concerned]
    refuse_open_place(os.path.join(directory, LIST))
    forget(postfix)
    try:
        os.mkdir(directory, 0o700)
        copies: dict[str, str | None] = {}
        for number, path in enumerate(paths):
            content = read_file(path)
            copies[path] = None if content is None else str(number)
            if content is not None:
                write_new_file(os.path.join(directory, str(number)), content)
        write_new_file(os.path.join(directory, LIST), json.dumps(copies).encode())
    except OSError as error:
        raise HostError(f"{directory}: {error.strerror}; nothing was changed") from error


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
        "subdomains": (plan.subdomains, gone.subdomains),
        "verify": (plan.verify, gone.verify),
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


def forget(postfix: Postfix) -> bool:
    """Removes the memory; whether there was one. Raises HostError."""
    directory = os.path.join(postfix.config_directory, DIRECTORY)
    if not os.path.isdir(directory):
        return False
    try:
        shutil.rmtree(directory)
    except OSError as error:
        raise HostError(f"{directory}: {error.strerror}; remove it") from error
    return True


def undo(postfix: Postfix, plan: MxPlan) -> Undone:
    """Takes back what was carried out of the plan, unless somebody else has touched the same since.

    Rows come back before main.cf needs them, and go after it has let go of them. The memory is kept only where
    something is left to be done by hand.
    """
    memory = _memory(postfix)
    if memory is None:
        return Undone()
    settings = read_settings(postfix)
    tables = [_table_undo(table, memory, settings) for table in _tables(plan).values() if table.path in memory]
    main_cf = _main_cf_undo(postfix, plan, memory)
    master_cf = _master_cf_undo(postfix, plan, memory)
    result = Undone()
    result.touched = [f"{table.reference.path}: {key}" for table in tables for key in table.undo.touched]
    result.touched += [f"main.cf: {name}" for name in main_cf.touched]
    result.touched += [f"master.cf: {name} of relay/unix" for name in master_cf.touched]
    if result.touched:
        return result
    for table in tables:
        _edit(postfix, table, Edits(set=table.undo.set), settings, result)
    _configuration(postfix, main_cf, master_cf, result)
    for table in tables:
        if not result.problems:
            _edit(postfix, table, Edits(remove=table.undo.remove), settings, result)
            _remove_new(postfix, table, settings, result)
    if not result.problems:
        forget(postfix)
    return result


def _memory(postfix: Postfix) -> dict[str, bytes | None] | None:
    directory = os.path.join(postfix.config_directory, DIRECTORY)
    # Where others write, it would be theirs what a table gets back.
    refuse_open_place(os.path.join(directory, LIST))
    listed = read_file(os.path.join(directory, LIST))
    if listed is None:
        return None
    copies: dict[str, str | None] = json.loads(listed)
    return {path: read_file(os.path.join(directory, name)) if name else None for path, name in copies.items()}


def _table_undo(table: _Table, memory: Mapping[str, bytes | None], settings: Settings) -> _TableUndo:
    """The inverse for one table."""
    reference = TableReference(table.type, table.path)
    then = memory[reference.path]
    before = _rows(then, reference.type, settings.utf8)
    now = _rows(read_file(reference.path), reference.type, settings.utf8)
    known = KeyForms(_encode)
    if table.domains:
        both = {form: replace(item, name=form) for item in table.domains for form in known.of(item.name).spellings}
        return _TableUndo(reference, then is not None, undo_recipients(before, now, list(both.values())))
    rows = table.rows
    if table.both_forms:
        rows = {form: value for key, value in rows.items() for form in known.of(key).spellings}
    return _TableUndo(reference, then is not None, undo_rows(before, now, rows))


def _encode(label: str) -> str | None:
    """Without python3-idna nothing was written in both forms."""
    return idna2008.a_label(label) if idna2008.has_idna() else None


def _rows(source: bytes | None, table_type: str, utf8: bool) -> dict[str, str]:
    if table_type in PATTERN_TYPES:
        return PatternTable.parse(source or b"", table_type).mapping(utf8)
    return Table.parse(source or b"").mapping(utf8)


def _main_cf_undo(postfix: Postfix, plan: MxPlan, memory: Mapping[str, bytes | None]) -> Undo:
    path = os.path.join(postfix.config_directory, "main.cf")
    before, now = (MainCf(_text(content), path).values for content in (memory.get(path), read_file(path)))
    defaults = postfix.parameters(options=("-d",))
    level = now.get("compatibility_level", defaults.get("compatibility_level", "0"))
    meant = {name: default_text(value, level) for name, value in defaults.items()}
    return undo_parameters(before, now, plan.main_cf, meant)


def _master_cf_undo(postfix: Postfix, plan: MxPlan, memory: Mapping[str, bytes | None]) -> Undo:
    path = os.path.join(postfix.config_directory, "master.cf")
    before, now = (_overrides(_text(content), path) for content in (memory.get(path), read_file(path)))
    return undo_rows(before, now, plan.master_cf.overrides)


def _overrides(text: str, path: str) -> Mapping[str, str]:
    relay = MasterCf(text, path).find(*RELAY_SERVICE)
    return relay.overrides if relay else {}


def _text(content: bytes | None) -> str:
    return (content or b"").decode("utf-8", "surrogateescape")


def _edit(postfix: Postfix, table: _TableUndo, edits: Edits, settings: Settings, result: Undone) -> None:
    if not (edits.set or edits.remove):
        return
    try:
        change_table(postfix, table.reference, edits, TableOptions(), False, settings)
    except MxRelayError as error:
        result.problems.append(error.message)
        return
    line = f"{table.reference.path}: its rows are as before"
    if line not in result.undone:
        result.undone.append(line)


def _configuration(postfix: Postfix, main_cf: Undo, master_cf: Undo, result: Undone) -> None:
    try:
        if main_cf.needed:
            request = MainCfRequest(parameters=main_cf.set, absent=main_cf.remove, allow_unknown=True)
            plan = apply_configuration(postfix, plan_main_cf(postfix, request))
            result.restart_needed = plan.restart_needed
            result.undone += [f"main.cf: {name} is as before" for name in [*main_cf.set, *main_cf.remove]]
        if master_cf.needed:
            overrides: dict[str, str | None] = {**master_cf.set, **dict.fromkeys(master_cf.remove)}
            service = ServiceRequest(name="relay", type="unix", overrides=overrides)
            apply_configuration(postfix, plan_master_cf(postfix, MasterCfRequest([service])))
            result.undone += [f"master.cf: {name} of relay/unix is as before" for name in overrides]
        if result.undone:
            postfix.reload()
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
