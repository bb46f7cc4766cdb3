# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import SmtpProber


class Server(socketserver.ThreadingTCPServer):
    """An SMTP server that remembers what it was told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.banner = b"220 mail.example ready"
        self.extension = b"SMTPUTF8"
        self.heard: list[str] = []


class Conversation(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.wfile.write(self.server.banner + b"\r\n")
        for line in self.rfile:
            verb, space, rest = line.decode().strip().partition(" ")
            command = verb.upper() + space + rest
            self.server.heard.append(command)
            if command.startswith("EHLO"):
                self.wfile.write(b"250-mail.example\r\n250-SIZE 1000\r\n250 " + self.server.extension + b"\r\n")
            elif command == "RCPT TO:<b@x.example>":
                self.wfile.write(b"550-5.1.1 no such\r\n550 5.1.1 user\r\n")
            else:
                self.wfile.write(b"250 2.0.0 ok\r\n")
            if command == "QUIT":
                return


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def soon() -> float:
    return time.monotonic() + 30


def test_conversation_ends_before_any_message(server: Server) -> None:
    talk = SmtpProber().talk(
        "127.0.0.1", server.server_address[1], "mx.example", ["a@x.example", "b@x.example"], soon()
    )
    assert server.heard == [
        "EHLO mx.example",
        "MAIL FROM:<>",
        "RCPT TO:<a@x.example>",
        "RCPT TO:<b@x.example>",
        "RSET",
        "QUIT",
    ]
    assert talk.failure == ""
    assert talk.banner == (220, "mail.example ready")
    assert talk.extensions == {"size": "1000", "smtputf8": ""}
    assert talk.mail == (250, "2.0.0 ok")
    assert talk.recipients == {"a@x.example": (250, "2.0.0 ok"), "b@x.example": (550, "5.1.1 no such 5.1.1 user")}


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
    talk = SmtpProber().talk("127.0.0.1", server.server_address[1], "mx.example", asked, soon())
    assert (talk.failure, server.heard[1:-2]) == ("", heard)
    assert list(talk.recipients) == asked[-len(heard) + 1 :]


def test_server_that_turns_us_away_is_told_nothing(server: Server) -> None:
    server.banner = b"554 5.7.1 go away"
    talk = SmtpProber().talk("127.0.0.1", server.server_address[1], "mx.example", ["a@x.example"], soon())
    assert (talk.banner, talk.mail, talk.recipients, server.heard) == ((554, "5.7.1 go away"), None, {}, [])


def test_nobody_there_and_no_time_left_are_failures() -> None:
    prober = SmtpProber()
    refused = prober.talk("127.0.0.1", 1, "mx.example", [], soon())
    assert (refused.banner, "refused" in refused.failure) == (None, True)
    assert prober.talk("127.0.0.1", 1, "mx.example", [], time.monotonic()).failure == "there was no time left"
    assert prober.talk("no such name.invalid", 25, "mx.example", [], soon()).failure != ""
