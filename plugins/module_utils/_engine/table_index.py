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
from dataclasses import asdict, dataclass
from typing import Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.table_reference import TableReference
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

CURRENT = "current"
MISSING = "missing"
STALE = "stale"
UNREADABLE = "unreadable"
NO_INDEX = "none"


@dataclass(frozen=True)
class Record:
    """What was last seen equal: digests of both files (no index: the empty string) and how keys were folded.

    `reload` says that daemons which saw the table missing still have to be told.
    """

    type: str
    utf8: bool
    source: str
    index: str
    reload: bool = False

    def render(self) -> bytes:
        return (json.dumps(asdict(self), sort_keys=True) + "\n").encode()


def record_path(path: str) -> str:
    directory, name = os.path.split(path)
    return os.path.join(directory, f".{name}.mxrelay")


def read_record(path: str) -> Record | None:
    """The record of the table at `path`; None unless it is a plain file that only this user can have written."""
    try:
        descriptor = os.open(record_path(path), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) != 0o600:
            return None
        try:
            return Record(**json.loads(stream.read()))
        except (TypeError, ValueError):
            return None


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file_digest(path: str) -> str | None:
    """The digest of a file, read in pieces; None where it is not there or can't be read."""
    found = hashlib.sha256()
    try:
        with open(path, "rb") as stream:
            for piece in iter(lambda: stream.read(1 << 20), b""):
                found.update(piece)
    except OSError:
        return None
    return found.hexdigest()


def content_state(postfix: Postfix, reference: TableReference, index: str, expected: Mapping[str, str]) -> str:
    """Compares what postmap reads from the live index with what the source says."""
    if not os.path.exists(index):
        return MISSING
    rows = dumped(postfix, str(reference))
    if rows is None:
        return UNREADABLE
    return CURRENT if rows == rows_of(expected) else STALE


def dumped(postfix: Postfix, table: str) -> list[str] | None:
    """The rows `key<TAB>value` of a table, sorted; None where postmap can't read it."""
    result = postfix.dump(table)
    if result.rc != 0:
        return None
    rows = result.out.split("\n")
    if rows[-1] == "":
        rows.pop()
    return sorted(rows)


def rows_of(mapping: Mapping[str, str]) -> list[str]:
    return sorted(f"{key}\t{value}" for key, value in mapping.items())
