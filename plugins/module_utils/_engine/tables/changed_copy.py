# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The next index, made by changing rows in a copy of the live one: a moment, where a build takes seconds.

The copy is taken of an index that is known to hold what its source says, and must have that one's digest. Whatever
postmap then says but that all went well, the copy is given up, and the index is built.

Of the next index only the changed rows are read. To list it whole takes longer than all else, and shows nothing more:
where postmap fails on a full disk, it says so or the changed rows are not there. Should there be another way for an
index to be spoiled, it does not last: each hundredth is built, and read back whole.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import asked, file_digest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import NoAnswer
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import rows_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import encode, entry_line
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

# How many rows of a table postmap builds and reads back while it changes one in it. lmdb commits each by itself, and a
# cdb table takes no changes.
_ROWS_MEANWHILE = {".db": 10, ".lmdb": 2_000}
MOST_COPIES = 99
# What a slow host takes to build an index: so many seconds, and one more for so many bytes. On a disk where what lmdb
# commits takes longer than was thought, a build is faster.
_SECONDS = 10
_BYTES_A_SECOND = 4 << 20


@dataclass(frozen=True)
class ChangedRows:
    """What is to change in the index with this digest: the entries to set, and the keys to remove, both folded.

    `copies` is how many times it was made in this way since it was built. `kept` is an entry that stays.
    """

    digest: str
    set: Mapping[str, str]
    remove: Sequence[str]
    copies: int = 0
    kept: tuple[str, str] = ("", "")

    def fit(self, suffix: str, total: int) -> bool:
        """Whether a copy of an index of that suffix and of so many rows is to be changed.

        That is if it takes less time than a build, and the index has not been copied too often.
        """
        each = _ROWS_MEANWHILE.get(suffix, 0)
        few = each > 0 and each * (len(self.set) + len(self.remove)) <= total
        return few and self.copies < MOST_COPIES


def changed_copy(postfix: Postfix, table: str, index: str, new_index: str, rows: ChangedRows) -> bool:
    """Makes `new_index`, which `table` names, of the live index; False if that can't be done, and then it is not there.

    What the rows are that it has besides those that were changed is not looked at.
    """
    if _copied(index, new_index, rows.digest) and _changed(postfix, table, new_index, rows):
        return True
    with suppress(FileNotFoundError):
        os.unlink(new_index)
    return False


def _copied(index: str, new_index: str, digest: str) -> bool:
    """Whether the index was copied, and is the one with this digest. One that is built may need less room."""
    try:
        shutil.copyfile(index, new_index)
    except OSError:
        return False
    return file_digest(new_index) == digest


def seconds_for(length: int) -> float:
    """How long postmap may set rows in an index of so many bytes, and as long remove some, before it is given up."""
    return _SECONDS + length / _BYTES_A_SECOND


def _changed(postfix: Postfix, table: str, index: str, rows: ChangedRows) -> bool:
    """Whether postmap has made the changes in time, and finds them."""
    seconds = seconds_for(os.path.getsize(index))
    removed = _lines(rows.remove)
    wanted = {rows.kept[0]: rows.kept[1], **rows.set}
    try:
        if rows.set and postfix.insert(table, b"".join(entry_line(*row) for row in rows.set.items()), seconds).rc != 0:
            return False
        if rows.remove and postfix.delete(table, removed, seconds).rc != 0:
            return False
    except NoAnswer:
        return False
    # An index that others built may have keys without their final null. By the first that it finds a Postfix goes for
    # all of them, so one that was there is asked for first: what was written in another form is not found then.
    found = asked(postfix, table, _lines(wanted) + removed, rows_of(wanted))
    return found is not None and found.equal


def _lines(keys: Mapping[str, str] | Sequence[str]) -> bytes:
    return b"".join(encode(f"{key}\n") for key in keys)
