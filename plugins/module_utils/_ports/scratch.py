# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories to try things in: a table of a type, the configuration that is to be."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_scratch

_PREFIX = "mxrelay-probe-"


@contextmanager
def scratch_directory() -> Iterator[str]:
    """A directory of this user alone, which goes with what is in it. Raises HostError if there is no room.

    It is locked while it is in use, so one that a killed run left behind can be told from one in use.
    """
    top = tempfile.gettempdir()
    try:
        refuse_open_scratch(top)
        with os.scandir(top) as entries:
            found = [entry.path for entry in entries if entry.name.startswith(_PREFIX)]
        for path in found:
            _remove_unused(path)
        with ExitStack() as stack:
            directory, lock = _new_scratch()
            stack.callback(os.close, lock)
            stack.callback(shutil.rmtree, directory)
            yield directory
    except OSError as error:
        raise HostError(f"{top}: a scratch directory can't be made: {error.strerror}; nothing was changed") from error


def _new_scratch() -> tuple[str, int]:
    """A new scratch directory, and the descriptor that holds its lock."""
    while True:
        directory = tempfile.mkdtemp(prefix=_PREFIX)
        try:
            lock = _open_locked(directory)
        except (FileNotFoundError, BlockingIOError):
            continue  # another run took it for one that was left behind, before it was locked
        if os.path.isdir(directory):
            return directory, lock
        os.close(lock)


def _remove_unused(path: str) -> None:
    """Removes a scratch directory of this user that no run has locked; anybody else's is left alone."""
    try:
        if os.lstat(path).st_uid != os.geteuid():
            return
        lock = _open_locked(path)
    except OSError:
        return
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def _open_locked(directory: str) -> int:
    """A descriptor that holds the lock of the directory. Raises OSError if it can't be had at once."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
