# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a source of recipients, whatever its type, on the host where this runs. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.dovecot import read_dovecot_source
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.file import read_file_source
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.http import read_http
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.ldap import read_ldap
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.postfix import read_postfix_source
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.sql import read_sql
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import (
    DOVECOT,
    FILE,
    HTTP,
    LDAP,
    POSTFIX,
    SQL,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Commands

# What reads a source of the type; it is given its options, as source_definition returns them.
Read = Callable[[Mapping[str, Any]], Reading]
READERS: Mapping[str, Read] = {
    FILE: read_file_source,
    HTTP: read_http,
    LDAP: read_ldap,
    SQL: read_sql,
}


def read_source(definition: Mapping[str, Any], commands: Commands, domains: Sequence[str] = ()) -> Reading:
    """What the source says, of these domains and all others.

    Raises HostError if it can't be read or believed, or says nothing.
    """
    reading = _read(definition, commands, domains)
    if not reading.addresses and not reading.catch_alls:
        why = next(iter(reading.incomplete.values()), "")
        raise SourceError(f"the source is empty: it has no address and no catch-all{f' ({why})' if why else ''}")
    return reading


def _read(definition: Mapping[str, Any], commands: Commands, domains: Sequence[str]) -> Reading:
    kind = definition["type"]
    if kind == POSTFIX:
        return read_postfix_source(definition, commands, domains)
    if kind == DOVECOT:
        return read_dovecot_source(definition, commands)
    return READERS[kind](definition)
