# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that others read, in a directory that need not be root's own, such as that of a collector of metrics.

Whoever owns the directory can put a link in the place of the file; it is replaced then, and never followed.
"""

from __future__ import annotations

import os

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    Metadata,
    open_regular,
    put_by_way_of,
    reason,
)

MODE = 0o644
MOST_BYTES = 64 << 20


def put_exposed_file(path: str, content: bytes) -> None:
    """Puts `content` at `path` in one step; a reader sees the old file or the new one. One run at a time does it.

    Raises HostError, the old file untouched.
    """
    directory, name = os.path.split(path)
    scratch = os.path.join(directory, f".{name}.mxrelay")
    try:
        put_by_way_of(scratch, path, content, Metadata(os.geteuid(), os.getegid(), MODE))
    except OSError as error:
        raise HostError(f"{path}: can't be replaced: {reason(error)}; the old file stays") from error


def exposed_text(path: str) -> str:
    """What the file says, "" if it can't be read or is a link."""
    try:
        with os.fdopen(open_regular(path, os.O_NOFOLLOW), "rb") as stream:
            return stream.read(MOST_BYTES).decode("utf-8", "replace")
    except (OSError, HostError):
        return ""
