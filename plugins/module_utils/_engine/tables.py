# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table change: plan it from what is there, then replace index and source so that no lookup ever fails.

A run that is killed anywhere leaves the old table or the new one, and the next run converges.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Iterator, Union

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.table_change import (
    SCRATCH_PREFIX,
    Files,
    put_in_place,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.table_index import (
    CURRENT,
    MISSING,
    NO_INDEX,
    STALE,
    UNREADABLE,
    Record,
    content_state,
    digest,
    file_digest,
    read_record,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.table_metadata import (
    MetadataChange,
    current_metadata,
    new_metadata,
    with_options,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.table_migration import (
    old_indexes,
    refuse_shared_index,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.table_reference import (
    Settings,
    TableReference,
    proxied,
    read_settings,
    resolve,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.table_types import (
    INDEX_SUFFIXES,
    index_suffix,
    pattern_problems,
    probe,
    refuse_new_problems,
    working_types,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.pattern_table import PATTERN_TYPES, PatternTable
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.table import Edits, Table, encode
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import directory_lock, read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

__all__ = [
    "Edits",
    "Settings",
    "TableOptions",
    "TablePlan",
    "TableReference",
    "apply_table",
    "change_table",
    "index_state",
    "plan_table",
    "read_settings",
    "resolve",
    "table_lock",
    "working_types",
]

LMDB_KEY_BYTES = 510
WARNINGS = 20
AnyTable = Union[Table, PatternTable]


@dataclass(frozen=True)
class TableOptions:
    """How a table is written. None keeps what is there; a new table gets the `new_` values."""

    owner: str | None = None
    group: str | None = None
    mode: str | int | None = None
    backup: bool = False
    max_removals: str | None = None
    remove_old_index: bool = False
    new_owner: str = "root"
    new_group: str = "postfix"
    new_mode: str = "0640"


@dataclass(frozen=True)
class TablePlan:
    """What a table holds, what it is to hold, and why it changes. `added` and so on are keys as Postfix folds them."""

    reference: TableReference
    before: AnyTable
    after: AnyTable
    old: dict[str, str]
    new: dict[str, str]
    state: str
    files: Files
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    source_changed: bool = False
    metadata_changes: list[MetadataChange] = field(default_factory=list)
    reload_pending: bool = False
    leftovers: list[str] = field(default_factory=list)
    old_indexes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.new)

    @property
    def index_missing(self) -> bool:
        return self.state == MISSING

    @property
    def index_stale(self) -> bool:
        return self.state in (STALE, UNREADABLE)

    @property
    def index_rebuilt(self) -> bool:
        """Whether postmap builds the index, in check mode: would build it."""
        return self.state != NO_INDEX and (self.source_changed or self.state != CURRENT)

    @property
    def changed(self) -> bool:
        return bool(
            self.source_changed
            or self.index_rebuilt
            or self.metadata_changes
            or self.reload_pending
            or self.leftovers
            or self.old_indexes
        )


@contextmanager
def table_lock(reference: TableReference) -> Iterator[None]:
    """Holds the lock of every directory that a change of this table writes to. Raises HostError."""
    with ExitStack() as stack:
        for directory in _directories(reference):
            stack.enter_context(directory_lock(directory))
        yield


def _directories(reference: TableReference) -> list[str]:
    directories = {os.path.dirname(os.path.realpath(reference.path)), os.path.dirname(reference.path)}
    for suffix in set(INDEX_SUFFIXES.values()):
        directories.add(os.path.dirname(os.path.realpath(reference.path + suffix)))
    return sorted(os.path.realpath(directory) for directory in directories)


def change_table(
    postfix: Postfix,
    reference: TableReference,
    want: Edits,
    options: TableOptions,
    check_mode: bool,
    settings: Settings | None = None,
) -> tuple[TablePlan, str | None]:
    """Plans under the lock and, unless `check_mode`, applies the plan; also returns the path of the backup.

    Raises MxRelayError, the table then being as it was unless the message says otherwise.
    """
    backup = None
    with table_lock(reference):
        plan = plan_table(postfix, reference, want, options, settings)
        if plan.changed and not check_mode:
            backup = apply_table(postfix, plan)
    return plan, backup


def plan_table(
    postfix: Postfix,
    reference: TableReference,
    want: Edits,
    options: TableOptions,
    settings: Settings | None = None,
) -> TablePlan:
    """What would change; only reads. Raises InvalidInput, Refused or HostError for what can't or must not be done."""
    known = settings or read_settings(postfix)
    utf8 = known.utf8
    source = _source(reference)
    suffix = index_suffix(postfix, reference.type, known.redirected)
    before = _parse(source or b"", reference.type)
    after = before.edited(want.set, _removals(before, want, reference.type, utf8), utf8)
    old, new = before.mapping(utf8), after.mapping(utf8)
    if source is None and not new:
        return _nothing_there(reference, before)
    state, pending = _index(postfix, reference, reference.path + suffix, source, old, utf8)
    _refuse_lost_source(reference, suffix, source, want)
    removed = [key for key in old if key not in new]
    _check_removals(reference, len(removed), len(old), options.max_removals)
    _check_keys(new, old, suffix, known)
    files, metadata_changes = _files(reference, suffix, after, options, utf8)
    plan = TablePlan(
        reference=reference,
        before=before,
        after=after,
        old=old,
        new=new,
        state=state,
        files=files,
        added=[key for key in new if key not in old],
        removed=removed,
        updated=[key for key in new if key in old and old[key] != new[key]],
        source_changed=after is not before,
        metadata_changes=metadata_changes,
        reload_pending=pending,
        leftovers=_leftovers(reference),
        warnings=_warnings([f"{reference.path}: {one}" for one in [*before.warnings, *before.duplicates(utf8)]]),
    )
    if plan.source_changed or plan.index_rebuilt:
        probe(postfix, reference.type)
    if plan.index_rebuilt:
        refuse_shared_index(postfix, reference, suffix)
    if options.remove_old_index:
        unused, used = old_indexes(postfix, reference, suffix, known.redirected)
        plan.old_indexes.extend(unused)
        plan.warnings.extend(used)
    if reference.type in PATTERN_TYPES:
        known_problems = pattern_problems(postfix, reference.type, reference.path, source or b"")
        if plan.source_changed:
            problems = pattern_problems(postfix, reference.type, reference.path, plan.files.content)
            refuse_new_problems(reference.path, known_problems, problems)
        plan.warnings.extend(_warnings(known_problems))
    return plan


def apply_table(postfix: Postfix, plan: TablePlan) -> str | None:
    """Does what the plan says; returns the path of the backup. The caller holds table_lock since before it planned.

    Raises HostError; the table is then the old one, unless the message says that it is in place.
    """
    return put_in_place(
        postfix,
        plan.files,
        expected=plan.new,
        write_source=plan.source_changed,
        write_index=plan.index_rebuilt,
        reload=_needs_reload(postfix, plan),
        leftovers=plan.leftovers,
        old_indexes=plan.old_indexes,
    )


def _needs_reload(postfix: Postfix, plan: TablePlan) -> bool:
    """Whether daemons would not notice the change by themselves."""
    if plan.reload_pending or plan.state in (MISSING, UNREADABLE):
        return True
    if not (plan.source_changed or plan.index_rebuilt):
        return False
    # A daemon keeps its connection to a proxymap that has the old table open, on a busy host for minutes.
    return plan.state == NO_INDEX or proxied(postfix, plan.reference)


def index_state(postfix: Postfix, reference: TableReference, settings: Settings | None = None) -> str:
    """Whether the index holds what the source says: current, missing, stale, unreadable, or none (no index)."""
    known = settings or read_settings(postfix)
    suffix = index_suffix(postfix, reference.type, known.redirected)
    if not suffix:
        return NO_INDEX
    source = read_file(reference.path)
    expected = Table.parse(source or b"").mapping(known.utf8)
    return _index(postfix, reference, reference.path + suffix, source, expected, known.utf8)[0]


def _source(reference: TableReference) -> bytes | None:
    directory = os.path.dirname(reference.path)
    if not os.path.isdir(directory):
        raise HostError(f"{directory}: there is no such directory for {reference}; create it or correct the path")
    if os.path.isdir(reference.path):
        raise HostError(f"{reference.path}: is a directory, not the source of a table; correct the path")
    return read_file(reference.path)


def _parse(data: bytes, table_type: str) -> AnyTable:
    return PatternTable.parse(data, table_type) if table_type in PATTERN_TYPES else Table.parse(data)


def _removals(table: AnyTable, want: Edits, table_type: str, utf8: bool) -> list[str]:
    if table_type in PATTERN_TYPES:
        keys = [entry.key for entry in table.entries]
        return [key for key in keys if key not in want.set and (want.purge or key in want.remove)]
    return want.removals(table, utf8)


def _nothing_there(reference: TableReference, table: AnyTable) -> TablePlan:
    files = Files(reference.type, reference.path, "", b"", None, None)
    return TablePlan(reference, table, table, {}, {}, NO_INDEX, files, leftovers=_leftovers(reference))


def _index(
    postfix: Postfix,
    reference: TableReference,
    index: str,
    source: bytes | None,
    expected: dict[str, str],
    utf8: bool,
) -> tuple[str, bool]:
    """State of the live index, and whether a reload is still owed."""
    record = read_record(reference.path)
    indexed = index != reference.path
    if record is not None and source is not None:
        live = (file_digest(index) or "") if indexed else ""
        if _without_reload(record) == Record(reference.type, utf8, digest(source), live):
            return (CURRENT if indexed else NO_INDEX), record.reload
    if not indexed:
        return NO_INDEX, False
    return content_state(postfix, reference, index, expected), False


def _without_reload(record: Record) -> Record:
    """The record without its note on a reload, to be compared with what is seen."""
    return Record(record.type, record.utf8, record.source, record.index)


def _refuse_lost_source(reference: TableReference, suffix: str, source: bytes | None, want: Edits) -> None:
    if source is None and suffix and not want.purge and os.path.exists(reference.path + suffix):
        raise Refused(
            f"{reference.path} is missing while its index {reference.path + suffix} is there; a new table would lose "
            f"the entries of the index: write the source again (postmap -s {reference}) or remove the index"
        )


def _check_removals(reference: TableReference, removed: int, total: int, limit: str | None) -> None:
    if limit in (None, ""):
        return
    text = str(limit).strip()
    number = text[:-1] if text.endswith("%") else text
    if not (number.isascii() and number.isdigit()):
        raise InvalidInput(f'"{limit}" (max_removals) is not a number or a percentage; write it as 10 or as "10%"')
    allowed = total * int(number) / 100 if text.endswith("%") else int(number)
    if removed > allowed:
        raise Refused(
            f"{reference.path}: {removed} of {total} entries would be removed, which is more than max_removals "
            f"({text}); check that the list is complete, or allow more"
        )


def _check_keys(new: dict[str, str], old: dict[str, str], suffix: str, settings: Settings) -> None:
    for key in new:
        if key in old and old[key] == new[key]:
            continue
        if suffix == ".lmdb" and len(encode(key)) > LMDB_KEY_BYTES:
            raise InvalidInput(
                f'"{key}" is longer than the {LMDB_KEY_BYTES} bytes that a key of an lmdb table may have; '
                "use another type or a shorter key"
            )
        if settings.version and settings.version < (3, 2) and '"' in key and any(c.isspace() for c in key):
            raise InvalidInput(f"{key} contains quoted white space, which keys can't have before Postfix 3.2; remove it")


def _files(
    reference: TableReference, suffix: str, after: AnyTable, options: TableOptions, utf8: bool
) -> tuple[Files, list[MetadataChange]]:
    """The files of the change with their metadata, and what changes of the metadata of those that are there."""
    index = reference.path + suffix if suffix else ""
    have_source = current_metadata(reference.path)
    have_index = current_metadata(index) if index else None
    base = have_source or new_metadata(
        options.owner or options.new_owner, options.group or options.new_group, options.new_mode
    )
    for_source = with_options(base, options.owner, options.group, options.mode)
    for_index = with_options(have_index or for_source, options.owner, options.group, options.mode)
    changes = [
        MetadataChange(path, have, want)
        for path, have, want in ((reference.path, have_source, for_source), (index, have_index, for_index))
        if have is not None and have != want
    ]
    files = Files(
        type=reference.type,
        path=reference.path,
        index=index,
        content=after.render(),
        source_metadata=for_source,
        index_metadata=for_index if index else None,
        utf8=utf8,
        set_metadata=bool(changes),
        backup=options.backup,
    )
    return files, changes


def _warnings(found: list[str]) -> list[str]:
    """What Postfix does not read as the source seems to say; of very many only the first."""
    more = len(found) - WARNINGS
    return found if more <= 0 else [*found[:WARNINGS], f"... and {more} warnings more"]


def _leftovers(reference: TableReference) -> list[str]:
    """Scratch directories that a killed run left behind; whoever holds the lock may remove them."""
    found = []
    for directory in _directories(reference):
        if os.path.isdir(directory):
            for entry in os.scandir(directory):
                if entry.name.startswith(SCRATCH_PREFIX) and entry.is_dir(follow_symlinks=False):
                    found.append(entry.path)
    return sorted(found)
