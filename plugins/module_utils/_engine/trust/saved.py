# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of a mail host were before a change, until it is known that the change is a good one.

It is a directory `.mxrelay-trust` in the configuration directory, open to nobody but root. One that a run which was cut
off has left behind is replaced by the next.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.edit_lock import edit_lock
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    Metadata,
    metadata_of,
    read_file,
    reason,
    replace_file,
    write_new_file,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

DIRECTORY = ".mxrelay-trust"
_WRITTEN = "written.json"
_NEW_FILE = Metadata(0, 0, 0o644)


def saved_directory(postfix: Postfix) -> str:
    """Where the files are kept."""
    return os.path.join(postfix.config_directory, DIRECTORY)


def save(postfix: Postfix, paths: Sequence[str]) -> None:
    """Copies the files. Raises HostError; then nothing was changed."""
    directory = saved_directory(postfix)
    refuse_open_place(os.path.join(directory, _WRITTEN))
    try:
        discard(postfix)
        os.mkdir(directory, 0o700)
        for path in paths:
            content = read_file(path)
            if content is not None:
                write_new_file(os.path.join(directory, os.path.basename(path)), content)
    except OSError as error:
        raise HostError(f"{directory}: {reason(error)}; nothing was changed") from error


def note_written(postfix: Postfix, paths: Sequence[str]) -> None:
    """Keeps in mind what the files hold after the change, so that what others write later is told from it."""
    digests = {path: _digest(read_file(path)) for path in paths}
    write_new_file(os.path.join(saved_directory(postfix), _WRITTEN), json.dumps(digests).encode())


def put_back(postfix: Postfix, paths: Sequence[str]) -> list[str]:
    """Gives the files their bytes back, unless others have changed some since: then it returns those, and does nothing.

    Raises HostError.
    """
    directory = saved_directory(postfix)
    if not os.path.isdir(directory):
        raise HostError(f"{directory} no longer has the files from before this run; run trust_mx with state absent")
    refuse_open_place(os.path.join(directory, _WRITTEN))
    written = _written(directory)
    touched = [path for path in paths if path in written and written[path] != _digest(read_file(path))]
    for path in paths if not touched else ():
        before = read_file(os.path.join(directory, os.path.basename(path)))
        with edit_lock(path):
            if before is None:
                remove_file(path)
            elif read_file(path) != before:
                put_file(path, before)
    return touched


def _written(directory: str) -> Mapping[str, str]:
    content = read_file(os.path.join(directory, _WRITTEN))
    found: Mapping[str, str] = json.loads(content) if content else {}
    return found


def discard(postfix: Postfix) -> None:
    """Removes the copies, if there are any. Raises OSError."""
    directory = saved_directory(postfix)
    if os.path.lexists(directory):
        shutil.rmtree(directory)


def put_file(path: str, content: bytes) -> None:
    """Writes the file in one step, with the metadata that it has; a new one is root's, and everybody may read it.

    Raises HostError.
    """
    try:
        metadata = metadata_of(path) if os.path.exists(path) else _NEW_FILE
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}") from error
    replace_file(path, content, metadata)


def remove_file(path: str) -> None:
    """Removes the file if it is there. Raises HostError."""
    try:
        if os.path.lexists(path):
            os.unlink(path)
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}; remove it") from error


def _digest(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()
