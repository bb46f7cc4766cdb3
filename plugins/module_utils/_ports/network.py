# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network says about this host and others: own addresses, addresses of names, mail exchangers."""

from __future__ import annotations

import re
import selectors
import socket
import threading
import time
from typing import Any, Iterable, Mapping, Protocol, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx_host import MxRecord

try:
    import dns.exception
    import dns.message
    import dns.query
    import dns.rcode
    import dns.rdatatype
    import dns.resolver
except ImportError:
    HAS_DNSPYTHON = False
else:
    HAS_DNSPYTHON = True

NAME_SECONDS = 10.0
DNS_SECONDS = 6.0
RETRY_SECONDS = 2.0
# So many questions are on their way at once; a resolver's socket buffer holds them.
WINDOW = 64
_LOCAL_IPV4 = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")


class Network(Protocol):
    """The port."""

    def own_addresses(self) -> frozenset[str]:
        """All addresses of this host's interfaces, the loopback's too."""

    def addresses(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The addresses of each name as this host resolves it; a name without an answer in time is left out."""

    def exchangers(self, domains: Iterable[str]) -> dict[str, tuple[MxRecord, ...]]:
        """The MX records of each domain with their addresses; the domain itself where it has an address but no MX.

        A domain about which no answer came is left out, and so are all where python3-dnspython is missing.
        """


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
        if not HAS_DNSPYTHON or not names:
            return {}
        records: dict[str, list[tuple[int, str]]] = {}
        for (name, _type), answer in _ask([(name, "MX") for name in names]).items():
            records[name] = [(one.preference, _host(one.exchange)) for one in answer]
        hosts = {host for answer in records.values() for _preference, host in answer if host}
        hosts |= {name for name, answer in records.items() if not answer}
        found = _ask([(host, kind) for host in sorted(hosts) for kind in ("A", "AAAA")])
        addresses = {
            host: tuple(one.address for kind in ("A", "AAAA") for one in found.get((host, kind), ())) for host in hosts
        }
        return {name: _exchangers(name, answer, addresses) for name, answer in records.items()}


def _exchangers(
    name: str, answer: Sequence[tuple[int, str]], addresses: Mapping[str, tuple[str, ...]]
) -> tuple[MxRecord, ...]:
    if not answer:
        return (MxRecord(0, name, addresses[name]),) if addresses.get(name) else ()
    return tuple(MxRecord(preference, host, addresses.get(host, ())) for preference, host in sorted(answer) if host)


def _host(name: Any) -> str:
    return str(name).rstrip(".").lower()


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


def _ask(questions: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Sequence[Any]]:
    """The records for each question; one without an answer, or with an error other than "no such name", is left out."""
    answers: dict[tuple[str, str], Sequence[Any]] = {}
    try:
        servers = [str(one) for one in dns.resolver.get_default_resolver().nameservers]
    except dns.exception.DNSException:
        return answers
    deadline = time.monotonic() + DNS_SECONDS
    for server in servers:
        open_questions = [one for one in questions if one not in answers]
        if open_questions and time.monotonic() < deadline:
            _ask_server(server, open_questions, answers, min(deadline, time.monotonic() + RETRY_SECONDS * 2))
    return answers


def _ask_server(
    server: str, questions: Sequence[tuple[str, str]], answers: dict[tuple[str, str], Sequence[Any]], deadline: float
) -> None:
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    waiting: dict[int, tuple[str, str]] = {}
    left = list(questions)
    with socket.socket(family, socket.SOCK_DGRAM) as link, selectors.DefaultSelector() as selector:
        link.connect((server, 53))
        link.setblocking(False)
        selector.register(link, selectors.EVENT_READ)
        while (left or waiting) and time.monotonic() < deadline:
            while left and len(waiting) < WINDOW:
                _send(link, left.pop(), waiting)
            if not selector.select(min(RETRY_SECONDS, max(0.0, deadline - time.monotonic()))):
                left += waiting.values()
                waiting.clear()
                continue
            try:
                _receive(link.recv(65535), server, waiting, answers)
            except OSError:
                return


def _send(link: socket.socket, question: tuple[str, str], waiting: dict[int, tuple[str, str]]) -> None:
    try:
        query = dns.message.make_query(question[0], question[1])
    except (dns.exception.DNSException, UnicodeError):
        return
    while query.id in waiting:
        query.id = (query.id + 1) % 65536
    try:
        link.send(query.to_wire())
    except OSError:
        return
    waiting[query.id] = question


def _receive(
    data: bytes,
    server: str,
    waiting: dict[int, tuple[str, str]],
    answers: dict[tuple[str, str], Sequence[Any]],
) -> None:
    try:
        reply = dns.message.from_wire(data, ignore_trailing=True)
    except dns.message.Truncated as cut:
        reply = cut.message()
    except dns.exception.DNSException:
        return
    question = waiting.pop(reply.id, None)
    if question is None or reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return
    if reply.flags & 0x0200:
        whole = _by_tcp(question, server)
        if whole is None:
            return
        reply = whole
    kind = dns.rdatatype.from_text(question[1])
    answers[question] = [one for rrset in reply.answer if rrset.rdtype == kind for one in rrset]


def _by_tcp(question: tuple[str, str], server: str) -> Any:
    try:
        return dns.query.tcp(dns.message.make_query(*question), server, timeout=RETRY_SECONDS)
    except (dns.exception.DNSException, OSError):
        return None
