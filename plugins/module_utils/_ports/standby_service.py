# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy service of a standby: puts strangers off while a better MX host of the recipient's domain answers.

This file is a program of its own: it is installed on the MX host as it is, imports nothing of the collection, and is
started by systemd with its socket and the path of its configuration. See SMTPD_POLICY_README. Whatever goes wrong, its
answer is DUNNO, so that mail is accepted.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import os
import socket
import sys
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Callable, Generic, TypeVar

DUNNO = "DUNNO"
# smtpd answers 450, and nothing if a later restriction refuses for good.
PUT_OFF = "DEFER_IF_PERMIT 4.3.2 This host is a standby, and a better MX host of the domain answers"
STATUS = "mxrelay_standby_status"
# smtpd waits three seconds. What is not known by then is asked for further, for the next recipient.
ANSWER_SECONDS = 2.5
# A postscreen greets after six seconds.
PROBE_SECONDS = 8.0
QUIT_SECONDS = 1.0
DNS_SECONDS = 5.0
# How long an answer is used, and when a new one is asked for in the background.
STATE_SECONDS = (30.0, 15.0)
RECORDS_SECONDS = (300.0, 200.0)
# How long it is remembered that there was no answer.
SILENCE_SECONDS = 10.0
MOST_REMEMBERED = 10000
MOST_ADDRESSES = 16
REQUEST_BYTES = 65536
REPLY_LINES = 200
PORT = 25
FIRST_SOCKET = 3

Key = TypeVar("Key")
Answer = TypeVar("Answer")
Record = tuple[int, str]


class Memory(Generic[Key, Answer]):
    """Answers by key. `ask` gets one, or None where there is none to be had.

    Each is used for so many seconds, and asked for again in the background before that.
    """

    def __init__(self, ask: Callable[[Key], Awaitable[Answer | None]], seconds: tuple[float, float]) -> None:
        self._ask = ask
        self._usable, self._fresh = seconds
        self._known: dict[Key, tuple[Answer | None, float]] = {}
        self._asking: dict[Key, asyncio.Task[Answer | None]] = {}

    async def get(self, key: Key) -> Answer | None:
        """The answer, waited for only where none is known that can be used."""
        answer, since = self._known.get(key, (None, float("-inf")))
        age = time.monotonic() - since
        lasting = self._usable if answer is not None else SILENCE_SECONDS
        if age >= min(lasting, self._fresh) and key not in self._asking:
            self._asking[key] = asyncio.ensure_future(self._renew(key))
        if age < lasting:
            return answer
        # Who waits may give up; the asking goes on.
        return await asyncio.shield(self._asking[key])

    async def _renew(self, key: Key) -> Answer | None:
        answer = None
        try:
            answer = await self._ask(key)
        except Exception as error:  # pylint: disable=broad-except
            tell(f"{key}: {type(error).__name__}: {error}")
        finally:
            del self._asking[key]
            self._known.pop(key, None)
            self._known[key] = (answer, time.monotonic())
            if len(self._known) > MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
        return answer


@dataclass(frozen=True)
class Configuration:
    """Domains to stand by for, those of which with all subdomains, and the names and addresses of this host."""

    domains: frozenset[str] = frozenset()
    subdomains: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    name: str = "localhost"
    port: int = PORT

    @classmethod
    def read(cls, text: bytes) -> Configuration:
        """Raises ValueError, TypeError or KeyError for what is not one."""
        given = json.loads(text)
        sets = {part: frozenset(map(str.lower, given[part])) for part in ("domains", "subdomains", "own")}
        return cls(name=str(given["name"]), port=int(given.get("port", PORT)), **sets)

    def covers(self, domain: str) -> bool:
        """Whether mail for the domain is put off while a better MX host of it answers."""
        labels = domain.split(".")
        parents = (".".join(labels[place:]) for place in range(1, len(labels)))
        return domain in self.domains or any(parent in self.subdomains for parent in parents)


class ConfigurationFile:
    """The configuration as its file has it by now; without domains where it can't be read, which `problem` tells."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._current = Configuration()
        self.problem = ""

    def current(self) -> Configuration:
        try:
            status = os.stat(self._path)
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen != self._seen:
                with open(self._path, "rb") as stream:
                    self._current = Configuration.read(stream.read())
                self._seen, self.problem = seen, ""
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            self._seen, self._current = None, Configuration()
            self.problem = f"{self._path} can't be read: {type(error).__name__}: {error}"
        return self._current


@dataclass(frozen=True)
class Exchangers:
    """The addresses of MX hosts of a domain: of those that are better than this host, and of all others."""

    better: tuple[str, ...] = ()
    others: frozenset[str] = frozenset()


def is_local(address: str) -> bool:
    """Whether an interface of this host has the address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as link:
        try:
            link.bind((address, 0))
        except OSError:
            return False
    return True


def sorted_out(
    records: Sequence[Record], addresses: dict[str, Sequence[str]], own: set[str], local: Callable[[str], bool]
) -> Exchangers | None:
    """The MX hosts as they stand to this one, None if it is not one of them: then nothing tells which are better.

    `own` are names and addresses of this host.
    """
    mine = {host for _preference, host in records if host in own}
    mine |= {host for host, found in addresses.items() if any(a in own or local(a) for a in found)}
    if not mine:
        return None
    best = min(preference for preference, host in records if host in mine)
    better = {host: None for preference, host in sorted(records) if preference < best}
    return Exchangers(
        tuple(dict.fromkeys(a for host in better for a in addresses.get(host, ())))[:MOST_ADDRESSES],
        frozenset(a for host, found in addresses.items() if host not in mine for a in found),
    )


def mx_records(domain: str) -> list[Record]:
    """The MX records that DNS has now: preference and name. Raises what dnspython raises, or ImportError."""
    resolver_module = importlib.import_module("dns.resolver")
    # A new one each time, as resolv.conf(5) may have changed.
    resolver = resolver_module.Resolver()
    resolver.lifetime = DNS_SECONDS
    # dnspython before 2.0 has only the other.
    resolve = getattr(resolver, "resolve", None) or resolver.query
    return [(int(mx.preference), str(mx.exchange).rstrip(".").lower()) for mx in resolve(domain + ".", "MX")]


async def resolved(host: str) -> tuple[str, ...]:
    """The addresses of a name, none if it has none or they can't be had."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


async def takes_mail(address: str, port: int, name: str) -> bool:
    """Whether the mail server there greets, and takes EHLO and the sender of a message, of which there is none."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        if await _reply(reader) != 220:
            return False
        for command in (f"EHLO {name}", "MAIL FROM:<>"):
            writer.write(f"{command}\r\n".encode())
            if await _reply(reader) != 250:
                return False
        return True
    finally:
        with suppress(OSError, ValueError, asyncio.TimeoutError):
            writer.write(b"QUIT\r\n")
            await asyncio.wait_for(_reply(reader), QUIT_SECONDS)
        writer.close()


async def _reply(reader: asyncio.StreamReader) -> int:
    """The code of the next reply. Raises ValueError for what is no reply."""
    for _line in range(REPLY_LINES):
        line = await reader.readline()
        if not line[:3].isdigit():
            raise ValueError("no reply of SMTP")
        if line[3:4] != b"-":
            return int(line[:3])
    raise ValueError("a reply without an end")


class Standby:
    """What is known of the domains' MX hosts, and what smtpd is told by it."""

    def __init__(self, configuration: ConfigurationFile) -> None:
        self._configuration = configuration
        self._exchangers: Memory[str, Exchangers] = Memory(self._find, RECORDS_SECONDS)
        self._states: Memory[str, bool] = Memory(self._try, STATE_SECONDS)
        self._told: dict[str, bool] = {}
        with open(__file__, "rb") as stream:
            self._program = hashlib.sha256(stream.read()).hexdigest()

    async def reply(self, request: dict[str, str]) -> str:
        """The attributes that answer a request."""
        if request.get("request") == STATUS:
            return f"status={json.dumps(self.status())}\n\n"
        try:
            action = await asyncio.wait_for(self._action(request), ANSWER_SECONDS)
        except Exception:  # pylint: disable=broad-except
            action = DUNNO
        return f"action={action}\n\n"

    def status(self) -> dict[str, Any]:
        """What this process is, and why it can't do its work."""
        self._configuration.current()
        problem = self._configuration.problem
        try:
            importlib.import_module("dns.resolver")
        except ImportError:
            problem = problem or "it can't ask DNS, as python3-dnspython is missing"
        return {"program": self._program, "uid": os.getuid(), "problem": problem}

    async def _action(self, request: dict[str, str]) -> str:
        configuration = self._configuration.current()
        domain = request.get("recipient", "").rpartition("@")[2].lower()
        stranger = not request.get("sasl_username")
        if request.get("protocol_state") != "RCPT" or not stranger or not configuration.covers(domain):
            return DUNNO
        exchangers = await self._exchangers.get(domain)
        if exchangers is None or request.get("client_address", "") in exchangers.others:
            return DUNNO
        return PUT_OFF if await self._any_takes_mail(exchangers.better) else DUNNO

    async def _any_takes_mail(self, addresses: Sequence[str]) -> bool:
        """Whether one of them does, as soon as one is known to."""
        asked = [asyncio.ensure_future(self._states.get(address)) for address in addresses]
        try:
            for answer in asyncio.as_completed(asked):
                if await answer:
                    return True
            return False
        finally:
            for task in asked:
                task.cancel()

    async def _find(self, domain: str) -> Exchangers | None:
        records = await asyncio.get_running_loop().run_in_executor(None, mx_records, domain)
        hosts = list(dict.fromkeys(host for _preference, host in records if host))
        own = list(self._configuration.current().own)
        found = dict(zip([*hosts, *own], await asyncio.gather(*map(resolved, [*hosts, *own]))))
        known = {*own, *(address for name in own for address in found[name])}
        return sorted_out(records, {host: found[host] for host in hosts}, known, is_local)

    async def _try(self, address: str) -> bool:
        configuration = self._configuration.current()
        try:
            asked = takes_mail(address, configuration.port, configuration.name)
            takes = await asyncio.wait_for(asked, PROBE_SECONDS)
        except (OSError, ValueError, asyncio.TimeoutError):
            takes = False
        if self._told.get(address) != takes and len(self._told) <= MOST_REMEMBERED:
            tell(f"{address} {'takes mail' if takes else 'takes no mail'}")
            self._told[address] = takes
        return takes


async def serve_client(standby: Standby, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers the requests of one connection."""
    try:
        while True:
            lines = (await reader.readuntil(b"\n\n")).decode("utf-8", "replace").split("\n")
            request = {name: value for name, _equals, value in (line.partition("=") for line in lines)}
            writer.write((await standby.reply(request)).encode())
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


def tell(line: str) -> None:
    """Says something in the journal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def notify(message: str) -> None:
    """Tells systemd, if it wants to be told. See sd_notify(3)."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if place:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link, suppress(OSError):
            link.sendto(message.encode(), "\0" + place[1:] if place.startswith("@") else place)


async def serve(listener: socket.socket, path: str) -> None:
    """Answers whoever connects, by the configuration at `path`, and tells systemd that it still does."""
    standby = Standby(ConfigurationFile(path))
    listener.setblocking(False)

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve_client(standby, reader, writer)

    server = await asyncio.start_unix_server(serve_one, sock=listener, limit=REQUEST_BYTES)
    notify("READY=1")
    async with server:
        while True:
            notify("WATCHDOG=1")
            await asyncio.sleep(10.0)


def main() -> None:
    if os.environ.get("LISTEN_FDS") != "1" or len(sys.argv) != 2:
        raise SystemExit("this program is started by systemd, with one socket and the path of its configuration")
    asyncio.run(serve(socket.socket(fileno=FIRST_SOCKET), sys.argv[1]))


if __name__ == "__main__":
    main()
