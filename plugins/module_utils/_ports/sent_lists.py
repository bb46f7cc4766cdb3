# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of addresses in the temporary folder of the user whom the controller logs in as, on their way to or from it.

Nothing of a list stays there: the module takes it up before anything else, or the controller fetches it, and the
modules remove those of runs that were killed between the two.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    Metadata,
    open_regular,
    read_stream,
    reason,
    write_new_file,
)

# A list that nothing was written to for so long has no run that is about to read it.
SECONDS_TO_LIVE = 600
_NAME = re.compile(r"recipients-[0-9a-f]{64}\Z")
_FOLDER = "ansible-tmp-"
# What reads each list, by the path at which it was.
SentLists = Mapping[str, Callable[[], bytes]]
# Who logged in, as sudo(8) and doas(1) tell it to what they run.
_LOGINS = ("SUDO_USER", "DOAS_USER")


def take_up(path: str) -> Callable[[], bytes]:
    """What reads the list at that path, which is gone then. Raises InvalidInput if it is not there, or HostError.

    A long list is in memory only while its addresses are made of it.
    """
    try:
        stream = os.fdopen(open_regular(path), "rb")
    except FileNotFoundError:
        raise InvalidInput(f"{path} (recipients_file) is not on the host; run again") from None
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}") from error
    with suppress(OSError):
        os.unlink(path)
    return partial(read_stream, stream, path)


def leave_list(path: str, content: bytes) -> None:
    """Puts a list at the path, for nobody but whoever the folder belongs to. Raises HostError."""
    try:
        owner = os.stat(os.path.dirname(path))
        write_new_file(path, content, Metadata(owner.st_uid, owner.st_gid, 0o600), sync=False)
    except OSError as error:
        raise HostError(f"{path}: the list can't be left for the controller: {reason(error)}") from error


def remove_abandoned(remote_tmp: str) -> None:
    """Removes what killed runs have left in the folder, whose leading ~ is the home of whoever logged in."""
    for folder in _folders(remote_tmp):
        for path in _old_lists(folder):
            with suppress(OSError):
                os.unlink(path)
                os.rmdir(os.path.dirname(path))


def _folders(remote_tmp: str) -> list[str]:
    if not remote_tmp.startswith("~/"):
        return [remote_tmp]
    users = [os.environ.get(name, "") for name in _LOGINS]
    return list(dict.fromkeys(os.path.expanduser(f"~{user}{remote_tmp[1:]}") for user in [*users, ""]))


def _old_lists(folder: str) -> Iterator[str]:
    for place in _entries(folder):
        if place.name.startswith(_FOLDER) and place.is_dir(follow_symlinks=False):
            for entry in _entries(place.path):
                if _NAME.match(entry.name) and _is_old(entry):
                    yield entry.path


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _is_old(entry: os.DirEntry[str]) -> bool:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and time.time() - status.st_mtime > SECONDS_TO_LIVE
