# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans a table change from what is there: the source, its index, and the record of earlier runs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.changed_copy import ChangedRows
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import (
    Record,
    content_state,
    file_digest,
    read_record,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.lock import leftovers_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.metadata import (
    MetadataChange,
    current_metadata,
    new_metadata,
    with_options,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.migration import (
    old_indexes,
    refuse_shared_index,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import (
    Settings,
    TableReference,
    read_settings,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.replace import Files
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import (
    index_suffix,
    pattern_problems,
    probe_type,
    refuse_new_problems,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.followed import Following
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.edit import (
    TableEdit,
    edit,
    rows_in,
    unchanged,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.guarded import (
    HeldBack,
    held_back,
    kept_apart,
    limited_removals,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.index_states import CURRENT, NO_INDEX, STALE
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.pattern_table import PATTERN_TYPES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import Rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.removals import read_limit
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits, decode, encode
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.task_name import digest_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import first_release, supports
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

LMDB_KEY_BYTES = 510
WARNINGS = 20
# Of a long source it is noted which requests find nothing to change in it, in a run that changes nothing as well.
RECORDED_BYTES = 1 << 20
RECORDED_REQUESTS = 16


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
class LiveIndex:
    """State of the index that Postfix reads. `digest` is empty unless it was seen to hold what the source says.

    `reload_pending` says that daemons are still to be told of it; on `copies` see Record.
    """

    state: str
    digest: str = ""
    copies: int = 0
    reload_pending: bool = False


@dataclass(frozen=True)
class TableRequest:
    """What a task asks for: how its edits are made from its lists, and a name that stands for all of it.

    The edits are not made if the name is recorded as that of a request that finds nothing to change. A request without
    a name, one whose edits have warnings, and one that is held back from some domain, is never recorded. `make_edits`
    may raise MxRelayError. `following` is what is to be noted of sources, for which the name does not stand.
    """

    make_edits: Callable[[], Edits]
    name: str = ""
    following: Following = field(default_factory=Following)


@dataclass(frozen=True)
class TablePlan:
    """What a table holds, what it is to hold, and why it changes. `added` and so on are keys as Postfix folds them.

    `old` and `new` are the entries that change; `rows` makes what the index must hold; `warnings` are of the source and
    of the edits; `live` is what is known of the index; `to_record` is what a run that changes nothing notes, so the
    next need not find it out again. `held` are domains that keep their entries; `following` is that of the request, and
    with it `wanted` is what the others are to have, nothing if the record knew that they have it.
    """

    reference: TableReference
    live: LiveIndex
    files: Files
    total: int = 0
    old_total: int = 0
    old: Mapping[str, str] = field(default_factory=dict)
    new: Mapping[str, str] = field(default_factory=dict)
    rows: Callable[[], Rows] = lambda: Rows(b"")
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    source_changed: bool = False
    metadata_changes: list[MetadataChange] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    old_indexes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    to_record: Record | None = None
    held: Sequence[HeldBack] = ()
    wanted: Mapping[str, str] = field(default_factory=dict)
    following: Following = field(default_factory=Following)

    @property
    def state(self) -> str:
        """Whether the index is current, missing, stale, unreadable, or none is needed."""
        return self.live.state

    @property
    def reload_pending(self) -> bool:
        return self.live.reload_pending

    @property
    def index_rebuilt(self) -> bool:
        """Whether postmap builds the index, in check mode: would build it."""
        return self.state != NO_INDEX and (self.source_changed or self.state != CURRENT)

    @property
    def changed_rows(self) -> ChangedRows | None:
        """What tells the next index from the live one; None if it is to be built."""
        rows = ChangedRows(self.live.digest, self.new, self.removed, self.live.copies)
        suffix = self.files.index[len(self.files.path) :]
        kept = self._kept() if self.live.digest and rows.fit(suffix, self.total) else None
        return replace(rows, kept=kept) if kept else None

    def _kept(self) -> tuple[str, str] | None:
        """An entry that the table has before and after; None if there is none."""
        rows = self.rows()
        start = 0
        while start < len(rows.text):
            end = rows.text.find(b"\n", start)
            key, _separator, value = decode(rows.text[start:end]).partition(decode(rows.separator))
            if key not in self.new:
                return key, value
            start = end + 1
        return None

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


def plan_table(
    postfix: Postfix,
    reference: TableReference,
    want: Edits | TableRequest,
    options: TableOptions,
    settings: Settings | None = None,
) -> TablePlan:
    """What would change; only reads. Raises InvalidInput, Refused or HostError for what can't or must not be done."""
    known = settings or read_settings(postfix)
    request = want if isinstance(want, TableRequest) else TableRequest(lambda: want)
    source = _source(reference)
    suffix = index_suffix(postfix, reference.type, known.redirected)
    found = _looked_through(reference, suffix, source, request, known.utf8)
    edited = found.edit
    if source is None and not edited.total:
        return replace(_nothing_there(reference, found.warnings), held=found.held)
    live = _live_index(postfix, reference, suffix, found.record, edited.rows_before)
    lost, had = _removals(postfix, reference, live.state, edited, options)
    _check_removals(reference, lost - found.limited, had, options.max_removals)
    _check_keys(edited.new, suffix, known)
    files, metadata_changes = _files(reference, suffix, edited.content, options, known.utf8)
    plan = TablePlan(
        reference=reference,
        live=live,
        files=replace(files, requests=(found.name,) if found.name else (), total=edited.total),
        total=edited.total,
        old_total=edited.old_total,
        old=edited.old,
        new=edited.new,
        rows=edited.rows_after,
        added=edited.added,
        removed=edited.removed,
        updated=edited.updated,
        source_changed=edited.changed,
        metadata_changes=metadata_changes,
        leftovers=leftovers_of(reference),
        held=found.held,
        wanted=found.wanted,
        following=request.following,
    )
    if plan.source_changed or plan.index_rebuilt:
        probe_type(postfix, reference.type)
    if plan.index_rebuilt:
        refuse_shared_index(postfix, reference, suffix)
    unused, used = old_indexes(postfix, reference, suffix, known.redirected) if options.remove_old_index else ([], [])
    of_source = _first_of_many([f"{reference.path}: {warning}" for warning in edited.warnings])
    of_patterns = _first_of_many(_pattern_warnings(postfix, plan, source or b""))
    plan = replace(plan, old_indexes=unused, warnings=[*of_source, *used, *of_patterns, *found.warnings])
    if found.name and found.record is not None and not plan.changed and len(edited.content) >= RECORDED_BYTES:
        return replace(plan, to_record=_with_request(found.record, found.name))
    return plan


def index_state(postfix: Postfix, reference: TableReference, settings: Settings | None = None) -> str:
    """Whether the index holds what the source says: current, missing, stale, unreadable, or none (no index)."""
    known = settings or read_settings(postfix)
    suffix = index_suffix(postfix, reference.type, known.redirected)
    if not suffix:
        return NO_INDEX
    source = read_file(reference.path)
    record = _of_these_files(read_record(reference.path), reference, suffix, source, known.utf8)
    return _live_index(postfix, reference, suffix, record, lambda: rows_in(source or b"", known.utf8), CURRENT).state


def _source(reference: TableReference) -> bytes | None:
    directory = os.path.dirname(reference.path)
    if not os.path.isdir(directory):
        raise HostError(f"{directory}: the directory of {reference} does not exist; create it or correct the path")
    if os.path.isdir(reference.path):
        raise HostError(f"{reference.path}: is a directory, not the source of a table; correct the path")
    return read_file(reference.path)


@dataclass(frozen=True)
class _LookedThrough:
    """What a request makes of a source. `warnings` are those of its edits; `record` is that of the files as they are.

    `name` is the one to record the request by, empty if it has to be looked at in every run. `limited` of the removed
    entries are of domains that have a limit of their own. On `held` and `wanted` see TablePlan.
    """

    edit: TableEdit
    record: Record | None
    name: str = ""
    warnings: Sequence[str] = ()
    held: Sequence[HeldBack] = ()
    limited: int = 0
    wanted: Mapping[str, str] = field(default_factory=dict)


def _looked_through(
    reference: TableReference, suffix: str, source: bytes | None, request: TableRequest, utf8: bool
) -> _LookedThrough:
    """The request held against the source; its edits are made only if the record does not know what comes of them."""
    noted = read_record(reference.path)
    # Whether the record speaks of these files is seen from their digests; edits that are due anyway come before those.
    want = None if noted is not None and _is_met(request, noted) else request.make_edits()
    record = _of_these_files(noted, reference, suffix, source, utf8)
    if want is None and source is not None and record is not None:
        return _LookedThrough(unchanged(source, record.total, utf8), record, request.name)
    want = want or request.make_edits()
    _refuse_lost_source(reference, suffix, source, want)
    found = edit(source or b"", reference.type, want, utf8)
    held = held_back(want, found, utf8)
    if held:
        want = kept_apart(want, held, utf8)
        found = edit(source or b"", reference.type, want, utf8)
    name = "" if want.warnings or found.warnings or held else request.name
    limited = limited_removals(want, found.removed, utf8)
    wanted = want.set if request.following.domains else {}
    return _LookedThrough(found, record, name, want.warnings, held, limited, wanted)


def _nothing_there(reference: TableReference, warnings: Sequence[str]) -> TablePlan:
    files = Files(reference.type, reference.path, "", b"", None, None)
    return TablePlan(reference, LiveIndex(NO_INDEX), files, leftovers=leftovers_of(reference), warnings=[*warnings])


def _pattern_warnings(postfix: Postfix, plan: TablePlan, source: bytes) -> list[str]:
    """What Postfix warns of in the source of a table of patterns. Raises InvalidInput if the plan adds to that."""
    reference = plan.reference
    if reference.type not in PATTERN_TYPES:
        return []
    problems = pattern_problems(postfix, reference.type, reference.path, source)
    if plan.source_changed:
        after = pattern_problems(postfix, reference.type, reference.path, plan.files.content)
        refuse_new_problems(reference.path, problems, after)
    return problems


def _of_these_files(
    record: Record | None, reference: TableReference, suffix: str, source: bytes | None, utf8: bool
) -> Record | None:
    """The record of the table if it speaks of the very bytes that source and index have now, else None."""
    if record is None or source is None:
        return None
    live = (file_digest(reference.path + suffix) or "") if suffix else ""
    return record if record.is_of(reference.type, utf8, digest_of(source), live) else None


def _is_met(request: TableRequest, record: Record) -> bool:
    """Whether the request is known to find nothing to change in the table that the record speaks of."""
    return bool(request.name) and request.name in record.requests and not record.reload


def _with_request(record: Record, name: str) -> Record | None:
    """The record with one more request that the table meets; None if it is there."""
    if name in record.requests:
        return None
    return replace(record, requests=(name, *record.requests)[:RECORDED_REQUESTS])


def _live_index(
    postfix: Postfix,
    reference: TableReference,
    suffix: str,
    record: Record | None,
    expected: Callable[[], Rows],
    unseen: str = STALE,
) -> LiveIndex:
    """What is to be known of the live index. On `unseen` see content_state."""
    if record is not None:
        return LiveIndex(CURRENT if suffix else NO_INDEX, record.index, record.copies, record.reload)
    if not suffix:
        return LiveIndex(NO_INDEX)
    index = reference.path + suffix
    # Of what is there before postmap reads it: if others write it meanwhile, a copy has another digest.
    digest = file_digest(index) or ""
    state = content_state(postfix, reference, index, expected, unseen)
    return LiveIndex(state, digest if state == CURRENT else "")


def _refuse_lost_source(reference: TableReference, suffix: str, source: bytes | None, want: Edits) -> None:
    if source is None and suffix and not want.purge and want.text is None and os.path.exists(reference.path + suffix):
        raise Refused(
            f"{reference.path} is missing, but its index {reference.path + suffix} is there, so a new table would lose "
            f"the entries of the index; write the source again (postmap -s {reference}) or remove the index"
        )


def _removals(
    postfix: Postfix, reference: TableReference, state: str, found: TableEdit, options: TableOptions
) -> tuple[int, int]:
    """How many entries of how many go, for max_removals. An index that is not the source's may have more to lose."""
    removed, total = len(found.removed), found.old_total
    if options.max_removals in (None, "") or state != STALE:
        return removed, total
    live = postfix.dump(str(reference)).out.count("\n")
    return max(removed, live - found.total), max(total, live)


def _check_removals(reference: TableReference, removed: int, total: int, limit: str | None) -> None:
    if limit in (None, ""):
        return
    text = str(limit).strip()
    if removed > read_limit(text).allowed(total):
        raise Refused(
            f"{reference.path}: {removed} of {total} entries would be removed, more than max_removals ({text}) allows; "
            "check that the list is complete, or raise max_removals"
        )


def _check_keys(new: Mapping[str, str], suffix: str, settings: Settings) -> None:
    # A character has up to four bytes; a million keys are not looked at one by one for nothing.
    if suffix == ".lmdb" and max(map(len, new), default=0) * 4 > LMDB_KEY_BYTES:
        for key in new:
            if len(encode(key)) > LMDB_KEY_BYTES:
                raise InvalidInput(
                    f'"{key}" is longer than {LMDB_KEY_BYTES} bytes, the most that an lmdb table takes as a key; '
                    "use another type or a shorter key"
                )
    if settings.version and not supports(settings.version, "quoted_keys"):
        for key in new:
            if '"' in key and any(character.isspace() for character in key):
                raise InvalidInput(
                    f"{key} contains quoted white space, which keys can't have before Postfix "
                    f"{first_release('quoted_keys')}; remove it"
                )


def _files(
    reference: TableReference, suffix: str, content: bytes, options: TableOptions, utf8: bool
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
    _refuse_linked(changes)
    files = Files(
        type=reference.type,
        path=reference.path,
        index=index,
        content=content,
        source_metadata=for_source,
        index_metadata=for_index if index else None,
        utf8=utf8,
        set_metadata=bool(changes),
        backup=options.backup,
    )
    return files, changes


def _refuse_linked(changes: Sequence[MetadataChange]) -> None:
    """Raises Refused if a file that would be given away is named by a symbolic link: it may be any file of the host."""
    for change in changes:
        if os.path.islink(change.path):
            raise Refused(
                f"{change.path}: is a symbolic link to {os.path.realpath(change.path)}, whose owner, group or mode "
                "would change; give the path of that file, or leave out owner, group and mode"
            )


def _first_of_many(warnings: list[str]) -> list[str]:
    more = len(warnings) - WARNINGS
    return warnings if more <= 0 else [*warnings[:WARNINGS], f"... and {more} more warnings"]
