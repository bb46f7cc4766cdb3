# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What files of a host tell about its mail: when tables were written, who can read them, what the chroot sees."""

from __future__ import annotations

import os
import pwd
import stat

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file

# What a daemon of Postfix in its chroot needs to find another host. See BASIC_CONFIGURATION_README, chroot.
_COPIES = ("etc/resolv.conf", "etc/hosts", "etc/nsswitch.conf", "etc/services")
_SUFFIXES = (".db", ".lmdb", ".cdb", ".pag", "")


def written(path: str) -> int | None:
    """When the file was written, in seconds of the clock; None where it is not there."""
    try:
        return int(os.stat(path).st_mtime)
    except OSError:
        return None


def stale_copies(state: HostState, root: str = "/") -> list[str]:
    """The files in the chroot of the delivery agents that are not as the system's, where they run in it."""
    queue = state.value("queue_directory")
    sending = [
        service for service in state.services if service.type == "unix" and service.command.split()[:1] == ["smtp"]
    ]
    if not os.path.isdir(queue) or not any(service.chroot == "y" for service in sending):
        return []
    found = []
    for name in _COPIES:
        system, copy = os.path.join(root, name), os.path.join(queue, name)
        if os.path.exists(system) and read_file(system) != read_file(copy):
            found.append(copy)
    return found


def shut_out(path: str, state: HostState) -> str:
    """The mail owner, where the mode of a table that he opens for others keeps him out; "" where he can read it."""
    name = state.value("mail_owner") or "postfix"
    opened = next((path + suffix for suffix in _SUFFIXES if os.path.exists(path + suffix)), "")
    try:
        owner = pwd.getpwnam(name)
        seen = os.stat(opened)
    except (KeyError, OSError):
        return ""
    if seen.st_uid == owner.pw_uid:
        allowed = seen.st_mode & stat.S_IRUSR
    elif seen.st_gid == owner.pw_gid:
        allowed = seen.st_mode & stat.S_IRGRP
    else:
        allowed = seen.st_mode & stat.S_IROTH
    return "" if allowed else name
