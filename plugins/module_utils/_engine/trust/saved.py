# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of a mail host were before a change, until it is known that the change is a good one.

They are in the record of the run, as those of an MX role are: there is one run at a time. See _engine/mx/record.py.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import RunRecord, files_before, rewrite
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.edit_lock import edit_lock
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    Metadata,
    metadata_of,
    read_file,
    reason,
    remove_file,
    replace_file,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

_NEW_FILE = Metadata(0, 0, 0o644)


def note_written(postfix: Postfix, record: RunRecord) -> None:
    """Keeps in mind what the files hold after the change, so that what others write later is told from it.

    Raises HostError.
    """
    rewrite(postfix, replace(record, written={path: _digest(read_file(path)) for path in record.copies}))


def put_back(postfix: Postfix, record: RunRecord) -> list[str]:
    """Gives the files their bytes back, unless others have changed some since: then it returns those, and does nothing.

    Raises HostError.
    """
    touched = [path for path, digest in record.written.items() if digest != _digest(read_file(path))]
    for path, before in files_before(postfix, record).items() if not touched else ():
        with edit_lock(path):
            if before is None:
                remove_file(path)
            elif read_file(path) != before:
                put_file(path, before)
    return touched


def put_file(path: str, content: bytes) -> None:
    """Writes the file in one step, with the metadata that it has; a new one is root's, and everybody may read it.

    Raises HostError.
    """
    try:
        metadata = metadata_of(path) if os.path.exists(path) else _NEW_FILE
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}") from error
    replace_file(path, content, metadata)


def _digest(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()
