# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a source of type file: a list on the host where this runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.addresses import reading_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.formats import entries_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file


def read_file_source(definition: Mapping[str, Any]) -> Reading:
    """What the file says. Raises SourceError, also if it is written meanwhile."""
    path = str(definition["path"])
    entries = entries_of(_unchanging(path), definition["format"], definition, path)
    return reading_of(entries, definition["skip_invalid"], definition["default_domain"])


def _unchanging(path: str) -> bytes:
    """The bytes of a file to which nothing happens while it is read."""
    before = _state(path)
    try:
        content = read_file(path)
    except HostError as error:
        raise SourceError(error.message) from None
    if content is None:
        raise SourceError(f"{path} is not there; correct the path of the source, or have the list written")
    if _state(path) != before:
        raise SourceError(f"{path} was written while it was read; have it written aside, and moved into place then")
    return content


def _state(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
