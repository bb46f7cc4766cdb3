# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import smtp_probe
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import (
    PROXY,
    XCLIENT,
    Approach,
    SmtpProber,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.local_server import answering


class Server(socketserver.ThreadingTCPServer):
    """An SMTP server that remembers what it was told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.banner = b"220 mail.example ready"
        # A further line, which comes later.
        self.more_of_banner = b""
        self.offers = [b"SIZE 1000"]
        self.extension = b"SMTPUTF8"
        # Whether it greets only who says by the PROXY protocol which client it is.
        self.proxied = False
        self.heard: list[str] = []


class Conversation(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        if self.server.proxied:
            self.server.heard.append(self.rfile.readline().decode().strip())
        self.wfile.write(self.server.banner + b"\r\n")
        if self.server.more_of_banner:
            time.sleep(0.3)
            self.wfile.write(self.server.more_of_banner + b"\r\n")
        for line in self.rfile:
            verb, space, rest = line.decode().strip().partition(" ")
            command = verb.upper() + space + rest
            self.server.heard.append(command)
            if command.startswith("EHLO"):
                self.wfile.write(
                    b"".join(b"250-" + offer + b"\r\n" for offer in [b"mail.example", *self.server.offers])
                )
                self.wfile.write(b"250 " + self.server.extension + b"\r\n")
            elif command.startswith("XCLIENT"):
                self.wfile.write(b"220 mail.example ready\r\n")
            elif command == "RCPT TO:<b@x.example>":
                self.wfile.write(b"550-5.1.1 no such\r\n550 5.1.1 user\r\n")
            elif command == "MAIL FROM:<s@policy.example>":
                self.wfile.write(b"550 5.7.23 SPF fail\r\n")
            else:
                self.wfile.write(b"250 2.0.0 ok\r\n")
            if command == "QUIT":
                return


@pytest.fixture
def server() -> Iterator[Server]:
    with answering(Server()) as server:
        yield server


def soon() -> float:
    return time.monotonic() + 30


def met(server: Server, **fields: Any) -> Approach:
    return Approach("127.0.0.1", server.server_address[1], "mx.example", **fields)


def test_conversation_ends_before_any_message(server: Server) -> None:
    (talk,) = SmtpProber().talk(met(server), [("", ["a@x.example", "b@x.example"])], soon())
    assert server.heard == [
        "EHLO mx.example",
        "MAIL FROM:<>",
        "RCPT TO:<a@x.example>",
        "RCPT TO:<b@x.example>",
        "RSET",
        "QUIT",
    ]
    assert (talk.failure, talk.port, talk.connected) == ("", server.server_address[1], True)
    assert talk.banner == (220, "mail.example ready")
    assert talk.extensions == {"size": "1000", "smtputf8": ""}
    assert talk.mail == (250, "2.0.0 ok")
    assert talk.recipients == {"a@x.example": (250, "2.0.0 ok"), "b@x.example": (550, "5.1.1 no such 5.1.1 user")}


def test_second_connection_is_made_while_the_first_is_open(server: Server) -> None:
    recipients = ["a@x.example", "b@x.example"]
    first, second = SmtpProber().talk(met(server, twice=True), [("", recipients)], soon())
    assert server.heard == [
        *("EHLO mx.example", "MAIL FROM:<>", "RCPT TO:<a@x.example>", "RCPT TO:<b@x.example>", "RSET"),
        # Who asks for many that a server does not know is a nuisance to it.
        *("EHLO mx.example", "MAIL FROM:<>", "RCPT TO:<a@x.example>", "RSET"),
        *("QUIT", "QUIT"),
    ]
    assert second == replace(first, again=True, recipients={"a@x.example": (250, "2.0.0 ok")})
    assert (first.again, first.client) == (False, "127.0.0.1")


def test_greeting_of_several_lines_tells_how_long_it_was_held_back(server: Server) -> None:
    server.banner, server.more_of_banner = b"220-mail.example ready", b"220 mail.example ready"
    (talk,) = SmtpProber().talk(met(server), [("", [])], soon())
    assert talk.banner == (220, "mail.example ready mail.example ready")
    assert 0.2 <= talk.held_back < 5
    server.banner, server.more_of_banner = b"220 mail.example ready", b""
    (talk,) = SmtpProber().talk(met(server), [("", [])], soon())
    assert talk.held_back == 0


def test_each_sender_has_a_transaction_of_its_own_in_one_connection(server: Server) -> None:
    senders = ["", "s@policy.example", "t@x.example"]
    talks = SmtpProber().talk(met(server), [(sender, ["a@x.example"]) for sender in senders], soon())
    assert [(talk.sender, talk.mail, len(talk.recipients)) for talk in talks] == [
        ("", (250, "2.0.0 ok"), 1),
        ("s@policy.example", (550, "5.7.23 SPF fail"), 0),
        ("t@x.example", (250, "2.0.0 ok"), 1),
    ]
    assert server.heard == [
        "EHLO mx.example",
        *("MAIL FROM:<>", "RCPT TO:<a@x.example>", "RSET"),
        *("MAIL FROM:<s@policy.example>", "RSET"),
        *("MAIL FROM:<t@x.example>", "RCPT TO:<a@x.example>", "RSET"),
        "QUIT",
    ]


def test_client_says_that_he_is_another_one(server: Server) -> None:
    server.offers.append(b"XCLIENT NAME ADDR")
    (talk,) = SmtpProber().talk(met(server, guise=XCLIENT), [("", ["a@x.example"])], soon())
    assert server.heard[:3] == ["EHLO mx.example", "XCLIENT ADDR=127.0.0.1 NAME=localhost", "EHLO mx.example"]
    assert (talk.guise, talk.recipients) == ("XCLIENT", {"a@x.example": (250, "2.0.0 ok")})


def test_client_says_by_the_proxy_protocol_who_he_is(server: Server) -> None:
    server.proxied = True
    (talk,) = SmtpProber().talk(met(server, guise=PROXY), [("", ["a@x.example"])], soon())
    assert server.heard[:2] == ["PROXY TCP4 127.0.0.1 127.0.0.1 40000 25", "EHLO mx.example"]
    assert (talk.guise, talk.recipients) == ("PROXY", {"a@x.example": (250, "2.0.0 ok")})


@pytest.mark.parametrize(
    ("extension", "heard"),
    [
        (b"SMTPUTF8", ["MAIL FROM:<> SMTPUTF8", "RCPT TO:<a@bücher.example>", "RCPT TO:<a@x.example>"]),
        (b"HELP", ["MAIL FROM:<>", "RCPT TO:<a@x.example>"]),
    ],
)
def test_recipient_that_is_not_ascii_is_named_with_smtputf8(server: Server, extension: bytes, heard: list[str]) -> None:
    server.extension = extension
    asked = ["a@bücher.example", "a@x.example"]
    (talk,) = SmtpProber().talk(met(server), [("", asked)], soon())
    assert (talk.failure, server.heard[1:-2]) == ("", heard)
    assert list(talk.recipients) == asked[-len(heard) + 1 :]


def test_server_that_turns_us_away_is_told_nothing(server: Server) -> None:
    server.banner = b"554 5.7.1 go away"
    (talk,) = SmtpProber().talk(met(server), [("", ["a@x.example"])], soon())
    assert (talk.banner, talk.mail, talk.recipients, server.heard) == ((554, "5.7.1 go away"), None, {}, [])


def test_nobody_there_and_no_time_left_are_failures() -> None:
    prober = SmtpProber()
    (refused,) = prober.talk(Approach("127.0.0.1", 1), [("", [])], soon())
    assert (refused.banner, refused.connected, "refused" in refused.failure) == (None, False, True)
    (late,) = prober.talk(Approach("127.0.0.1", 1), [("", [])], time.monotonic())
    assert late.failure == "there was no time left"
    assert prober.talk(Approach("no such name.invalid"), [("", [])], soon())[0].failure != ""


Send = Callable[[socket.socket], None]


def drip(link: socket.socket) -> None:
    """A byte each while, and never a whole line."""
    while True:
        link.sendall(b"2")
        time.sleep(0.05)


def dribble(link: socket.socket) -> None:
    """A whole line each while, and never the last."""
    while True:
        link.sendall(b"220-wait\r\n")
        time.sleep(0.05)


def flood_lines(link: socket.socket) -> None:
    while True:
        link.sendall(b"220-a\r\n" * 10000)


def flood_bytes(link: socket.socket) -> None:
    link.sendall(b"220 ")
    while True:
        link.sendall(b"a" * 100000)


def say_nothing(link: socket.socket) -> None:
    link.recv(1)


def hang_up(link: socket.socket) -> None:
    link.close()


def talk_http(link: socket.socket) -> None:
    link.sendall(b"HTTP/1.1 400 Bad Request\r\n")


def greet_then(rest: Send) -> Send:
    def send(link: socket.socket) -> None:
        link.sendall(b"220 mail.example ready\r\n")
        link.recv(4096)
        rest(link)

    return send


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Send], int]]:
    """Starts a server that sends this to its client as long as that listens; returns its port."""
    monkeypatch.setattr(smtp_probe, "ANSWER_SECONDS", 0.5)
    servers: list[socket.socket] = []

    def serve(server: socket.socket, send: Send) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _client = server.accept()
                with contextlib.suppress(OSError), link:
                    send(link)

    def start(send: Send) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)
        threading.Thread(target=serve, args=(server, send), daemon=True).start()
        return int(server.getsockname()[1])

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    ("send", "failure"),
    [
        (drip, "its answer to the connection has no end within 0 s"),
        (dribble, "its answer to the connection has no end within 0 s"),
        (flood_lines, "its answer to the connection has no end within 200 lines and 1400 bytes"),
        (flood_bytes, "its answer to the connection has no end within 1 lines and 65536 bytes"),
        (say_nothing, "it does not answer the connection within 0 s"),
        (hang_up, "it closes the connection instead of answering the connection"),
        (talk_http, "its answer to the connection is not SMTP"),
    ],
)
def test_server_that_does_not_greet_is_left_in_time(listen: Callable[[Send], int], send: Send, failure: str) -> None:
    port, begun = listen(send), time.monotonic()
    (talk,) = SmtpProber().talk(Approach("127.0.0.1", port, "mx.example"), [("", ["a@x.example"])], soon())
    assert (talk.banner, talk.failure) == (None, failure)
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("send", "failure"),
    [
        (drip, "its answer to EHLO has no end within 0 s"),
        (dribble, "its answer to EHLO has no end within 0 s"),
        (flood_lines, "its answer to EHLO has no end within 200 lines and 1400 bytes"),
        (hang_up, "it closes the connection instead of answering EHLO"),
    ],
)
def test_what_was_said_before_a_server_stops_is_told(listen: Callable[[Send], int], send: Send, failure: str) -> None:
    (talk,) = SmtpProber().talk(
        Approach("127.0.0.1", listen(greet_then(send)), "mx.example"), [("", ["a@x.example"])], soon()
    )
    assert (talk.banner, talk.failure) == ((220, "mail.example ready"), failure)


def test_flood_takes_little_memory(listen: Callable[[Send], int]) -> None:
    port = listen(flood_lines)
    tracemalloc.start()
    SmtpProber().talk(Approach("127.0.0.1", port, "mx.example"), [("", [])], soon())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_conversation_ends_at_its_deadline(listen: Callable[[Send], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_probe, "ANSWER_SECONDS", 30.0)
    port, begun = listen(dribble), time.monotonic()
    (talk,) = SmtpProber().talk(Approach("127.0.0.1", port, "mx.example"), [("", [])], begun + 0.5)
    assert talk.failure == "its answer to the connection has no end within 0 s"
    monkeypatch.setattr(smtp_probe, "TALK_SECONDS", 0.5)
    assert SmtpProber().talk(Approach("127.0.0.1", port, "mx.example"), [("", [])], soon())[0].failure == talk.failure
    assert time.monotonic() - begun < 3


def test_long_answer_is_told_in_part(server: Server) -> None:
    server.banner = b"554 " + b"a" * 5000
    (talk,) = SmtpProber().talk(met(server), [("", [])], soon())
    assert talk.banner == (554, "a" * 500)
