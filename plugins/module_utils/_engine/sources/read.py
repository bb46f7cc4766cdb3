# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a source of recipients, whatever its type, on the host where this runs. Nothing is changed."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.file import read_file_source
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import FILE
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading

# What reads a source of the type; it is given its options, as source_definition returns them.
Read = Callable[[Mapping[str, Any]], Reading]
READERS: Mapping[str, Read] = {
    FILE: read_file_source,
}


def read_source(definition: Mapping[str, Any]) -> Reading:
    """What the source says. Raises SourceError if it can't be read or believed, or says nothing."""
    read = READERS.get(definition["type"])
    if read is None:
        raise InvalidInput(f"sources of type {definition['type']} can't be read")
    reading = read(definition)
    if not reading.addresses and not reading.catch_alls:
        why = next(iter(reading.incomplete.values()), "")
        raise SourceError(f"it is empty: it has no address and no catch-all{f' ({why})' if why else ''}")
    return reading
