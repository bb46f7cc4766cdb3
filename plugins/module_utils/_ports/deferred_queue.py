# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When Postfix tries mail again: the queue manager notes it as the time of change of a file in the deferred queue."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice

# So many files are looked at, which takes well under a second.
FILES_AT_MOST = 20000


def due_times(queue_directory: str, at_most: int = FILES_AT_MOST) -> dict[str, float]:
    """When messages are due, by queue id. Those whose file is gone, or can't be seen, are left out."""
    found = {}
    for entry in islice(_files(os.path.join(queue_directory, "deferred")), at_most):
        try:
            found[entry.name] = entry.stat(follow_symlinks=False).st_mtime
        except OSError:
            continue
    return found


def _files(directory: str) -> Iterator[os.DirEntry[str]]:
    """The files of a queue, which Postfix spreads over subdirectories by hash_queue_depth."""
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        else:
            yield entry
