# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replacing the files of a table in an order in which every lookup finds the old table or the new one.

postmap truncates a live index before it fills it, and lmdb's postmap says nothing of a full disk, so the index is
built in a private directory beside the live one, read back, and renamed into place before the source is. If no index
worked before, it is renamed after the source, so a killed run leaves none. The record goes first: until both renames
are done its digests match nothing, and it tells the next run of an owed reload.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.build_cache import with_cache
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.changed_copy import (
    ChangedRows,
    changed_copy,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import (
    Record,
    file_digest,
    read_back,
    read_record,
    record_path,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import last_words, unusable
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import ReadBack, Rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.task_name import digest_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    Metadata,
    metadata_of,
    read_file,
    reason,
    sync_directory,
    write_new_file,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

# An index of these types is built in a fraction of the time from a source in the order of the keys, and listed in it.
_BUILT_IN_KEY_ORDER = ("btree", "lmdb")
SCRATCH_PREFIX = ".mxrelay-table-"


@dataclass(frozen=True)
class Files:
    """The files of one table as they are to be. `index` is empty for a type without index."""

    type: str
    path: str
    index: str
    content: bytes
    source_metadata: Metadata | None
    index_metadata: Metadata | None
    utf8: bool = False
    set_metadata: bool = False
    backup: bool = False
    requests: tuple[str, ...] = ()
    total: int = 0

    def record(self, source: str, index: str, reload: bool, copies: int) -> Record:
        """The record of these files with these digests."""
        return Record(self.type, self.utf8, source, index, reload, self.requests, self.total, copies)


def put_in_place(
    postfix: Postfix,
    files: Files,
    expected: Callable[[], Rows],
    write_source: bool,
    write_index: bool,
    reload: bool,
    leftovers: list[str],
    old_indexes: list[str],
    changed: ChangedRows | None = None,
) -> str | None:
    """Carries out one change under the lock of the caller; returns the path of the backup, if one was asked for.

    `expected` is what the index must hold, and `changed` what tells that from the live one, if it is little and the
    live one known; `leftovers` are removed before it is built, `old_indexes` once it is there.
    Raises HostError; unless the message says so, the table is as it was.
    """
    try:
        for leftover in leftovers:
            shutil.rmtree(leftover)
        with _backed_up(files.path, wanted=write_source and files.backup) as backup:
            if write_source or write_index:
                _replace(postfix, files, expected, write_source, write_index, reload, changed)
            if files.set_metadata:
                _set_metadata(files)
            for old in old_indexes:
                os.unlink(old)
    except OSError as error:
        at = f" ({error.filename})" if error.filename else ""
        raise HostError(f"{files.path}: can't be changed: {reason(error)}{at}; the table is as it was") from error
    if reload:
        _reload(postfix, files)
    return backup


def _replace(
    postfix: Postfix,
    files: Files,
    expected: Callable[[], Rows],
    write_source: bool,
    write_index: bool,
    reload: bool,
    changed: ChangedRows | None,
) -> None:
    source = os.path.realpath(files.path)
    index = os.path.realpath(files.index) if files.index else ""
    with ExitStack() as stack:
        # The record is beside the path; source and index are where that leads, on other file systems perhaps.
        beside = os.path.realpath(os.path.dirname(files.path))
        directories = dict.fromkeys([*(os.path.dirname(path) for path in (index, source) if path), beside])
        stages = {directory: stack.enter_context(_stage(directory)) for directory in directories}
        name = os.path.basename(files.path)
        new_source = os.path.join(stages[os.path.dirname(source)], f"{name}.source")
        if write_source:
            # Before the index, since Postfix warns for ever of an index that is older than its source.
            write_new_file(new_source, files.content, files.source_metadata)
        built = os.path.join(stages[os.path.dirname(index or source)], name)
        new_index, copies = _next_index(postfix, files, built, expected, changed) if write_index else ("", 0)
        if files.type == "texthash":
            write_new_file(built, files.content, sync=False)
            _require(postfix, f"texthash:{built}", ReadBack(expected()), files)
        live = (file_digest(new_index or files.index) or "") if files.index else ""
        record = files.record(digest_of(files.content), live, reload, copies)
        if files.index or reload:
            new_record = os.path.join(stages[beside], f"{name}.record")
            write_new_file(new_record, record.render())
            os.replace(new_record, record_path(files.path))
        moves = [(new_index, index)] * write_index + [(new_source, source)] * write_source
        # If a reload is owed, the index was missing or of no use: if this run is killed now, it has to be so still.
        for new, target in reversed(moves) if reload else moves:
            os.replace(new, target)
        for directory in stages:
            sync_directory(directory)


@contextmanager
def _stage(directory: str) -> Iterator[str]:
    """A directory of our own, on the file system of the target and open to nobody else."""
    path = tempfile.mkdtemp(prefix=SCRATCH_PREFIX, dir=directory)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def _next_index(
    postfix: Postfix, files: Files, built: str, expected: Callable[[], Rows], changed: ChangedRows | None
) -> tuple[str, int]:
    """Makes the index of the table that is `built` in the stage; returns its path, and how many copies it is from one
    that was built."""
    new_index = built + files.index[len(files.path) :]
    copies = 0
    if changed is not None and changed_copy(postfix, f"{files.type}:{built}", files.index, new_index, changed):
        copies = changed.copies + 1
    else:
        rows = expected()
        if files.type in _BUILT_IN_KEY_ORDER and rows.is_source:
            rows = rows.in_key_order()
        write_new_file(built, rows.text if rows.is_source else files.content, sync=False)
        _build(postfix, files, built, ReadBack(rows))
    if files.index_metadata is not None:
        files.index_metadata.apply(new_index)
    descriptor = os.open(new_index, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return new_index, copies


def _build(postfix: Postfix, files: Files, built: str, found: ReadBack) -> None:
    """Builds the index of the source `built`, which then reads back exactly what is expected."""
    table = f"{files.type}:{built}"
    builder = with_cache(postfix, files.index, len(files.content), os.path.dirname(built))
    with ThreadPoolExecutor(max_workers=1) as pool:
        building = pool.submit(builder.build, table)
        if files.type == "hash":
            found.expect_any_order()
        result = building.result()
    if result.rc != 0:
        words = last_words(result.err) or f"it ended with code {result.rc}"
        raise HostError(f"{files.path}: postmap failed: {words}; the table is as it was")
    new_index = built + files.index[len(files.path) :]
    if not os.path.exists(new_index):
        raise unusable(files.type, f"error: postmap made no {os.path.basename(new_index)}")
    _require(postfix, table, found, files)


def _require(postfix: Postfix, table: str, found: ReadBack, files: Files) -> None:
    read = read_back(postfix, table, found)
    if read is not None and read.equal:
        return
    if read is None:
        problem = "can't be read back"
    else:
        problem = f"does not match the source ({read.count} rows read, {found.expected.count} expected)"
    raise HostError(
        f"{files.path}: the index that postmap built {problem}; the table is as it was. "
        "Check the free space of the file system and the warnings of this run"
    )


def _set_metadata(files: Files) -> None:
    for path, metadata in ((files.path, files.source_metadata), (files.index, files.index_metadata)):
        if path and metadata is not None and os.path.exists(path):
            metadata.apply(path)


def _reload(postfix: Postfix, files: Files) -> None:
    """Tells the daemons, then settles the record; if this run is killed before, the next one does it."""
    try:
        postfix.reload()
    except HostError as error:
        raise HostError(
            f"{error.message}; {files.path} is in place, but daemons may not see it: correct this and run again"
        ) from error
    path = record_path(files.path)
    if not files.index:
        if os.path.exists(path):
            os.unlink(path)
        return
    owed = read_record(files.path)
    if owed is not None:
        try:
            write_record(files.path, replace(owed, reload=False))
        except OSError as error:
            raise HostError(
                f"{path}: {reason(error)}; {files.path} is in place and daemons see it: correct this and run again"
            ) from error


def write_record(table: str, record: Record) -> None:
    """Puts the record of the table at that path in place. The caller holds the lock of its directory."""
    path = record_path(table)
    with _stage(os.path.dirname(path)) as stage:
        new = os.path.join(stage, "record")
        write_new_file(new, record.render())
        os.replace(new, path)


@contextmanager
def _backed_up(path: str, wanted: bool) -> Iterator[str | None]:
    """Copies the source, if there is one, and gives the copy's path; one that a failed change leaves useless goes.

    A hard link would keep daemons from noticing that the file was replaced.
    """
    content = read_file(path) if wanted else None
    if content is None:
        yield None
        return
    backup = f"{path}.{os.getpid()}.{time.strftime('%Y-%m-%d@%H:%M:%S')}~"
    try:
        write_new_file(backup, content, metadata_of(path))
        yield backup
    except BaseException:
        if os.path.exists(backup) and read_file(path) == content:
            os.unlink(backup)
        raise
