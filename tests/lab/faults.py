# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do to a host what administrators, packages and accidents do between two runs of a role."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from lab import hosts

SUFFIXES = {"hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb"}


def state_of(host: str, *directories: str) -> str:
    """Return all below /etc/postfix, or these, that a change would touch: names, inodes, times, modes and content."""
    places = " ".join(directories or ("/etc/postfix",))
    return hosts.on(
        host,
        "sh",
        "-c",
        f"find {places} -printf '%p %i %T@ %u %g %m\\n' | sort; find {places} -type f | sort | xargs sha256sum",
    )


def bytes_of(host: str) -> str:
    """Return all below /etc/postfix: names, owners, modes, and each file to the byte."""
    script = "cd /etc/postfix; find . -printf '%p %u %g %m\\n' | sort; find . -type f | sort | xargs sha256sum"
    return hosts.on(host, "sh", "-c", script)


def meaning_of(host: str) -> str:
    """Return what below /etc/postfix decides on mail: configuration and sources to the byte, what indexes hold."""
    return hosts.on(
        host,
        "sh",
        "-c",
        "cd /etc/postfix; find . -printf '%p %u %g %m\\n' | sort; sha256sum main.cf master.cf;"
        " for table in transport relay_recipients relay_recipients_subdomains relay_verify;"
        " do echo $table; test ! -e $table || sha256sum $table; test ! -e $table.db || postmap -s $table | sort; done",
    )


@contextmanager
def held(host: str, file: str = "/run/mxrelay.lock") -> Iterator[Callable[[], int]]:
    """Nobody gets the lock of the host's runs in this block; gives how many processes have asked for it."""
    script = f"ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c ' {file}$' || true"
    holder = ["sh", "-c", f"umask 077; exec flock {file} sh -c 'echo held; cat'"]
    command = [os.environ["MXRELAY_LAB_ENGINE"], "exec", "--interactive", hosts.container(host), *holder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdout is None or process.stdout.readline() != b"held\n":
            raise RuntimeError(f"{host}: {file} can't be locked")
        before = int(hosts.on(host, "sh", "-c", script))
        try:
            yield lambda: int(hosts.on(host, "sh", "-c", script)) - before
        finally:
            process.communicate()


@contextmanager
def immovable(host: str, path: str) -> Iterator[None]:
    """Nothing can be renamed over the file in this block, as on a host that mounts it."""
    hosts.on(host, "mount", "--bind", path, path)
    try:
        yield
    finally:
        hosts.on(host, "umount", path)


@contextmanager
def read_only(host: str, path: str) -> Iterator[None]:
    """The file, or all below the directory, can't be written in this block."""
    hosts.on(host, "sh", "-ec", f"mount --bind {path} {path}; mount -o remount,ro,bind {path}")
    try:
        yield
    finally:
        hosts.on(host, "umount", path)


@contextmanager
def reloading_by(host: str, script: str) -> Iterator[None]:
    """The service is reloaded by this script in this block."""
    unit = "/etc/systemd/system/postfix.service.d/broken.conf"
    hosts.on(host, "sh", "-c", "cat > /root/reload && chmod +x /root/reload", given=f"#!/bin/sh\n{script}\n")
    hosts.on(
        host,
        "sh",
        "-c",
        f"mkdir -p {unit.rpartition('/')[0]} && cat > {unit} && systemctl daemon-reload",
        given="[Service]\nProtectHome=no\nProtectSystem=no\nExecReload=\nExecReload=/root/reload\n",
    )
    try:
        yield
    finally:
        hosts.on(host, "sh", "-c", f"rm {unit} && systemctl daemon-reload")


def parameter(host: str, name: str) -> str:
    """Return a parameter's effective value."""
    return hosts.on(host, "postconf", "-h", name).strip()


def set_parameters(host: str, values: Mapping[str, str]) -> None:
    """Set parameters by hand, and reload."""
    hosts.on(host, "postconf", "-e", *(f"{name}={value}" for name, value in values.items()))
    hosts.on(host, "postfix", "reload")


def unset_parameters(host: str, *names: str) -> None:
    """Take parameters out of main.cf by hand, and reload."""
    hosts.on(host, "postconf", "-X", *names)
    hosts.on(host, "postfix", "reload")


def table_of(host: str, parameter_name: str) -> tuple[str, str, str]:
    """Return type, source and index of the table that the parameter names last."""
    kind, _colon, source = parameter(host, parameter_name).replace(",", " ").split()[-1].rpartition(":")
    kind = kind.rpartition(":")[2]
    return kind, source, source + SUFFIXES[kind]


def delete(host: str, path: str) -> None:
    hosts.on(host, "rm", path)


def truncate(host: str, path: str) -> None:
    hosts.on(host, "truncate", "--size=0", path)


def replace_index(host: str, kind: str, index: str, entries: Mapping[str, str]) -> None:
    """Put an index of other entries in the index's place, newer than its source."""
    other = "/root/other"
    lines = "".join(f"{key} {value}\n" for key, value in entries.items())
    hosts.on(host, "sh", "-c", f"cat > {other}", given=lines)
    hosts.on(host, "postmap", f"{kind}:{other}")
    hosts.on(host, "mv", other + SUFFIXES[kind], index)


@contextmanager
def down(host: str) -> Iterator[None]:
    """The host is down in this block, and up again after it."""
    hosts.stop(host)
    try:
        yield
    finally:
        hosts.start(host)
