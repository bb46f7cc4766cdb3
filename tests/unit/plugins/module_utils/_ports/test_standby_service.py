# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import standby_service as module
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.standby_service import (
    DUNNO,
    PUT_OFF,
    Configuration,
    ConfigurationFile,
    Exchangers,
    Memory,
    Standby,
    serve,
    sorted_out,
    takes_mail,
)

RECORDS = [(10, "mail.x.example"), (20, "mx.x.example"), (30, "third.x.example")]
ADDRESSES = {
    "mail.x.example": ("192.0.2.1", "2001:db8::1"),
    "mx.x.example": ("192.0.2.2",),
    "third.x.example": ("192.0.2.3",),
}
STRANGER = {"protocol_state": "RCPT", "recipient": "bob@x.example", "client_address": "203.0.113.9"}
TALK = (b"220 mail.x.example", b"250-mail.x.example\r\n250 SIZE", b"250 2.1.0 Ok", b"221 Bye")


class MailHost:
    """A mail server with these replies, in turn; it keeps what it is told."""

    def __init__(self, *replies: bytes) -> None:
        self.replies = replies
        self.heard: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for reply in self.replies:
            writer.write(reply + b"\r\n")
            line = await reader.readline()
            self.heard.append(line.strip())
        writer.close()


async def with_mail_host(host: MailHost, work: Callable[[int], Awaitable[Any]]) -> Any:
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    async with server:
        return await work(server.sockets[0].getsockname()[1])


@pytest.mark.parametrize(
    ("replies", "takes"),
    [
        (TALK, True),
        ((b"220-wait\r\n220 mail.x.example", *TALK[1:]), True),
        ((b"554 No SMTP service here",), False),
        ((b"421 4.3.2 Too busy",), False),
        ((TALK[0], b"502 What?"), False),
        ((*TALK[:2], b"452 4.3.1 Insufficient system storage"), False),
    ],
)
def test_mail_server_takes_mail_if_it_takes_a_sender(replies: tuple[bytes, ...], takes: bool) -> None:
    host = MailHost(*replies)
    assert asyncio.run(with_mail_host(host, lambda port: takes_mail("127.0.0.1", port, "mx.x.example"))) is takes


def test_probe_names_no_recipient_and_sends_nothing() -> None:
    host = MailHost(*TALK)
    asyncio.run(with_mail_host(host, lambda port: takes_mail("127.0.0.1", port, "mx.x.example")))
    assert host.heard == [b"EHLO mx.x.example", b"MAIL FROM:<>", b"QUIT"]


@pytest.mark.parametrize("reply", [b"SSH-2.0-OpenSSH_9.2", b"220-\r\n" * 201])
def test_what_is_no_mail_server_raises(reply: bytes) -> None:
    with pytest.raises(ValueError, match="repl"):
        asyncio.run(with_mail_host(MailHost(reply), lambda port: takes_mail("127.0.0.1", port, "mx.x.example")))


@pytest.mark.parametrize(
    ("own", "local", "found"),
    [
        (
            {"mx.x.example"},
            "",
            Exchangers(("192.0.2.1", "2001:db8::1"), frozenset({*ADDRESSES["mail.x.example"], "192.0.2.3"})),
        ),
        (
            {"192.0.2.2"},
            "",
            Exchangers(("192.0.2.1", "2001:db8::1"), frozenset({*ADDRESSES["mail.x.example"], "192.0.2.3"})),
        ),
        (set(), "192.0.2.1", Exchangers((), frozenset({"192.0.2.2", "192.0.2.3"}))),
        (
            set(),
            "192.0.2.3",
            Exchangers(
                ("192.0.2.1", "2001:db8::1", "192.0.2.2"), frozenset({*ADDRESSES["mail.x.example"], "192.0.2.2"})
            ),
        ),
        (set(), "", None),
    ],
)
def test_better_are_mx_hosts_before_this_one(own: set[str], local: str, found: Exchangers | None) -> None:
    assert sorted_out(RECORDS, dict(ADDRESSES), own, lambda address: address == local) == found


def test_mx_host_of_the_same_preference_is_not_better() -> None:
    records = [(10, "mail.x.example"), (10, "mx.x.example")]
    addresses = {host: ADDRESSES[host] for _preference, host in records}
    found = sorted_out(records, addresses, {"mx.x.example"}, lambda _address: False)
    assert found == Exchangers((), frozenset(ADDRESSES["mail.x.example"]))


def test_answer_is_remembered_and_renewed_in_the_background() -> None:
    asked: list[str] = []

    async def ask(key: str) -> int:
        asked.append(key)
        return len(asked)

    async def work() -> list[int | None]:
        memory: Memory[str, int] = Memory(ask, (0.4, 0.1))
        found = [await memory.get("a"), await memory.get("a")]
        await asyncio.sleep(0.2)
        found.append(await memory.get("a"))
        await asyncio.sleep(0.05)
        found.append(await memory.get("a"))
        await asyncio.sleep(0.5)
        found.append(await memory.get("a"))
        return found

    assert asyncio.run(work()) == [1, 1, 1, 2, 3]


def test_failure_is_no_answer_and_is_remembered() -> None:
    asked: list[str] = []

    async def ask(key: str) -> int:
        asked.append(key)
        raise OSError("no")

    async def work() -> list[int | None]:
        memory: Memory[str, int] = Memory(ask, (30.0, 15.0))
        return [await memory.get("a"), await memory.get("a")]

    assert asyncio.run(work()) == [None, None]
    assert asked == ["a"]


def test_memory_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 2)
    asked: list[str] = []

    async def ask(key: str) -> str:
        asked.append(key)
        return key

    async def work() -> None:
        memory: Memory[str, str] = Memory(ask, (30.0, 15.0))
        for key in ("a", "b", "c", "c", "b", "a"):
            await memory.get(key)

    asyncio.run(work())
    assert asked == ["a", "b", "c", "a"]


@pytest.mark.parametrize(
    ("domain", "covered"),
    [
        ("x.example", True),
        ("sub.x.example", False),
        ("wide.example", True),
        ("a.b.wide.example", True),
        ("example", False),
    ],
)
def test_configuration_covers_its_domains(domain: str, covered: bool) -> None:
    given = {"domains": ["x.example", "wide.example"], "subdomains": ["wide.example"], "own": [], "name": "mx"}
    assert Configuration.read(json.dumps(given).encode()).covers(domain) is covered


def configured(path: Path, **fields: Any) -> ConfigurationFile:
    given = {"domains": ["x.example"], "subdomains": [], "own": ["mx.x.example"], "name": "mx.x.example", **fields}
    path.write_text(json.dumps(given), encoding="utf-8")
    return ConfigurationFile(str(path))


def test_changed_configuration_is_read_again(tmp_path: Path) -> None:
    file = configured(tmp_path / "c.json")
    assert file.current().domains == {"x.example"}
    configured(tmp_path / "c.json", domains=["longer.example"])
    assert file.current().domains == {"longer.example"}
    (tmp_path / "c.json").write_text("{}", encoding="utf-8")
    assert file.current().domains == set()
    assert file.problem == f"{tmp_path}/c.json can't be read: KeyError: 'domains'"
    configured(tmp_path / "c.json")
    assert (file.current().domains, file.problem) == ({"x.example"}, "")


class World:
    """DNS with RECORDS, and mail servers at addresses, which take mail or not, or answer after a while."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, taking: dict[str, bool], seconds: float = 0.0) -> None:
        self.taking = taking
        self.seconds = seconds
        self.records: Any = list(RECORDS)
        monkeypatch.setattr(module, "mx_records", self.mx_records)
        monkeypatch.setattr(module, "resolved", self.resolved)
        monkeypatch.setattr(module, "takes_mail", self.takes_mail)
        monkeypatch.setattr(module, "is_local", lambda _address: False)

    def mx_records(self, _domain: str) -> Any:
        if isinstance(self.records, Exception):
            raise self.records
        return self.records

    async def resolved(self, host: str) -> tuple[str, ...]:
        return ADDRESSES.get(host, ())

    async def takes_mail(self, address: str, _port: int, _name: str) -> bool:
        await asyncio.sleep(self.seconds)
        if address not in self.taking:
            raise ConnectionRefusedError
        return self.taking[address]


def told(file: ConfigurationFile, **changes: str) -> str:
    return asyncio.run(Standby(file).reply({**STRANGER, **changes}))


UP = {"192.0.2.1": True}


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, PUT_OFF),
        ({"recipient": "bob@X.Example"}, PUT_OFF),
        ({"recipient": "bob@other.example"}, DUNNO),
        ({"recipient": ""}, DUNNO),
        ({"sasl_username": "bob"}, DUNNO),
        ({"client_address": "192.0.2.3"}, DUNNO),
        ({"protocol_state": "DATA"}, DUNNO),
    ],
)
def test_strangers_are_put_off_while_a_better_mx_host_takes_mail(
    changes: dict[str, str], action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    World(monkeypatch, UP)
    assert told(configured(tmp_path / "c"), **changes) == f"action={action}\n\n"


@pytest.mark.parametrize("taking", [{}, {"192.0.2.1": False}, {"192.0.2.3": True}])
def test_mail_is_accepted_while_no_better_mx_host_takes_it(
    taking: dict[str, bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    World(monkeypatch, taking)
    assert told(configured(tmp_path / "c")) == "action=DUNNO\n\n"


@pytest.mark.parametrize("records", [OSError("no DNS"), ImportError("dns"), [], [(10, "mail.x.example")]])
def test_mail_is_accepted_if_dns_does_not_tell(records: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    World(monkeypatch, UP).records = records
    assert told(configured(tmp_path / "c")) == "action=DUNNO\n\n"


def test_slow_answer_counts_for_the_next_recipient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    World(monkeypatch, UP, seconds=0.3)
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.1)

    async def work() -> list[str]:
        standby = Standby(configured(tmp_path / "c"))
        before = time.monotonic()
        first = await standby.reply(STRANGER)
        assert time.monotonic() - before < 0.25
        await asyncio.sleep(0.4)
        return [first, await standby.reply(STRANGER)]

    assert asyncio.run(work()) == ["action=DUNNO\n\n", f"action={PUT_OFF}\n\n"]


def test_thousand_recipients_cost_one_probe(tmp_path: Path) -> None:
    async def work(port: int) -> None:
        file = configured(tmp_path / "c", port=port)
        standby = Standby(file)
        for _recipient in range(1000):
            assert await standby._any_takes_mail(("127.0.0.1",)) is True

    host = MailHost(*TALK)
    asyncio.run(with_mail_host(host, work))
    assert host.connections == 1


def test_fault_of_its_own_lets_mail_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    World(monkeypatch, UP)
    monkeypatch.setattr(Configuration, "covers", lambda _self, _domain: 1 / 0)
    assert told(configured(tmp_path / "c")) == "action=DUNNO\n\n"


def test_service_answers_smtpd_and_tells_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    World(monkeypatch, UP)
    configured(tmp_path / "c")
    told_place, place = str(tmp_path / "notify"), str(tmp_path / "s")
    monkeypatch.setenv("NOTIFY_SOCKET", told_place)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, socket.socket(socket.AF_UNIX) as listener:
        systemd.bind(told_place)
        listener.bind(place)
        listener.listen()

        async def work() -> list[bytes]:
            serving = asyncio.ensure_future(serve(listener, str(tmp_path / "c")))
            reader, writer = await asyncio.open_unix_connection(place)
            answers = []
            for request in (STRANGER, {"request": module.STATUS}):
                text = "".join(f"{name}={value}\n" for name, value in request.items())
                writer.write(f"{text}\n".encode())
                answers.append(await reader.readuntil(b"\n\n"))
            writer.close()
            serving.cancel()
            return answers

        action, status = asyncio.run(work())
        assert systemd.recv(99) == b"READY=1"
        assert systemd.recv(99) == b"WATCHDOG=1"
    assert action == f"action={PUT_OFF}\n\n".encode()
    program = hashlib.sha256(Path(module.__file__).read_bytes()).hexdigest()
    known = json.loads(status.partition(b"=")[2])
    assert known == {"program": program, "uid": os.getuid(), "problem": ""}


def test_missing_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise ImportError

    monkeypatch.setattr(module.importlib, "import_module", missing)
    problem = Standby(configured(tmp_path / "c")).status()["problem"]
    assert problem == "it can't ask DNS, as python3-dnspython is missing"
