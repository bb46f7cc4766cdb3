# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network says about this host and others: own addresses, addresses of names, mail exchangers."""

from __future__ import annotations

import importlib
import re
import socket
import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    ServedCertificate,
    TlsaRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import DNSPYTHON
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.dns_records import Replies, ask, has_dnspython
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.endpoints import ENDPOINT_SECONDS, answer_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.listening import port_number
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.os_release import family_of_host
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.together import together

NAME_SECONDS = 10.0
# Longer than postscreen waits for clients that talk too early.
GREETING_SECONDS = 15.0
NOT_AVAILABLE = 421
POLICY_SECONDS = 5.0
POLICY_BYTES = 65536
# More announced policies than these are not fetched.
POLICIES = 50
# Of the names at which the TLSA records of a mail server are.
TLSA_PREFIX = "_25._tcp."
_LOCAL_IPV4 = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")


class Network(Protocol):
    """The port."""

    def own_addresses(self) -> frozenset[str]:
        """All addresses of this host's interfaces, the loopback's too."""

    def addresses(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The addresses of each name as this host resolves it; a name without an answer in time is left out."""

    def exchangers(self, domains: Iterable[str]) -> dict[str, tuple[MxRecord, ...]]:
        """The MX records of each domain with their addresses; the domain itself if it has an address but no MX.

        A domain about which no answer came is left out, and so are all if dnspython is missing.
        """

    def policies(self, domains: Iterable[str]) -> dict[str, str]:
        """The MTA-STS policy of each domain that announces one in DNS, "" if it can't be fetched. See RFC 8461."""

    def certificate(self, server: str, port: int, name: str, away: bool = False) -> ServedCertificate:
        """What an SMTP server shows to who begins TLS and asks for `name`. `away`: it is not this host itself."""

    def tlsa(self, servers: Iterable[str]) -> dict[str, tuple[TlsaRecord, ...]]:
        """The TLSA records for SMTP of each server that has some. See RFC 7672."""

    def answers(self, endpoints: Iterable[str], user: str) -> dict[str, str]:
        """Why each endpoint takes no connection of this user's, "" where it does.

        An endpoint is `inet:host:port`, `unix:/path`, or `program:/path` for a program that is started when needed.
        """

    def greeting(self, address: str, port: int) -> str:
        """Why an SMTP server greets nobody there, "" if it does; postscreen takes six seconds for it."""

    def port(self, name: str) -> int:
        """The number of a TCP port, given by number or by its name in /etc/services; 0 where it is in neither."""

    def lacks(self) -> str:
        """The package without which DNS can't be asked, "" if nothing is missing."""


class SystemNetwork:
    """The kernel's tables, the system's resolver, and DNS through python3-dnspython.

    `resolvers` are the addresses of the name servers to ask about domains; none are those of resolv.conf(5).
    """

    def __init__(self, resolvers: Sequence[str] = ()) -> None:
        self._resolvers = tuple(resolvers)

    def own_addresses(self) -> frozenset[str]:
        found = set(_LOCAL_IPV4.findall(_read_text("/proc/net/fib_trie")))
        for line in filter(None, _read_text("/proc/net/if_inet6").split("\n")):
            packed = bytes.fromhex(line.split()[0])
            found.add(socket.inet_ntop(socket.AF_INET6, packed))
        return frozenset(found) if found else frozenset(_resolve(socket.gethostname()))

    def addresses(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        return {name: found for name, found in together(_resolve, names, NAME_SECONDS).items() if found}

    def exchangers(self, domains: Iterable[str]) -> dict[str, tuple[MxRecord, ...]]:
        names = list(dict.fromkeys(domains))
        records = {
            name: sorted((record.preference, str(record.exchange).rstrip(".").lower()) for record in reply.records)
            for (name, _type), reply in ask([(name, "MX") for name in names], self._resolvers).items()
        }
        hosts = in_turn([[host for _preference, host in records[name]] or [name] for name in names if name in records])
        replies = ask([(host, kind) for host in hosts if host for kind in ("A", "AAAA")], self._resolvers)
        return {name: _exchangers(name, answer, replies) for name, answer in records.items()}

    def policies(self, domains: Iterable[str]) -> dict[str, str]:
        replies = ask([(f"_mta-sts.{name}", "TXT") for name in dict.fromkeys(domains)], self._resolvers)
        announced = [
            name.partition(".")[2]
            for (name, _type), reply in replies.items()
            if any(b"".join(record.strings).startswith(b"v=STSv1") for record in reply.records)
        ]
        fetched = together(_policy, announced[:POLICIES], POLICY_SECONDS)
        return {name: fetched.get(name, "") for name in announced[:POLICIES]}

    def certificate(self, server: str, port: int, name: str, away: bool = False) -> ServedCertificate:
        # Few hosts have one to be looked at, and what this imports takes a while.
        from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.served_certificate import (
            SECONDS_AWAY,
            served_certificate,
        )

        if away:
            return served_certificate(server, port, name, seconds=SECONDS_AWAY)
        return served_certificate(server, port, name, helo=name)

    def tlsa(self, servers: Iterable[str]) -> dict[str, tuple[TlsaRecord, ...]]:
        replies = ask([(f"{TLSA_PREFIX}{server}", "TLSA") for server in dict.fromkeys(servers)], self._resolvers)
        return {
            name[len(TLSA_PREFIX) :]: tuple(
                TlsaRecord(record.usage, record.selector, record.mtype, bytes(record.cert)) for record in reply.records
            )
            for (name, _type), reply in replies.items()
            if reply.records
        }

    def answers(self, endpoints: Iterable[str], user: str) -> dict[str, str]:
        asked = list(dict.fromkeys(endpoints))
        found = together(lambda endpoint: answer_of(endpoint, user), asked, ENDPOINT_SECONDS + 1)
        return {endpoint: found.get(endpoint, "no answer in time") for endpoint in asked}

    def greeting(self, address: str, port: int) -> str:
        # Few hosts have a postscreen.
        from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import (
            BOUNCES,
            Approach,
            SmtpProber,
        )

        talk, *_more = SmtpProber().talk(Approach(address, port), [(BOUNCES, ())], time.monotonic() + GREETING_SECONDS)
        if talk.banner is None:
            return talk.failure
        code, text = talk.banner
        return f"it answers {code} {text}" if code == NOT_AVAILABLE else ""

    def port(self, name: str) -> int:
        return port_number(name)

    def lacks(self) -> str:
        return "" if has_dnspython() else family_of_host().libraries[DNSPYTHON]


def in_turn(lists: Iterable[Sequence[str]]) -> list[str]:
    """The first of each list, then the second of each, each name once: none is behind the many of another list."""
    places = [(place, name) for names in lists for place, name in enumerate(names)]
    return list(dict.fromkeys(name for _place, name in sorted(places, key=lambda found: found[0])))


def _exchangers(name: str, answer: Sequence[tuple[int, str]], replies: Replies) -> tuple[MxRecord, ...]:
    if not answer:
        itself = _record(0, name, replies)
        return (itself,) if itself.addresses else ()
    return tuple(_record(preference, host, replies) for preference, host in answer if host)


def _record(preference: int, host: str, replies: Replies) -> MxRecord:
    found = [replies[host, kind] for kind in ("A", "AAAA") if (host, kind) in replies]
    return MxRecord(
        preference,
        host,
        tuple(record.address for reply in found for record in reply.records),
        alias=any(reply.alias for reply in found),
        resolved=len(found) == 2,
    )


def _policy(domain: str) -> str:
    """The text of its MTA-STS policy, "" if it can't be fetched."""
    # Few domains announce one, and importing it takes as long as a question to DNS.
    client = importlib.import_module("http.client")
    link = client.HTTPSConnection(f"mta-sts.{domain}", timeout=POLICY_SECONDS)
    try:
        link.request("GET", "/.well-known/mta-sts.txt")
        answer = link.getresponse()
        # RFC 8461, 3.3: redirects must not be followed.
        return str(answer.read(POLICY_BYTES).decode("utf-8", "replace")) if answer.status == 200 else ""
    except (OSError, ValueError, client.HTTPException):
        return ""
    finally:
        link.close()


def _read_text(path: str) -> str:
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
