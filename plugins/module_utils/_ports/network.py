# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network says about this host and others: own addresses, addresses of names, mail exchangers."""

from __future__ import annotations

import re
import socket
import threading
import time
from typing import Iterable, Mapping, Protocol, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx_host import MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.dns_records import PACKAGE, ask, available

NAME_SECONDS = 10.0
_LOCAL_IPV4 = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")


class Network(Protocol):
    """The port."""

    def own_addresses(self) -> frozenset[str]:
        """All addresses of this host's interfaces, the loopback's too."""

    def addresses(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The addresses of each name as this host resolves it; a name without an answer in time is left out."""

    def exchangers(self, domains: Iterable[str]) -> dict[str, tuple[MxRecord, ...]]:
        """The MX records of each domain with their addresses; the domain itself where it has an address but no MX.

        A domain about which no answer came is left out, and so are all where dnspython is missing.
        """

    def lacks(self) -> str:
        """The package without which DNS can't be asked, "" where nothing is missing."""


class SystemNetwork:
    """The kernel's tables, the system's resolver, and DNS through python3-dnspython."""

    def own_addresses(self) -> frozenset[str]:
        found = set(_LOCAL_IPV4.findall(_text("/proc/net/fib_trie")))
        for line in _text("/proc/net/if_inet6").splitlines():
            packed = bytes.fromhex(line.split()[0])
            found.add(socket.inet_ntop(socket.AF_INET6, packed))
        return frozenset(found) if found else frozenset(_resolve(socket.gethostname()))

    def addresses(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}

        def ask(name: str) -> None:
            answer = _resolve(name)
            if answer:
                found[name] = answer

        threads = [threading.Thread(target=ask, args=(name,), daemon=True) for name in dict.fromkeys(names)]
        deadline = time.monotonic() + NAME_SECONDS
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return dict(found)

    def exchangers(self, domains: Iterable[str]) -> dict[str, tuple[MxRecord, ...]]:
        names = list(dict.fromkeys(domains))
        records = {
            name: sorted((one.preference, str(one.exchange).rstrip(".").lower()) for one in answer)
            for (name, _type), answer in ask([(name, "MX") for name in names]).items()
        }
        hosts = {host for answer in records.values() for _preference, host in answer if host}
        hosts |= {name for name, answer in records.items() if not answer}
        found = ask([(host, kind) for host in sorted(hosts) for kind in ("A", "AAAA")])
        addresses = {
            host: tuple(one.address for kind in ("A", "AAAA") for one in found.get((host, kind), ())) for host in hosts
        }
        return {name: _exchangers(name, answer, addresses) for name, answer in records.items()}

    def lacks(self) -> str:
        return "" if available() else PACKAGE


def _exchangers(
    name: str, answer: Sequence[tuple[int, str]], addresses: Mapping[str, tuple[str, ...]]
) -> tuple[MxRecord, ...]:
    if not answer:
        return (MxRecord(0, name, addresses[name]),) if addresses.get(name) else ()
    return tuple(MxRecord(preference, host, addresses.get(host, ())) for preference, host in answer if host)


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii") as stream:
            return stream.read()
    except OSError:
        return ""


def _resolve(name: str) -> tuple[str, ...]:
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
