# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a table is that main.cf names: one that another program writes would lose our rows with its next change."""

from __future__ import annotations

import os
import pwd
import stat
from typing import Container, Iterator

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def not_ours(path: str, config_directory: str, owners: Container[int] | None = None) -> str:
    """Why the file is somebody else's to write, "" if it is ours.

    Ours is what one of the owners (by default root, and who runs this) has in the configuration directory, or below it
    where nobody else can write.
    """
    top, real = os.path.realpath(config_directory), os.path.realpath(path)
    if os.path.commonpath((top, real)) != top:
        return f"it is outside {config_directory}"
    return next(_foreign_parts(top, real, owners or (0, os.geteuid())), "")


def _foreign_parts(top: str, real: str, owners: Container[int]) -> Iterator[str]:
    """Why the file, or a folder between it and the configuration directory, is somebody else's."""
    place = real
    while place != top:
        status = os.stat(place) if os.path.exists(place) else None
        if status and status.st_uid not in owners:
            yield f"{place} belongs to {_user(status.st_uid)}"
        if status and stat.S_ISDIR(status.st_mode) and status.st_mode & _OTHERS_WRITE:
            yield f"others can write in {place}"
        place = os.path.dirname(place)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user {uid}"
