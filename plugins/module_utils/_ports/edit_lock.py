# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock that Postfix's own editors of main.cf and master.cf honour: edit_file(3), `postconf -e`."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import reason

SUFFIX = ".tmp"
LOCK_SECONDS = 60.0
LOCK_POLL_SECONDS = 0.02


@contextmanager
def edit_lock(path: str, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Holds `path`.tmp locked, so that neither `postconf -e` nor another run of ours changes `path` meanwhile.

    The file is removed before the lock is given up, which tells who waited for it to begin anew, as edit_file(3) does.
    Raises HostError if the lock can't be had within `seconds`, or the file can't be made.
    """
    name = path + SUFFIX
    deadline = time.monotonic() + seconds
    while True:
        descriptor = _open(name)
        try:
            if _try_locks(descriptor) and _is_named(descriptor, name):
                try:
                    yield
                finally:
                    with suppress(FileNotFoundError):
                        os.unlink(name)
                return
        finally:
            os.close(descriptor)
        if time.monotonic() >= deadline:
            raise HostError(
                f"{name}: another program has been editing {path} for more than {seconds:g} s; "
                "try again when it has finished"
            )
        time.sleep(LOCK_POLL_SECONDS)


def _open(name: str) -> int:
    try:
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HostError(f"{name}: {reason(error)}") from error


def _try_locks(descriptor: int) -> bool:
    """Takes both kinds of lock, since it depends on the system which one Postfix was built to use."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _is_named(descriptor: int, name: str) -> bool:
    """Whether the locked file still has that name: its last owner renamed or removed it."""
    mine = os.fstat(descriptor)
    try:
        named = os.stat(name)
    except FileNotFoundError:
        return False
    return (mine.st_dev, mine.st_ino) == (named.st_dev, named.st_ino)
