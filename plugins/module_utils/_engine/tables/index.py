# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an index holds what its source says: by content, or by a record of both files' digests.

The record is one file beside the table, `.NAME.mxrelay`, readable by root alone. It says which bytes of source and
index were last seen equal and is worth nothing as soon as either file has other bytes; deleting it is harmless.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
from dataclasses import asdict, dataclass
from typing import Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import TableReference
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, NoAnswer
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.index_states import (
    CURRENT,
    MISSING,
    STALE,
    UNREADABLE,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.read_back import ReadBack, Rows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import encode
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import open_regular
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import SECONDS_TO_ANSWER, Postfix

# What postmap -s says of a type that it can look into but not list: cdb on Debian 11 and 12.
NO_LISTING = "sequence operation is not supported"
# postmap lists some 50 MB of rows a second. One that takes so much longer is in a circle of damaged pages.
_BYTES_A_SECOND = 1 << 20
# A record holds some digests and names; what is longer is none of ours.
_MOST_RECORD_BYTES = 1 << 20


@dataclass(frozen=True)
class Record:
    """What was last seen equal: digests of both files (no index: the empty string) and how keys were folded.

    `reload` says that daemons which saw the table missing still have to be told. `requests` are the names of those
    that find nothing to change in this source, the last one first, and `total` is how many entries it has. `copies` is
    how many times the index was made by changing a copy since it was built and read back whole.
    """

    type: str
    utf8: bool
    source: str
    index: str
    reload: bool = False
    requests: tuple[str, ...] = ()
    total: int = 0
    copies: int = 0

    def is_of(self, table_type: str, utf8: bool, source: str, index: str) -> bool:
        """Whether it speaks of a table of this type whose files have these digests."""
        return (self.type, self.utf8, self.source, self.index) == (table_type, utf8, source, index)

    def render(self) -> bytes:
        return (json.dumps(asdict(self), sort_keys=True) + "\n").encode()


def record_path(path: str) -> str:
    directory, name = os.path.split(path)
    return os.path.join(directory, f".{name}.mxrelay")


def read_record(path: str) -> Record | None:
    """The record of the table at `path`; None unless it is a plain file that only this user can have written."""
    try:
        descriptor = open_regular(record_path(path), os.O_NOFOLLOW)
    except (HostError, OSError):
        return None
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) != 0o600:
            return None
        try:
            fields = json.loads(stream.read(_MOST_RECORD_BYTES))
            return Record(**dict(fields, requests=tuple(fields.get("requests", ()))))
        except (AttributeError, TypeError, ValueError):
            return None


def file_digest(path: str) -> str | None:
    """The digest of a file (see digest_of), read in pieces; None if it is not there or can't be read."""
    found = hashlib.sha256()
    try:
        with os.fdopen(open_regular(path), "rb") as stream:
            for piece in iter(lambda: stream.read(1 << 20), b""):
                found.update(piece)
    except (HostError, OSError):
        return None
    return found.hexdigest()


def content_state(
    postfix: Postfix, reference: TableReference, index: str, expected: Callable[[], Rows], unseen: str
) -> str:
    """Compares what postmap reads from the live index with what the source says.

    `unseen` is the state of an index that has every entry of the source, where others in it can't be seen.
    """
    if not os.path.exists(index):
        return MISSING
    if not os.path.isfile(index):
        return UNREADABLE  # postmap would wait for who writes to a fifo
    read = read_back(postfix, str(reference), ReadBack(expected()))
    if read is None:
        return UNREADABLE
    if not read.equal:
        return STALE
    return CURRENT if read.whole else unseen


def read_back(postfix: Postfix, table: str, found: ReadBack) -> ReadBack | None:
    """The rows of a table held against those that `found` expects; None if postmap can't read it."""
    result = postfix.dump_to(table, found.take, SECONDS_TO_ANSWER + len(found.expected.text) / _BYTES_A_SECOND)
    if result.rc == 0:
        return found
    if NO_LISTING in result.err:
        return _counted(_every_key(postfix, table, found.expected), table.partition(":")[2] + ".cdb")
    return None if postfix.has("table_listing") else _every_key(postfix, table, found.expected)


def _every_key(postfix: Postfix, table: str, expected: Rows) -> ReadBack | None:
    """Like read_back, for a table that postmap can't list: it is asked for every expected key, and for no other."""
    keys = [row.partition(expected.separator)[0] for row in expected.text.split(b"\n")]
    return asked(postfix, table, b"\n".join(keys), expected)


def asked(postfix: Postfix, table: str, keys: bytes, expected: Rows) -> ReadBack | None:
    """What a table has of these keys, one a line, held against the rows that it is to have of them.

    None if postmap can't read it, or tells nothing for a while.
    """
    try:
        answer = postfix.ask(table, keys)
    except NoAnswer:
        return None
    if "fatal:" in answer.err:
        return None
    found = ReadBack(expected, whole=False)
    found.take(encode(answer.out))
    return found


def _counted(found: ReadBack | None, index: str) -> ReadBack | None:
    """That there is nothing besides is seen from the number of records, which a cdb index itself tells."""
    if found is not None:
        try:
            found.count, found.whole = cdb_records(index), True
        except (OSError, struct.error):
            return None
    return found


def cdb_records(path: str) -> int:
    """The number of records of a cdb file, whose head is 256 pairs of a hash table's place and its slots, two a record.

    Raises OSError, or struct.error if the file is shorter than that.
    """
    with open(path, "rb") as stream:
        places_and_slots: tuple[int, ...] = struct.unpack("<512I", stream.read(2048))
    return sum(places_and_slots[1::2]) // 2
