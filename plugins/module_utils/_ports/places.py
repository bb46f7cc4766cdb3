# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether root alone decides what a path leads to.

Whoever can write to a directory can put a link in the place of what root is about to write, give away or remove there,
and so make root change any file of the host. What is seen here stays so: nobody but root could change it.
"""

from __future__ import annotations

import os
import pwd
import stat

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import reason

# As many as Linux follows.
_MOST_LINKS = 40


def refuse_open_place(path: str) -> None:
    """Raises HostError if others than root and this user can change what `path`, an absolute one, leads to.

    Links are followed as the system does, and each directory on the way is looked at. What is not there is no error.
    """
    directory, names, links = "/", _parts(path), 0
    while names:
        last = len(names) == 1
        _refuse_directory(path, directory, last)
        place = os.path.join(directory, names.pop(0))
        try:
            status = os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise HostError(f"{place}: {reason(error)}") from error
        if not last and _shared(directory) and not _trusted(status):
            raise _refusal(path, f"{place} belongs to {_name(status.st_uid)}", f"chown root {place}")
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise HostError(f"{path}: too many symbolic links; correct them")
            target = os.readlink(place)
            names = _parts(target) + names
            directory = "/" if target.startswith("/") else directory
        else:
            directory = os.path.normpath(place)


def refuse_open_scratch(directory: str) -> None:
    """Raises HostError unless what this user makes in the directory is safe there: it is sticky, or no others write."""
    _refuse_directory(directory, directory, False)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _trusted(status: os.stat_result) -> bool:
    return status.st_uid in (0, os.geteuid())


def _shared(directory: str) -> bool:
    """Whether others may put things beside ours, but not replace ours, as in /tmp."""
    return bool(os.stat(directory).st_mode & stat.S_ISVTX)


def _refuse_directory(path: str, directory: str, holds_it: bool) -> None:
    """Raises HostError if others can replace what is in the directory; in the one that `holds_it`, add to it."""
    status = os.stat(directory)
    if not stat.S_ISDIR(status.st_mode):
        return
    if not _trusted(status):
        raise _refusal(path, f"{directory} belongs to {_name(status.st_uid)}", f"chown root {directory}")
    # An ACL that lets somebody write shows in the bits of the group.
    writers = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if writers and (holds_it or not status.st_mode & stat.S_ISVTX):
        who = "everybody" if writers & stat.S_IWOTH else "its group"
        raise _refusal(path, f"{directory} can be written to by {who}", f"chmod go-w {directory}")


def _refusal(path: str, cause: str, remedy: str) -> HostError:
    return HostError(
        f"{path}: {cause}, who could make root change other files there; "
        f"let root alone write to it ({remedy}), or use another directory"
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
