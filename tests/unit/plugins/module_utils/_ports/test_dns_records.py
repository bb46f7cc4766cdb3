# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import dns_records
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.dns_records import ask

dns_flags = pytest.importorskip("dns.flags")
dns_message = pytest.importorskip("dns.message")
dns_rrset = pytest.importorskip("dns.rrset")
REFUSED = pytest.importorskip("dns.rcode").REFUSED

QUESTION = ("x.example", "MX")
Serve = Callable[[bool], None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A name server that truncates its answer over UDP, and answers over TCP or hangs up there."""
    udp, tcp = _sockets()
    monkeypatch.setattr(dns_records, "PORT", udp.getsockname()[1])

    def run(answers: bool) -> None:
        data, client = udp.recvfrom(4096)
        reply = dns_message.make_response(dns_message.from_wire(data))
        reply.flags |= dns_flags.TC
        udp.sendto(reply.to_wire(), client)
        link, _client = tcp.accept()
        with link:
            query = dns_message.from_wire(link.recv(4096)[2:])
            if answers:
                whole = dns_message.make_response(query)
                whole.answer.append(dns_rrset.from_text("x.example.", 60, "IN", "MX", "10 mx.example."))
                link.sendall(whole.to_wire(prepend_length=True))

    def start(answers: bool) -> None:
        threading.Thread(target=run, args=(answers,), daemon=True).start()

    with udp, tcp:
        yield start


def _sockets() -> tuple[socket.socket, socket.socket]:
    """One port, by UDP and by TCP."""
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())
    return udp, tcp


def test_truncated_answer_is_asked_for_over_tcp(serve: Serve) -> None:
    serve(True)
    assert [str(record) for record in ask([QUESTION], ["127.0.0.1"])[QUESTION].records] == ["10 mx.example."]


def test_server_that_hangs_up_over_tcp_has_not_answered(serve: Serve) -> None:
    serve(False)
    assert ask([QUESTION], ["127.0.0.1"]) == {}


def answered(query: bytes) -> bytes:
    reply = dns_message.make_response(dns_message.from_wire(query))
    reply.answer.append(dns_rrset.from_text(reply.question[0].name, 60, "IN", "MX", "10 mx.example."))
    return bytes(reply.to_wire())


def refused(query: bytes) -> bytes:
    reply = dns_message.make_response(dns_message.from_wire(query))
    reply.set_rcode(REFUSED)
    return bytes(reply.to_wire())


def silent(query: bytes) -> bool:
    return b"silent" in query


@dataclass
class NameServer:
    """A name server that answers at once, never to a name with "silent" in it, and what it was asked."""

    reply: Callable[[bytes], bytes] = answered
    # So often a question goes unanswered first.
    losses: int = 0
    asked: list[bytes] = field(default_factory=list)

    def run(self, link: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                query, client = link.recvfrom(4096)
                self.asked.append(query[12:])
                if not silent(query) and self.asked.count(query[12:]) > self.losses:
                    link.sendto(self.reply(query), client)


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        monkeypatch.setattr(dns_records, "PORT", link.getsockname()[1])
        monkeypatch.setattr(dns_records, "WAITS", (0.2, 0.2))
        threading.Thread(target=server.run, args=(link,), daemon=True).start()
        yield server


def mx_of(*names: str) -> list[tuple[str, str]]:
    return [(name, "MX") for name in names]


@pytest.mark.parametrize("first", [True, False], ids=["silent first", "silent last"])
def test_questions_without_answer_do_not_take_the_place_of_others(name_server: NameServer, first: bool) -> None:
    dead = [f"silent{number}.example" for number in range(200)]
    alive = [f"d{number}.example" for number in range(100)]
    begun = time.monotonic()
    replies = ask(mx_of(*dead, *alive) if first else mx_of(*alive, *dead), ["127.0.0.1"])
    assert sorted(replies) == sorted(mx_of(*alive))
    assert time.monotonic() - begun < 3
    # As often as there are waits.
    assert len(name_server.asked) == 100 + 200 * 2


def test_lost_question_is_sent_again(name_server: NameServer) -> None:
    name_server.losses = 1
    assert list(ask(mx_of("x.example"), ["127.0.0.1"])) == mx_of("x.example")
    assert len(name_server.asked) == 2


def test_refused_question_is_sent_again_and_then_given_up(name_server: NameServer) -> None:
    name_server.reply = refused
    begun = time.monotonic()
    assert ask(mx_of("x.example"), ["127.0.0.1"]) == {}
    assert (len(name_server.asked), time.monotonic() - begun < 1) == (2, True)


@pytest.mark.usefixtures("name_server")
def test_server_that_says_nothing_is_left_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_records, "SERVER_SECONDS", 0.3)
    monkeypatch.setattr(dns_records, "WAITS", (30.0,))
    begun = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as black_hole:
        black_hole.bind(("127.0.0.2", dns_records.PORT))
        replies = ask(mx_of("x.example"), ["127.0.0.2", "127.0.0.1"])
    assert list(replies) == mx_of("x.example")
    assert time.monotonic() - begun < 2
