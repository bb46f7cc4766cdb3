# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a table is that main.cf names: one that another program writes would lose our rows with its next change."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Container, Iterator

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def not_ours(path: str, config_directory: str, owners: Container[int] | None = None) -> str:
    """Why the file is somebody else's to write, "" if it is ours.

    Ours is what one of the owners (by default root, and who runs this) has in the configuration directory, or below it
    where nobody else can write. A link of theirs there may lead out of it, to a file of theirs in such a place.
    """
    top = os.path.realpath(config_directory)
    named = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    if os.path.commonpath((top, named)) != top:
        return f"it is outside {config_directory}"
    trusted = owners or (0, os.geteuid())
    places = [*_way(named, top), *_way(os.path.realpath(path), top)]
    return next((reason for place in dict.fromkeys(places) for reason in _foreign(place, trusted)), "")


def _way(path: str, top: str) -> Iterator[str]:
    """The file, and the folders above it, as far as the configuration directory, which is not one of them."""
    while path not in (top, "/"):
        yield path
        path = os.path.dirname(path)


def _foreign(place: str, owners: Container[int]) -> Iterator[str]:
    """Why the file or folder is somebody else's."""
    if not os.path.lexists(place):
        return
    status = os.lstat(place)
    if status.st_uid not in owners:
        yield f"{place} belongs to {_user(status.st_uid)}"
    if stat.S_ISDIR(status.st_mode) and status.st_mode & _OTHERS_WRITE and not status.st_mode & stat.S_ISVTX:
        yield f"others can write in {place}"


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user {uid}"
