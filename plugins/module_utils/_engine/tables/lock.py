# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time for a table, and what runs that were killed left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import TableReference
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.replace import SCRATCH_PREFIX
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import INDEX_SUFFIXES
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import run_lock
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place


@contextmanager
def table_lock(reference: TableReference, check_mode: bool = False) -> Iterator[None]:
    """Holds the lock of runs that change tables; in check mode nothing is made for it.

    Raises HostError, also if others than root could change what this run would write.
    """
    refuse_open_places(reference)
    with run_lock(create=not check_mode):
        yield


def refuse_open_places(reference: TableReference) -> None:
    """Raises HostError if others than root can change what the path of the table or of an index of it leads to."""
    for suffix in ("", *sorted(set(INDEX_SUFFIXES.values()))):
        refuse_open_place(reference.path + suffix)


def _directories(reference: TableReference) -> list[str]:
    """Every directory that a change of this table writes to."""
    directories = {os.path.dirname(os.path.realpath(reference.path)), os.path.dirname(reference.path)}
    for suffix in set(INDEX_SUFFIXES.values()):
        directories.add(os.path.dirname(os.path.realpath(reference.path + suffix)))
    return sorted({os.path.realpath(directory) for directory in directories})


def leftovers_of(reference: TableReference) -> list[str]:
    """Scratch directories that a killed run left behind; whoever holds the lock may remove them."""
    found = []
    for directory in _directories(reference):
        if os.path.isdir(directory):
            for entry in os.scandir(directory):
                if entry.name.startswith(SCRATCH_PREFIX) and entry.is_dir(follow_symlinks=False):
                    found.append(entry.path)
    return sorted(found)
