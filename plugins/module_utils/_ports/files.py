# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the host: atomic replacement that keeps metadata, and a lock on a directory."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError

LOCK_SECONDS = 60.0
LOCK_POLL_SECONDS = 0.05
# What ACLs and SELinux contexts are, on Linux. A context is set by the file system where we may not.
KEPT_ATTRIBUTES = ("system.posix_acl_access", "security.selinux")
_REMEDIES = {
    errno.EACCES: "run as root (become: true)",
    errno.EPERM: "run as root (become: true)",
    errno.ENOSPC: "make room on its file system",
    errno.EDQUOT: "make room on its file system",
    errno.EROFS: "mount its file system for writing",
}


@dataclass(frozen=True)
class Metadata:
    """Owner, group, permission bits, ACL and SELinux context of a file."""

    uid: int
    gid: int
    mode: int
    attributes: dict[str, bytes] = field(default_factory=dict)

    def apply(self, path: str) -> None:
        """Gives `path` this metadata. Raises HostError."""
        try:
            os.chown(path, self.uid, self.gid)
            for name, value in self.attributes.items():
                _set_attribute(path, name, value)
            # Last, since an ACL carries the permission bits that it was read with.
            os.chmod(path, self.mode)
        except OSError as error:
            raise HostError(f"{path}: owner, mode or attributes can't be set: {reason(error)}") from error


def reason(error: OSError) -> str:
    """Why the system refused, with the remedy if there is one."""
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{error.strerror}; {remedy}" if remedy else str(error.strerror)


def refuse_unwritable(*paths: str) -> None:
    """Raises HostError for a file that can't be made, replaced or removed, as far as that is seen without a try."""
    for path in paths:
        target = os.path.realpath(path)
        for place in (os.path.dirname(target), target):
            if os.path.exists(place) and not os.access(place, os.W_OK, effective_ids=True):
                raise HostError(f"{path}: can't be changed: {_why_unwritable(place)}")


def _why_unwritable(place: str) -> str:
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        return reason(OSError(errno.EROFS, f"{place} is on a file system that is read-only"))
    if os.geteuid() == 0:
        return f"{place} is immutable; run chattr -i {place}"
    return reason(OSError(errno.EACCES, f"{place} is not writable for this user"))


def metadata_of(path: str) -> Metadata:
    """The metadata of the file that `path` names, symbolic links followed. Raises OSError."""
    status = os.stat(path)
    attributes = {}
    for name in KEPT_ATTRIBUTES:
        try:
            attributes[name] = os.getxattr(path, name)
        except OSError as error:
            if error.errno not in (errno.ENODATA, errno.ENOTSUP):
                raise
    return Metadata(status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode), attributes)


def _set_attribute(path: str, name: str, value: bytes) -> None:
    try:
        if os.getxattr(path, name) == value:
            return
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return
        if error.errno != errno.ENODATA:
            raise
    os.setxattr(path, name, value)


def read_file(path: str) -> bytes | None:
    """The bytes of `path`, or None if it does not exist. Raises HostError if it can't be read."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}") from error


def sync_directory(path: str) -> None:
    """Makes renames in the directory survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new_file(path: str, content: bytes, metadata: Metadata | None = None, sync: bool = True) -> None:
    """Writes a file that must not exist yet, private until it has its metadata, and syncs it unless it is scratch."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        if metadata is not None:
            metadata.apply(path)
        if sync:
            os.fsync(stream.fileno())


def links_of(path: str) -> int:
    """How many hard links the file that `path` names has. Raises HostError."""
    try:
        return os.stat(path).st_nlink
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}") from error


def replace_file(path: str, content: bytes, metadata: Metadata) -> None:
    """Puts `content` at `path` in one step; a reader sees the old file or the new one.

    A symbolic link stays one: the file that it names is replaced. The caller holds a lock against another run of
    itself, so that the new file has a fixed name, and one that a killed run left is removed by the next.
    Raises HostError, the old file untouched.
    """
    target = os.path.realpath(path)
    directory, name = os.path.split(target)
    scratch = os.path.join(directory, f".mxrelay-{name}")
    try:
        with suppress(FileNotFoundError):
            os.unlink(scratch)
        try:
            write_new_file(scratch, content, metadata)
            os.replace(scratch, target)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(scratch)
            raise
        sync_directory(directory)
    except OSError as error:
        raise HostError(f"{path}: can't be replaced: {reason(error)}; nothing was changed") from error


@contextmanager
def directory_lock(directory: str, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Holds an exclusive flock on the directory itself, so that nothing is created for it.

    Raises HostError if it can't be had within `seconds`, or the directory can't be opened.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise HostError(f"{directory}: {error.strerror}; create the directory or correct the path") from error
    try:
        _lock(descriptor, directory, seconds)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, directory: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise HostError(
                    f"{directory}: another run has held the lock for more than {seconds:g} s; "
                    "try again when it has finished"
                ) from None
            time.sleep(LOCK_POLL_SECONDS)
