# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file system has free for those who are not root, as Postfix looks at it."""

from __future__ import annotations

import os

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import QueueSpace


def free_space(directory: str) -> QueueSpace | None:
    """What there is for files in the directory; None if it is not there."""
    try:
        found = os.statvfs(directory)
    except OSError:
        return None
    # Some file systems make inodes as they are needed, and say that there are none.
    return QueueSpace(directory, found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None)
