# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Going from one type of table to another without a moment at which a lookup fails.

The new index is built beside the old one, main.cf is changed, Postfix is reloaded; each of them finds the other's
table whole. Only then can the old index go.
"""

from __future__ import annotations

import os

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import (
    TableReference,
    named_tables,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import (
    INDEX_SUFFIXES,
    UNSAFE_SUFFIXES,
    index_suffix,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix


def refuse_shared_index(postfix: Postfix, reference: TableReference, suffix: str) -> None:
    """Raises Refused if the new index would take the place of one of another type that Postfix still reads."""
    sharing = [kind for kind in INDEX_SUFFIXES if kind != reference.type and INDEX_SUFFIXES[kind] == suffix]
    if INDEX_SUFFIXES.get(reference.type) != suffix or not sharing:
        return
    for other in _same_source(postfix, reference):
        if other.type in sharing:
            raise Refused(
                f"{reference.path}{suffix} is the index of {other}, which Postfix is configured to read, and an index "
                f"of type {reference.type} has the same name; give another path for the {reference.type} table and "
                "name that one in main.cf, or use another type"
            )


def old_indexes(
    postfix: Postfix, reference: TableReference, suffix: str, redirected: bool
) -> tuple[list[str], list[str]]:
    """The indexes of the same source that are of other types: those that nothing names any more, and warnings of those
    that stay since main.cf or master.cf names their table. Raises HostError."""
    suffixes = sorted({*INDEX_SUFFIXES.values(), *UNSAFE_SUFFIXES} - {suffix})
    there = [path for path in (reference.path + other for other in suffixes) if os.path.lexists(path)]
    if not there:
        return [], []
    used: dict[str, TableReference] = {}
    for other in _same_source(postfix, reference):
        own = UNSAFE_SUFFIXES if other.type not in INDEX_SUFFIXES else (index_suffix(postfix, other.type, redirected),)
        used.update(dict.fromkeys((reference.path + theirs for theirs in own), other))
    warnings = [
        f"{path} is kept, since Postfix is configured to read {used[path]}; "
        f"name {reference} instead, reload, and run again"
        for path in there
        if path in used
    ]
    return [path for path in there if path not in used], warnings


def _same_source(postfix: Postfix, reference: TableReference) -> list[TableReference]:
    real = os.path.realpath(reference.path)
    return [other for other in named_tables(postfix) if os.path.realpath(other.path) == real]
