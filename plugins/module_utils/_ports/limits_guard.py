# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes limits of deliveries back that were set for a while: for their run, and by a timer if the run was killed.

The timer starts this file itself, on a host that may have nothing of the collection, so it imports nothing of it. The
record is JSON beside main.cf: `unit` is the timer's, `expires` in seconds since 1970. `before` and `after` are the
lines of main.cf that differ, as they were and as they were set. `limits` has for each parameter its `name`, the `value`
that was set, and the `lines` that it had ("" for none).
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

RECORD = ".mxrelay-limits"
PROGRAM = ".mxrelay-limits.py"
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
_ATTRIBUTES = ("system.posix_acl_access", "security.selinux")

Record = dict[str, Any]


def restored(text: str, record: Record) -> tuple[str, list[str]]:
    """main.cf without the limits, and the parameters that it then has as before.

    What somebody has given another value meanwhile stays. If nobody touched the lines, they are what they were, to the
    byte.
    """
    mine = [limit for limit in record["limits"] if _values(text, limit["name"]) == [limit["value"]]]
    names = [limit["name"] for limit in mine]
    places = [match.start() for match in re.finditer(f"(?m)^{re.escape(record['after'])}", text)]
    if mine and len(mine) == len(record["limits"]) and len(places) == 1:
        end = places[0] + len(record["after"])
        return text[: places[0]] + record["before"] + text[end:], names
    for limit in mine:
        start, end = _definition(limit["name"], text)[0].span()
        text = text[:start] + limit["lines"] + text[end:]
    return text, names


def _definition(name: str, text: str) -> list[re.Match[str]]:
    """The parameter's definitions, each with the lines that continue it."""
    return list(re.finditer(rf"(?m)^{re.escape(name)}[ \t]*=(.*(?:\n[ \t]+[^\s#].*)*)\n?", text))


def _values(text: str, name: str) -> list[str]:
    return [match.group(1).strip() for match in _definition(name, text)]


def read_limits(config_directory: str) -> Record | None:
    """The record, None if there is none. Raises ValueError if it can't be one, OSError if it can't be read."""
    try:
        with open(os.path.join(config_directory, RECORD), encoding="utf-8") as stream:
            record = json.load(stream)
    except FileNotFoundError:
        return None
    if not isinstance(record, dict) or not _is_whole(record):
        raise ValueError("it is not a record of limits")
    return record


def _is_whole(record: Record) -> bool:
    limits = record.get("limits")
    texts = [record.get(name) for name in ("unit", "before", "after")]
    if not isinstance(limits, list) or not isinstance(record.get("expires"), (int, float)):
        return False
    texts += [limit.get(name) for limit in limits for name in ("name", "value", "lines")]
    return all(isinstance(text, str) for text in texts)


def restore_main_cf(config_directory: str, record: Record) -> list[str]:
    """Takes the limits back; the parameters that are as before again. Postfix is not reloaded. Raises OSError."""
    path = os.path.realpath(os.path.join(config_directory, "main.cf"))
    with _edit_lock(os.path.join(config_directory, "main.cf")):
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            text = stream.read()
        new, names = restored(text, record)
        if new != text:
            _replace(path, new)
    return names


def forget_limits(config_directory: str) -> None:
    """Removes the record and the program. Raises OSError."""
    for name in (RECORD, PROGRAM):
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(config_directory, name))


@contextmanager
def _edit_lock(path: str) -> Iterator[None]:
    """The lock that Postfix's own editors honour, see edit_file(3)."""
    name = f"{path}.tmp"
    while True:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            fcntl.lockf(descriptor, fcntl.LOCK_EX)
            if _is_named(descriptor, name):
                try:
                    yield
                finally:
                    with suppress(FileNotFoundError):
                        os.unlink(name)
                return
        finally:
            os.close(descriptor)


def _is_named(descriptor: int, name: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(name))
    except FileNotFoundError:
        return False


def _replace(path: str, text: str) -> None:
    """Puts the text there in one step, with the owner, mode, ACL and SELinux context of the old file."""
    scratch = os.path.join(os.path.dirname(path), f".mxrelay-{os.path.basename(path)}")
    with suppress(FileNotFoundError):
        os.unlink(scratch)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        stream.write(text)
        stream.flush()
        status = os.stat(path)
        os.fchown(descriptor, status.st_uid, status.st_gid)
        for name in _ATTRIBUTES:
            with suppress(OSError):
                os.setxattr(descriptor, name, os.getxattr(path, name))
        os.fchmod(descriptor, status.st_mode & 0o7777)
        os.fsync(descriptor)
    os.replace(scratch, path)


def main(config_directory: str, unit: str) -> int:
    """What the timer starts, by its name. One that another run has replaced does nothing."""
    record = read_limits(config_directory)
    if record is None or record["unit"] != unit:
        return 0
    done = restore_main_cf(config_directory, record)
    sys.stdout.write(f"taken back: {', '.join(done) or 'nothing, since it was changed meanwhile'}\n")
    # Also if nothing was to be taken back: a run may have been killed before it reloaded Postfix.
    code = _postfix(config_directory, "reload") if _postfix(config_directory, "status") == 0 else 0
    forget_limits(config_directory)
    return code


def _postfix(config_directory: str, word: str) -> int:
    command = shutil.which("postfix", path=_PATH)
    environment = dict(os.environ, PATH=_PATH, LC_ALL="C")
    argv = [command or "postfix", "-c", config_directory, word]
    return subprocess.run(argv, env=environment, check=False).returncode if command else 1


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
