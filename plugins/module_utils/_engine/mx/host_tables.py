# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of ours that a host has, or is to have, for its relay domains."""

from __future__ import annotations

import os
import re
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import Evidence, MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import read_record
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TableOptions, plan_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import (
    Settings,
    TableReference,
    read_settings,
    resolve,
    without_proxy,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import probe
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, TableState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import rows_by_domain
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    ANY,
    EXTERNAL,
    VERIFY,
    MxRequest,
    Refusal,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.packages import type_package
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

RECIPIENTS_NAME = "relay_recipients"
TRANSPORT_NAME = "transport"
VERIFY_NAME = "relay_verify"
SUBDOMAINS_NAME = "relay_recipients_subdomains"
_PATTERN = re.compile(r"^/@\[\^@\]\+\\\.(.*)\$/$")


def read_tables(postfix: Postfix, request: MxRequest, evidence: Evidence, reader: MapReader) -> None:
    state = evidence.state
    settings = read_settings(postfix, ["relay_recipient_maps", "transport_maps"])
    state.recipients = read_table(postfix, request, settings, "relay_recipient_maps", RECIPIENTS_NAME, evidence)
    state.transport = read_table(postfix, request, settings, "transport_maps", TRANSPORT_NAME, evidence)
    if state.recipients:
        content = reader.source(state.recipients.path)
        rows = content.mapping(settings.utf8)
        counted: dict[str, int] = {}
        for entry in content.entries:
            counted[entry.key.lower()] = counted.get(entry.key.lower(), 0) + 1
        untidy = frozenset(key for key, count in counted.items() if count > 1)
        wide = frozenset(item.name for item in request.items if item.subdomains and item.policy not in (ANY, VERIFY))
        state.recipient_rows = rows_by_domain(rows, untidy, wide, request.declared)
        state.verify = _table_beside(postfix, settings, state, "smtpd_recipient_restrictions", VERIFY_NAME, reader)
        state.subdomains = _table_beside(postfix, settings, state, "relay_recipient_maps", SUBDOMAINS_NAME, reader)
    if state.transport:
        content = reader.source(state.transport.path)
        state.transport = replace(state.transport, rows=content.mapping(settings.utf8))
    _move_on(request, state, reader)


def read_table(
    postfix: Postfix, request: MxRequest, settings: Settings, parameter: str, name: str, evidence: Evidence
) -> TableState | None:
    directory = str(request.settings["table_directory"] or "")
    wanted_type = str(request.settings["table_type"] or "") or None
    path = os.path.join(directory, name) if directory else None
    try:
        try:
            reference = resolve(postfix, parameter, name, path, wanted_type, settings)
        except InvalidInput:
            if path is not None:
                raise
            reference = _ours_among(postfix, parameter, name, wanted_type, settings)
        try:
            table = _state(postfix, reference, settings, settings.parameters.get(parameter, ""))
        except HostError:
            # The source is there, in a type that does not work yet: what it needs is seen once that is installed.
            _probe(postfix, reference.type, request, evidence)
            if reference.type not in evidence.missing_types:
                raise
            return None
        if not table.exists or not table.member:
            _probe(postfix, table.type, request, evidence)
        return table
    except (InvalidInput, HostError) as error:
        refusal = Refusal.from_error("", "table", InvalidInput(error.message.replace("; nothing was changed", "")))
        if "give the option path" in refusal.remedy:
            refusal = replace(refusal, remedy=f"set {request.role or 'mx'}_table_directory to say where its table is")
        if refusal not in evidence.refusals:
            evidence.refusals.append(refusal)
        return None


def _probe(postfix: Postfix, table_type: str, request: MxRequest, evidence: Evidence) -> None:
    """Raises HostError where tables of the type don't work here, and no package that we may install changes that."""
    if table_type in evidence.missing_types:
        return
    try:
        probe(postfix, table_type)
    except HostError:
        if not (type_package(table_type) and request.settings["manage_package"] and not request.after_install):
            raise
        evidence.missing_types.append(table_type)


def _ours_among(
    postfix: Postfix, parameter: str, name: str, wanted_type: str | None, settings: Settings
) -> TableReference:
    """Of several tables the one with our name in the configuration directory. Raises InvalidInput without one."""
    path = os.path.join(postfix.config_directory, name)
    members = [without_proxy(one) for one in split_items(settings.parameters.get(parameter, ""))]
    if path not in [member.partition(":")[2] for member in members]:
        return resolve(postfix, parameter, name, None, wanted_type, settings)
    return resolve(postfix, parameter, name, path, wanted_type, settings)


def _state(postfix: Postfix, reference: TableReference, settings: Settings, value: str) -> TableState:
    member = ""
    replaces = []
    for text in split_items(value):
        kind, _colon, path = without_proxy(text).partition(":")
        if path and os.path.realpath(path) == os.path.realpath(reference.path):
            if kind == reference.type:
                member = text
            else:
                replaces.append(text)
    exists = os.path.exists(reference.path)
    return TableState(
        reference=str(reference),
        path=reference.path,
        type=reference.type,
        exists=exists,
        member=member,
        repair=exists and plan_table(postfix, reference, Edits(), TableOptions(), settings).changed,
        replaces=tuple(replaces),
    )


def _table_beside(
    postfix: Postfix, settings: Settings, state: HostState, parameter: str, name: str, reader: MapReader
) -> TableState | None:
    """A table of ours in the directory of the recipients: of their type, or of patterns."""
    if state.recipients is None:
        return None
    table_type = "regexp" if name == SUBDOMAINS_NAME else state.recipients.type
    reference = TableReference(table_type, os.path.join(os.path.dirname(state.recipients.path), name))
    table = _state(postfix, reference, settings, state.value(parameter))
    return replace(table, rows=reader.rows(table.type, table.path, settings.utf8))


def _move_on(request: MxRequest, state: HostState, reader: MapReader) -> None:
    """Finds tables that this role left behind in another directory, to be let go of in favour of the new ones.

    One whose rows the new table will not hold all of stays where it is, and is noted.
    """
    known = {
        "recipients": ("relay_recipient_maps", frozenset(state.recipient_rows)),
        "subdomains": ("relay_recipient_maps", frozenset()),
        "transport": ("transport_maps", _names(state.transport)),
        "verify": ("smtpd_recipient_restrictions", _names(state.verify)),
    }
    ours = [item for item in request.items if item.policy != EXTERNAL]
    settled = {item.name for item in ours}
    wide = tuple("." + item.name for item in ours if item.subdomains)
    for attribute, (parameter, held) in known.items():
        table = getattr(state, attribute)
        if table is None:
            continue
        for member in _left_behind(table, state.value(parameter)):
            kind, _colon, path = without_proxy(member).partition(":")
            rows = reader.rows(kind, path, True)
            names = {_domain_of_row(key) for key in rows} - settled - held
            others = sorted(one for one in names if not one.endswith(wide))
            if others:
                reader.notes.append(
                    f"{member} stays in {parameter} beside {table.reference}, since it has rows of "
                    f"{', '.join(others)}, which this role does not declare"
                )
            else:
                table = replace(table, replaces=(*table.replaces, member))
                reader.notes.append(f"{table.reference} takes the place of {member}; remove the files of the old table")
        setattr(state, attribute, table)


def _left_behind(table: TableState, value: str) -> list[str]:
    """Members of the list that name a table of ours, by its name and its record, which lies elsewhere."""
    found = []
    for member in split_items(value):
        path = without_proxy(member).partition(":")[2]
        same_name = os.path.basename(path) == os.path.basename(table.path)
        if same_name and os.path.realpath(path) != os.path.realpath(table.path) and read_record(path) is not None:
            found.append(member)
    return found


def _names(table: TableState | None) -> frozenset[str]:
    return frozenset(_domain_of_row(key) for key in table.rows) if table else frozenset()


def _domain_of_row(key: str) -> str:
    """The domain that a row is about: of an address, of `.domain`, or of a pattern as this role writes it."""
    pattern = _PATTERN.match(key)
    return pattern.group(1).replace("\\", "") if pattern else key.rpartition("@")[2].lstrip(".").lower()
