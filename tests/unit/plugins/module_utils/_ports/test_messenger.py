# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socketserver
from collections.abc import Iterator

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.message import Canary
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.messenger import SmtpMessenger
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.local_server import answering


class Server(socketserver.ThreadingTCPServer):
    """An MX host that takes messages, but not for `nobody`, and hangs up on `cut`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.banner = b"220 mx.example ready"
        self.starttls = False
        self.heard: list[str] = []
        self.messages: list[str] = []


class Conversation(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server.heard.append("connect")
        self.wfile.write(self.server.banner + b"\r\n")
        for line in self.rfile:
            command = line.decode().strip()
            self.server.heard.append(command.partition(":")[2] or command.split()[0])
            if command.lower().startswith("ehlo"):
                self.wfile.write(b"250-mx.example\r\n" + b"250-STARTTLS\r\n" * self.server.starttls + b"250 SIZE\r\n")
            elif command == "STARTTLS":
                self.wfile.write(b"454 4.7.0 TLS not available\r\n")
            elif "<nobody@" in command:
                self.wfile.write(b"550 5.1.1 unknown\r\n")
            elif "<cut@" in command:
                return
            elif command.upper() == "DATA":
                self.wfile.write(b"354 go on\r\n")
                text = []
                for part in iter(self.rfile.readline, b".\r\n"):
                    text.append(part.decode())
                self.server.messages.append("".join(text))
                self.wfile.write(b"250 2.0.0 Ok: queued as C657F1CE2F4\r\n")
            else:
                self.wfile.write(b"250 2.0.0 ok\r\n")
            if command.upper() == "QUIT":
                return


@pytest.fixture
def server() -> Iterator[Server]:
    with answering(Server()) as server:
        yield server


def canary(recipient: str, sender: str = "") -> Canary:
    return Canary(recipient.partition("@")[2], recipient, sender, "9f", "mx.example")


def test_messages_are_handed_in_over_one_connection(server: Server) -> None:
    sent = [canary("a@x.example"), canary("nobody@y.example"), canary("b@z.example", "ops@own.example")]
    first, second, third = SmtpMessenger().hand_in("127.0.0.1", server.server_address[1], sent, 30)
    assert first.answers == (
        ("MAIL", (250, "2.0.0 ok")),
        ("RCPT", (250, "2.0.0 ok")),
        ("DATA", (250, "2.0.0 Ok: queued as C657F1CE2F4")),
    )
    assert (first.queue_id, first.tls, first.failure) == ("C657F1CE2F4", "", "")
    assert second.refusal == ("RCPT", (550, "5.1.1 unknown"))
    assert third.accepted
    assert server.heard.count("connect") == 1
    assert "<ops@own.example>" in server.heard
    assert [text.partition("Message-ID: ")[2].partition("\r\n")[0] for text in server.messages] == [
        "<mxrelay-canary-9f@mx.example>"
    ] * 2


def test_connection_that_is_cut_off_is_made_anew(server: Server) -> None:
    first, second = SmtpMessenger().hand_in(
        "127.0.0.1", server.server_address[1], [canary("cut@x.example"), canary("a@y.example")], 30
    )
    assert (first.accepted, first.failure != "", second.accepted) == (False, True, True)
    assert server.heard.count("connect") == 2


def test_message_goes_without_tls_where_that_does_not_work(server: Server) -> None:
    server.starttls = True
    (sent,) = SmtpMessenger().hand_in("127.0.0.1", server.server_address[1], [canary("a@x.example")], 30)
    assert (sent.accepted, sent.tls) == (True, "")


def test_greeting_that_refuses_is_an_answer(server: Server) -> None:
    server.banner = b"554 5.7.1 go away"
    (sent,) = SmtpMessenger().hand_in("127.0.0.1", server.server_address[1], [canary("a@x.example")], 30)
    assert sent.refusal == ("the connection", (554, "5.7.1 go away"))


def test_nobody_there_and_no_time_left_are_failures() -> None:
    (refused,) = SmtpMessenger().hand_in("127.0.0.1", 1, [canary("a@x.example")], 30)
    assert (refused.answers, "refused" in refused.failure) == ((), True)
    (late,) = SmtpMessenger().hand_in("127.0.0.1", 1, [canary("a@x.example")], 0)
    assert late.failure == "there was no time left"
