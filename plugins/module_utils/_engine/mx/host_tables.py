# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of ours that a host has, or is to have, for its relay domains."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.table_owners import not_ours
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import read_record
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.lock import refuse_open_places
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TableOptions, plan_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import (
    PathNeeded,
    Settings,
    TableReference,
    local_members,
    resolve,
    settings_from,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import probe_type
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import without_proxy
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    SUBDOMAINS_NAME,
    DomainRows,
    HostState,
    TableState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refused_mail import (
    BOUNCE_CLEANUP,
    REFUSED_NAME,
    RETRYING,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import sending_service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import rows_by_domain
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    ANY,
    EXTERNAL,
    KEPT,
    VERIFY,
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import KEYED_TYPES, UNSAFE_TYPES
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.os_release import family_of_host
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

RECIPIENTS_NAME = "relay_recipients"
TRANSPORT_NAME = "transport"
VERIFY_NAME = "relay_verify"
FILTERS_NAME = "relay_refused_retry"
PROBES_NAME = "relay_verify_transport"
_OF_PATTERNS = (SUBDOMAINS_NAME, REFUSED_NAME, FILTERS_NAME)
# What goes before the name of a table where a file of that name is not ours to edit.
OTHER_NAME = "mxrelay_"
PARAMETERS = {
    "recipients": "relay_recipient_maps",
    "subdomains": "relay_recipient_maps",
    "transport": "transport_maps",
    "verify": "smtpd_recipient_restrictions",
}
_PATTERN = re.compile(r"^/@\[\^@\]\+\\\.(.*)\$/$")


class OwnTables(NamedTuple):
    """The tables of ours, as HostState has them; None for one that can't be told."""

    recipients: TableState | None = None
    recipient_rows: Mapping[str, DomainRows] = {}
    transport: TableState | None = None
    verify: TableState | None = None
    subdomains: TableState | None = None
    refused: TableState | None = None
    filters: TableState | None = None
    probes: TableState | None = None


@dataclass(frozen=True)
class TablesRead:
    """What is known of our tables, what stands against writing them, and what is to be said of them.

    `missing_types` do not work yet, but would with a package of their name.
    """

    known: OwnTables
    refusals: list[Refusal] = field(default_factory=list)
    missing_types: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TableRead:
    """One table, or what stands against writing it: a refusal, or a type that a package would make work."""

    table: TableState | None = None
    refusal: Refusal | None = None
    missing_type: str = ""


def read_tables(postfix: Postfix, request: MxRequest, state: HostState, reader: MapReader) -> TablesRead:
    """The tables of recipients and of transport, and those beside them. Raises HostError if Postfix's commands fail."""
    settings = settings_from(state.values, ["relay_recipient_maps", "transport_maps"])
    recipients = read_table(postfix, request, settings, "relay_recipient_maps", RECIPIENTS_NAME)
    transport = read_table(postfix, request, settings, "transport_maps", TRANSPORT_NAME)
    known = OwnTables(recipients=recipients.table)
    if recipients.table:
        beside = partial(_table_beside, postfix, settings, recipients.table, reader)
        known = known._replace(
            recipient_rows=_recipient_rows(recipients.table, request, settings, reader),
            verify=beside(VERIFY_NAME, state.value("smtpd_recipient_restrictions")),
            subdomains=beside(SUBDOMAINS_NAME, state.value("relay_recipient_maps")),
            refused=beside(REFUSED_NAME, _override(state, BOUNCE_CLEANUP, "body_checks")),
            filters=beside(FILTERS_NAME, _override(state, RETRYING, "smtp_delivery_status_filter")),
            probes=beside(PROBES_NAME, state.explicit.get("address_verify_transport_maps", "")),
        )
    if transport.table:
        rows = reader.source(transport.table.path).mapping(settings.utf8)
        known = known._replace(transport=replace(transport.table, rows=rows))
    both = (recipients, transport)
    moved, notes = _move_on(request, known, state, reader)
    return TablesRead(
        moved,
        list(dict.fromkeys(read.refusal for read in both if read.refusal)),
        list(dict.fromkeys(read.missing_type for read in both if read.missing_type)),
        notes,
    )


def _override(state: HostState, name: str, parameter: str) -> str:
    """What a service of ours has for the parameter."""
    service = sending_service(state, name)
    return service.overrides.get(parameter, "") if service else ""


def _recipient_rows(
    table: TableState, request: MxRequest, settings: Settings, reader: MapReader
) -> Mapping[str, DomainRows]:
    content = reader.source(table.path)
    counted: dict[str, int] = {}
    for entry in content.entries:
        counted[entry.key.lower()] = counted.get(entry.key.lower(), 0) + 1
    untidy = frozenset(key for key, count in counted.items() if count > 1)
    wide = frozenset(item.name for item in request.items if item.subdomains and item.policy not in (ANY, VERIFY))
    return rows_by_domain(content.mapping(settings.utf8), untidy, wide, request.declared)


def read_table(postfix: Postfix, request: MxRequest, settings: Settings, parameter: str, name: str) -> TableRead:
    """The table of ours that the parameter names, or is to name."""
    directory = str(request.settings["table_directory"] or "")
    wanted_type = str(request.settings["table_type"] or "") or None
    path = os.path.join(directory, name) if directory else None
    others = {} if directory else _of_others(postfix, settings, parameter)
    try:
        reference = _reference(postfix, parameter, name, path, wanted_type, _without(settings, parameter, others))
        refuse_open_places(reference)
        try:
            table = _state(postfix, reference, settings, settings.parameters.get(parameter, ""))
        except HostError:
            # The source is there, in a type that does not work yet: what it needs is seen once that is installed.
            missing_type = _missing_type(postfix, reference.type, request)
            if not missing_type:
                raise
            return TableRead(missing_type=missing_type)
        unused = not table.exists or not table.member
        table = replace(table, beside=tuple(_beside(table, member, others[member]) for member in others))
        return TableRead(table, missing_type=_missing_type(postfix, table.type, request) if unused else "")
    except (InvalidInput, HostError) as error:
        refusal = Refusal.from_error("", "table", InvalidInput(error.message.replace("; nothing was changed", "")))
        if isinstance(error, PathNeeded):
            refusal = replace(refusal, remedy=f"set {request.role or 'mx'}_table_directory to say where its table is")
        return TableRead(refusal=refusal)


def _of_others(postfix: Postfix, settings: Settings, parameter: str) -> dict[str, str]:
    """The members of the parameter that are tables of others, as main.cf names them, and how that is known."""
    found = {}
    for text in split_items(settings.parameters.get(parameter, "")):
        for reference in local_members(text):
            if reference.type not in (*KEYED_TYPES, *UNSAFE_TYPES):
                continue
            reason = not_ours(reference.path, postfix.config_directory)
            if reason:
                found[text] = reason
    return found


def _without(settings: Settings, parameter: str, others: Iterable[str]) -> Settings:
    members = [text for text in split_items(settings.parameters.get(parameter, "")) if text not in set(others)]
    return replace(settings, parameters={**settings.parameters, parameter: ", ".join(members)})


def _beside(table: TableState, member: str, reason: str) -> str:
    note = f"{member} is not edited, because {reason}; the rows of this role are in {table.reference} beside it"
    if read_record(without_proxy(member).partition(":")[2]) is None:
        return note
    return f"{note}, and those of earlier runs stay in {member} until you remove them"


def _reference(
    postfix: Postfix, parameter: str, name: str, path: str | None, wanted_type: str | None, settings: Settings
) -> TableReference:
    """The table at `path`, or the one of ours among those that the parameter names, or is to name."""
    free = _free_name(postfix.config_directory, name)
    try:
        return resolve(postfix, parameter, free, path, wanted_type, settings)
    except InvalidInput:
        if path is not None:
            raise
        return _ours_among(postfix, parameter, free, wanted_type, settings)


def _free_name(config_directory: str, name: str) -> str:
    """The name of our table in the configuration directory: another one if that file is somebody else's."""
    return OTHER_NAME + name if not_ours(os.path.join(config_directory, name), config_directory) else name


def _missing_type(postfix: Postfix, table_type: str, request: MxRequest) -> str:
    """The type, if tables of it don't work here and a package that we may install changes that; "" if they work.

    Raises HostError if no such package changes it.
    """
    try:
        probe_type(postfix, table_type)
    except HostError:
        installable = request.settings["manage_package"] and not request.after_install
        if not installable or table_type not in family_of_host().types:
            raise
        return table_type
    return ""


def _ours_among(
    postfix: Postfix, parameter: str, name: str, wanted_type: str | None, settings: Settings
) -> TableReference:
    """Of several tables the one with our name in the configuration directory. Raises InvalidInput without one."""
    path = os.path.join(postfix.config_directory, name)
    members = [without_proxy(member) for member in split_items(settings.parameters.get(parameter, ""))]
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
    postfix: Postfix,
    settings: Settings,
    recipients: TableState,
    reader: MapReader,
    name: str,
    value: str,
) -> TableState:
    """A table of ours in the directory of the recipients: of their type, or of patterns. `value` names it by now."""
    table_type = "regexp" if name in _OF_PATTERNS else recipients.type
    reference = TableReference(table_type, os.path.join(os.path.dirname(recipients.path), name))
    refuse_open_places(reference)
    table = _state(postfix, reference, settings, value)
    return replace(table, rows=reader.rows(table.type, table.path, settings.utf8))


def _move_on(request: MxRequest, known: OwnTables, state: HostState, reader: MapReader) -> tuple[OwnTables, list[str]]:
    """The tables with those that they replace: what this role left behind in another directory; and what to say.

    One whose rows the new table will not hold all of stays where it is.
    """
    held = {
        "recipients": frozenset(known.recipient_rows),
        "subdomains": frozenset(),
        "transport": _names(known.transport),
        "verify": _names(known.verify),
    }
    ours = [item for item in request.items if item.policy not in (EXTERNAL, KEPT)]
    settled = {item.name for item in ours}
    wide = tuple("." + item.name for item in ours if item.subdomains)
    moved: dict[str, Any] = {}
    notes: list[str] = []
    for part, names in held.items():
        table = getattr(known, part)
        for member in _left_behind(table, state.value(PARAMETERS[part])) if table else ():
            kind, _colon, path = without_proxy(member).partition(":")
            rows = {_domain_of_row(key) for key in reader.rows(kind, path, True)}
            others = sorted(name for name in rows - settled - names if not name.endswith(wide))
            if others:
                notes.append(
                    f"{member} stays in {PARAMETERS[part]} beside {table.reference}, since it has rows of "
                    f"{', '.join(others)}, which this role does not declare"
                )
            else:
                table = replace(table, replaces=(*table.replaces, member))
                notes.append(f"{table.reference} takes the place of {member}; remove the files of the old table")
        if table:
            moved[part] = table
    return known._replace(**moved), notes


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
