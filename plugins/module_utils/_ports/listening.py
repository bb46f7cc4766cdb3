# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a program could listen at an address: by binding it as master(8) does, without listening.

Who holds it already is told by /proc(5).
"""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

_FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
_EVERY: dict[int, str] = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}
_SOCKET = re.compile(r"socket:\[(\d+)\]\Z", re.ASCII)
# As /proc/net/tcp has them.
_LISTENS = "0A"


@dataclass(frozen=True)
class Hindrance:
    """Why nothing can listen at `place`, such as 0.0.0.0:25; `holders` are the processes that do, as far as known.

    `shared`: they let other programs of their user listen there as well (SO_REUSEPORT).
    """

    place: str
    why: str
    holders: tuple[int, ...] = ()
    shared: bool = False


def hindrances(host: str, port: str, protocols: Sequence[str]) -> list[Hindrance]:
    """What keeps a program from listening at each address of `host`, "" for all, and at this port or service name.

    Nothing is said where it can't be told: an ordinary user may not bind the ports of the system.
    """
    number = port_number(port)
    if not number:
        return [Hindrance(f"port {port}", "it is neither a number nor a name in /etc/services")]
    try:
        addresses = _addresses(host, [_FAMILIES[name] for name in protocols])
    except (OSError, UnicodeError):
        return [Hindrance(f"{host}:{port}", "that name has no address")]
    return [found for family, address in addresses for found in _bound(family, address, number)]


def port_number(name: str) -> int:
    """The number of a TCP port, given by number or by its name in /etc/services; 0 where it is in neither."""
    try:
        return int(name) if name.isdigit() else socket.getservbyname(name, "tcp")
    except OSError:
        return 0


def _addresses(host: str, families: Sequence[int]) -> list[tuple[int, str]]:
    if not host:
        return [(family, _EVERY[family]) for family in families]
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(
        dict.fromkeys((int(family), str(found[0])) for family, _t, _p, _n, found in answers if family in families)
    )


def _bound(family: int, address: str, port: int) -> Iterator[Hindrance]:
    try:
        _bind(family, address, port)
    except OSError as error:
        place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        if error.errno == errno.EADDRINUSE:
            holders = _holders(port)
            yield Hindrance(place, f"{_called(holders)} listens there", holders, _is_shared(family, address, port))
        elif error.errno == errno.EADDRNOTAVAIL and not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
            yield Hindrance(place, "this host does not have that address")


def _is_shared(family: int, address: str, port: int) -> bool:
    try:
        _bind(family, address, port, socket.SO_REUSEPORT)
    except OSError:
        return False
    return True


def _bind(family: int, address: str, port: int, option: int = socket.SO_REUSEADDR) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as link:
        for name in (socket.SO_REUSEADDR, option):
            link.setsockopt(socket.SOL_SOCKET, name, 1)
        if family == socket.AF_INET6:
            link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        link.bind((address, port))


def _called(processes: Sequence[int]) -> str:
    """The first of them, by its name."""
    for process in processes[:1]:
        with suppress(OSError), open(f"/proc/{process}/comm", encoding="utf-8", errors="replace") as stream:
            return f"{stream.read().strip()} (process {process})"
    return "another program"


def _holders(port: int) -> tuple[int, ...]:
    """The processes that have a socket which listens at this port, the parents before what they started."""
    sockets = {inode for name in ("tcp", "tcp6") for inode in _listening(f"/proc/net/{name}", port)}
    return tuple(process for process in _processes() if sockets.intersection(_sockets(process)))


def _listening(path: str, port: int) -> Iterator[str]:
    """The inodes of the sockets that listen at this port."""
    with suppress(OSError), open(path, encoding="ascii") as stream:
        for fields in (line.split() for line in stream):
            if len(fields) > 9 and fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _processes() -> list[int]:
    with suppress(OSError):
        return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    return []


def _sockets(process: int) -> Iterator[str]:
    with suppress(OSError):
        for name in os.listdir(f"/proc/{process}/fd"):
            with suppress(OSError):
                found = _SOCKET.match(os.readlink(f"/proc/{process}/fd/{name}"))
                if found:
                    yield found.group(1)
