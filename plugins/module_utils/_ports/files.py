# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the host: atomic replacement that keeps metadata, and the lock of runs that change tables."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError

LOCK_SECONDS = 60.0
LOCK_POLL_SECONDS = 0.05
# Root's own, so nobody else can open it. A lock on a directory or a file that others can read could be theirs for ever.
LOCK_FILE = "/var/run/mxrelay.lock"
# A list of some eight million addresses; what is longer than that is no table, and could take all memory.
MOST_BYTES = 256 << 20
_PIECE_BYTES = 1 << 20
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a fifo",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# What ACLs and SELinux contexts are, on Linux. A context is set by the file system where we may not.
KEPT_ATTRIBUTES = ("system.posix_acl_access", "security.selinux")
_REMEDIES = {
    errno.EACCES: "run as root (become: true)",
    errno.EPERM: "run as root (become: true)",
    errno.ENOSPC: "make room on its file system",
    errno.EDQUOT: "make room on its file system",
    errno.EROFS: "mount its file system for writing",
}

# Of a file that its user alone may read.
PRIVATE = 0o600


@dataclass(frozen=True)
class Metadata:
    """Owner, group, permission bits, ACL and SELinux context of a file."""

    uid: int
    gid: int
    mode: int
    attributes: dict[str, bytes] = field(default_factory=dict)

    def apply(self, path: str) -> None:
        """Gives the file at `path` this metadata; a symbolic link is not followed. Raises HostError."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _not_set(path, error) from error
        try:
            self.apply_to(descriptor, path)
        finally:
            os.close(descriptor)

    def apply_to(self, descriptor: int, path: str) -> None:
        """Gives the open file this metadata, whatever is at its `path` by now. Raises HostError."""
        try:
            os.fchown(descriptor, self.uid, self.gid)
            for name, value in self.attributes.items():
                _set_attribute(descriptor, name, value)
            # Last, since an ACL carries the permission bits that it was read with.
            os.fchmod(descriptor, self.mode)
        except OSError as error:
            raise _not_set(path, error) from error


def _not_set(path: str, error: OSError) -> HostError:
    return HostError(f"{path}: owner, mode or attributes can't be set: {reason(error)}")


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


def _set_attribute(descriptor: int, name: str, value: bytes) -> None:
    try:
        if os.getxattr(descriptor, name) == value:
            return
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return
        if error.errno != errno.ENODATA:
            raise
    os.setxattr(descriptor, name, value)


def open_regular(path: str, flags: int = 0) -> int:
    """A descriptor of the regular file at `path`, for reading, had without waiting: a fifo would wait for a writer.

    Raises HostError if it is something else, OSError if it can't be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | flags)
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind == stat.S_IFREG:
        return descriptor
    os.close(descriptor)
    raise HostError(f"{path}: is {_KINDS.get(kind, 'something else')}, not a regular file; correct the path")


def read_file(path: str, most: int = MOST_BYTES) -> bytes | None:
    """The bytes of the regular file at `path`, or None if it does not exist.

    Raises HostError if it can't be read, is something else, or has more than `most` bytes.
    """
    try:
        with os.fdopen(open_regular(path), "rb") as stream:
            return read_stream(stream, path, most)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}") from error


def text_of(path: str) -> str:
    """The text of a regular file, "" if there is none, in which bytes that are no UTF-8 are kept. Raises HostError."""
    return (read_file(path) or b"").decode("utf-8", "surrogateescape")


def read_stream(stream: IO[bytes], path: str, most: int = MOST_BYTES) -> bytes:
    """All bytes of an open file. Raises HostError as read_file does."""
    stream.seek(0)
    length = os.fstat(stream.fileno()).st_size
    # What is in /proc has no length; what has one may grow meanwhile, and for ever.
    enough = min(max(length, _PIECE_BYTES), most)
    content = stream.read(enough + 1) if length <= most else b""
    if length > most or len(content) > most:
        raise HostError(f"{path}: is longer than {most} bytes; correct the path, or shorten the file")
    if len(content) > enough:
        raise HostError(f"{path}: is being written; run again when it is complete")
    return content


def sync_directory(path: str) -> None:
    """Makes renames in the directory survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new_file(path: str, content: bytes, metadata: Metadata | None = None, sync: bool = True) -> None:
    """Writes a file that must not exist yet, private until it has its metadata, and syncs it unless it is scratch."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        if metadata is not None:
            metadata.apply_to(descriptor, path)
        if sync:
            os.fsync(descriptor)


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
        put_by_way_of(scratch, target, content, metadata)
    except OSError as error:
        raise HostError(f"{path}: can't be replaced: {reason(error)}; nothing was changed") from error


def put_by_way_of(scratch: str, target: str, content: bytes, metadata: Metadata) -> None:
    """Puts `content` at `target` in one step, as a new file beside it that takes its place. Raises OSError.

    What is at `scratch` is gone in any case.
    """
    with suppress(FileNotFoundError):
        os.unlink(scratch)
    try:
        write_new_file(scratch, content, metadata)
        os.replace(scratch, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(scratch)
        raise
    sync_directory(os.path.dirname(target))


def put_private_file(path: str, content: bytes | None) -> None:
    """Puts `content` at `path` for this user alone, as replace_file does; None removes the file. Raises HostError."""
    if content is None:
        remove_file(path)
    else:
        replace_file(path, content, Metadata(os.geteuid(), os.getegid(), PRIVATE))


def remove_file(path: str) -> None:
    """Removes the file if it is there. Raises HostError."""
    try:
        if os.path.lexists(path):
            os.unlink(path)
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}; remove it") from error


@contextmanager
def run_lock(create: bool = True, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Holds the lock of this host's runs that change tables.

    Unless `create`, it is not made for it: where it is not there, no run changes anything. Raises HostError if it can't
    be had within `seconds`.
    """
    path = _lock_file()
    try:
        descriptor = _open_lock(path, create)
    except FileNotFoundError:
        if create:
            raise HostError(f"{path}: {os.path.dirname(path)} does not exist; create it") from None
        yield
        return
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}") from error
    try:
        taken = f"{path}: another run has held the lock for more than {seconds:g} s; try again when it has finished"
        wait_for_lock(descriptor, seconds, taken)
        yield
    finally:
        os.close(descriptor)


def _lock_file() -> str:
    """LOCK_FILE, or of a user who is not root one of his own."""
    user = os.geteuid()
    return os.path.join(tempfile.gettempdir(), f"mxrelay-{user}.lock") if user else LOCK_FILE


def _open_lock(path: str, create: bool) -> int:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags | os.O_CREAT if create else flags, 0o600)
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077:
        return descriptor
    os.close(descriptor)
    raise HostError(f"{path}: is not a file of this user alone, so others could lock it; remove it")


def wait_for_lock(descriptor: int, seconds: float, taken: str) -> None:
    """Locks an open file, or directory. Raises HostError with the message `taken` if others have it for so long."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise HostError(taken) from None
            time.sleep(LOCK_POLL_SECONDS)
