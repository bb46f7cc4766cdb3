# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a filter, milter or policy service takes a connection. Nothing is said to it."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import stat

ENDPOINT_SECONDS = 2.0


def answer_of(endpoint: str, user: str) -> str:
    """Why `inet:host:port`, `unix:/path` or `program:/path` can't be used by this user; "" where it can."""
    kind, _colon, place = endpoint.partition(":")
    if kind == "program":
        return "" if os.access(place, os.X_OK) else f"{place} is not there, or is no program"
    return _refusal(endpoint, user)


def why_silent(endpoint: str, directory: str) -> str:
    """Why nobody takes a connection at `unix:path` or `inet:host:port`, "" if somebody does.

    A path that does not start with / is one below `directory`.
    """
    kind, _colon, place = endpoint.partition(":")
    return _refusal(f"unix:{os.path.join(directory, place)}" if kind == "unix" else endpoint)


def _refusal(endpoint: str, user: str = "") -> str:
    """Why `unix:/path` or `inet:host:port` takes no connection, of this user's if one is given; "" if it does."""
    kind, _colon, place = endpoint.partition(":")
    try:
        if kind == "unix":
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
                link.settimeout(ENDPOINT_SECONDS)
                link.connect(place)
            if user and not _may_write(place, user):
                return f"{user} may not write to it"
        else:
            host, _colon, port = place.rpartition(":")
            number = int(port) if port.isdigit() else socket.getservbyname(port, "tcp")
            socket.create_connection((host.strip("[]") or "localhost", number), ENDPOINT_SECONDS).close()
    except (OSError, UnicodeError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    return ""


def _may_write(path: str, user: str) -> bool:
    """Whether the mode of a socket lets this user connect, whom this process, which root runs, is not."""
    try:
        owner = pwd.getpwnam(user)
    except KeyError:
        return True
    seen = os.stat(path)
    groups = {owner.pw_gid, *(group.gr_gid for group in grp.getgrall() if user in group.gr_mem)}
    if seen.st_uid == owner.pw_uid:
        return bool(seen.st_mode & stat.S_IWUSR)
    if seen.st_gid in groups:
        return bool(seen.st_mode & stat.S_IWGRP)
    return bool(seen.st_mode & stat.S_IWOTH)
