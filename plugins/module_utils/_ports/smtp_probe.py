# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talks SMTP as far as RCPT: never a message, always RSET and QUIT, and for no longer than was agreed.

Whatever a server sends, and however slowly: it gets so many seconds, and so many bytes of it are read.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.answers import Answer, accepts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.opportunistic_tls import any_certificate
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.together import together

PORT = 25
CONNECT_SECONDS = 10.0
# As many as Postfix tries (smtp_mx_address_limit).
ADDRESSES = 5
ANSWER_SECONDS = 15.0
TALK_SECONDS = 30.0
# Of one answer. RFC 5321 has 512 bytes a line (4.5.3.1.5), and no server offers so many extensions.
ANSWER_BYTES = 65536
ANSWER_LINES = 200
PIECE_BYTES = 4096
# Characters of an answer that are told to people.
TOLD = 500
# The sender of bounces, so nobody is written to and no sender policy is asked.
BOUNCES = ""
# Ways to say that one is another client, here one of the host itself. See XCLIENT_README, and the PROXY protocol.
XCLIENT = "XCLIENT"
PROXY = "PROXY"
_SAID = {XCLIENT: "ADDR=127.0.0.1 NAME=localhost", PROXY: "TCP4 127.0.0.1 127.0.0.1 40000 25"}
READY = 220
TLS_FIRST = 530
_LINE = re.compile(r"([0-9]{3})([ -]?)(.*)", re.ASCII | re.DOTALL)
# What getaddrinfo gives: family, type, protocol, canonical name, address.
Place = tuple[int, int, int, str, Any]


# A sender, and the recipients that are named after it.
Transaction = tuple[str, Sequence[str]]


@dataclass(frozen=True)
class Approach:
    """How a server is met. `tls` is from the first byte; where a server demands it, it is begun by STARTTLS as well.

    `twice`: the first recipient of each sender is asked by a second connection too, while the first is open.
    """

    server: str
    port: int = PORT
    helo: str = ""
    tls: bool = False
    guise: str = ""
    twice: bool = False


class Prober(Protocol):
    """The port."""

    def talk(self, approach: Approach, transactions: Sequence[Transaction], deadline: float) -> list[Talk]:
        """One connection: greeting, EHLO, then for each transaction MAIL, RCPT for each recipient and RSET, then QUIT.

        Recipients that are not ASCII are named only to a server that offers SMTPUTF8.
        `deadline` is the monotonic time at which it is over. There is a Talk for each transaction until the server
        ended it, and one at least. Whatever goes wrong is told in the last, beside what was said before. Those of a
        second connection come after those of the first.
        """


class SmtpProber:
    """A connection for each conversation."""

    def talk(self, approach: Approach, transactions: Sequence[Transaction], deadline: float) -> list[Talk]:
        begun = time.monotonic()
        met = Talk(approach.server, port=approach.port, guise=approach.guise)
        if deadline <= begun:
            return [replace(met, failure="there was no time left")]
        conversation = _Conversation(met)
        try:
            with _connected(approach.server, approach.port, min(deadline, begun + CONNECT_SECONDS)) as link:
                conversation.so_far = replace(met, connected=True, client=str(link.getsockname()[0]))
                lines = _Link(link, min(deadline, begun + TALK_SECONDS))
                welcome = conversation.hold(lines, approach, transactions)
                if welcome and approach.twice:
                    firsts = [(sender, recipients[:1]) for sender, recipients in transactions]
                    again = self.talk(replace(approach, twice=False), firsts, deadline)
                    conversation.talks += [replace(talk, again=True) for talk in again]
                if welcome:
                    # All is known by now, in whatever way the server takes its leave.
                    with suppress(OSError):
                        lines.ask("QUIT")
        except (OSError, ValueError) as error:
            conversation.failed(str(error) or type(error).__name__)
        return conversation.talks


class _Conversation:
    """What was said so far: in the transactions that are over, and in the one that is not."""

    def __init__(self, so_far: Talk) -> None:
        self.so_far = so_far
        self.talks: list[Talk] = []

    def failed(self, failure: str) -> None:
        self.talks.append(replace(self.so_far, failure=failure))

    def hold(self, link: _Link, approach: Approach, transactions: Sequence[Transaction]) -> bool:
        """Whether the server has let it be held. Raises OSError or ValueError where the server does not go on."""
        if approach.tls:
            link.secure()
        if approach.guise == PROXY:
            link.say(f"{PROXY} {_SAID[PROXY]}")
        banner = link.answer("the connection")
        self.so_far = replace(self.so_far, banner=_one_line(banner), held_back=link.seconds_within)
        if not accepts(banner):
            self.talks.append(self.so_far)
            return False
        name = approach.helo or socket.getfqdn()
        extensions = _greeted(link, name)
        if approach.guise == XCLIENT and link.ask(f"{XCLIENT} {_SAID[XCLIENT]}")[0] == READY:
            extensions = _greeted(link, name)
        met = replace(self.so_far, extensions=extensions)
        for sender, recipients in transactions:
            self.so_far = replace(met, sender=sender)
            self._transact(link, name, sender, recipients)
        return True

    def _transact(self, link: _Link, name: str, sender: str, recipients: Sequence[str]) -> None:
        speakable = [
            recipient for recipient in recipients if recipient.isascii() or "smtputf8" in self.so_far.extensions
        ]
        international = not "".join([sender, *speakable]).isascii()
        command = f"MAIL FROM:<{sender}>" + (" SMTPUTF8" if international else "")
        mail = link.ask(command)
        if mail[0] == TLS_FIRST:
            self.so_far = replace(self.so_far, tls_demanded=_one_line(mail))
        if mail[0] == TLS_FIRST and "starttls" in self.so_far.extensions and link.ask("STARTTLS")[0] == READY:
            link.secure()
            _greeted(link, name)
            mail = link.ask(command)
        self.so_far = replace(self.so_far, mail=_one_line(mail))
        for recipient in speakable if accepts(mail) else ():
            answer = _one_line(link.ask(f"RCPT TO:<{recipient}>"))
            self.so_far = replace(self.so_far, recipients={**self.so_far.recipients, recipient: answer})
        self.talks.append(self.so_far)
        # The next transaction fails where this does.
        with suppress(OSError):
            link.ask("RSET")


def _greeted(link: _Link, name: str) -> dict[str, str]:
    """The extensions that the server offers, each with what it says of it."""
    code, text = link.ask(f"EHLO {name}")
    if 200 <= code < 300:
        words = [line.strip().partition(" ") for line in text.split("\n")[1:]]
        return {word.lower(): rest.strip() for word, _space, rest in words if word}
    code, text = link.ask(f"HELO {name}")
    if not 200 <= code < 300:
        raise ConnectionError(f"it answers HELO with {code} {_one_line((code, text))[1]}")
    return {}


def _one_line(answer: Answer) -> Answer:
    """The answer as it is told, which need not be all of it."""
    return answer[0], answer[1].replace("\n", " ")[:TOLD]


def _connected(server: str, port: int, deadline: float) -> socket.socket:
    """A connection to one of its addresses, each of which gets its share of the time. Raises OSError."""
    found = together(lambda name: _places(name, port), [server], deadline - time.monotonic()).get(server)
    if found is None:
        raise TimeoutError("its name was not resolved in time")
    if isinstance(found, Exception):
        raise found
    failure: OSError = TimeoutError("its name has no address")
    for place, (family, kind, protocol, _name, address) in enumerate(found[:ADDRESSES]):
        link = socket.socket(family, kind, protocol)
        try:
            link.settimeout(max(0.1, (deadline - time.monotonic()) / (min(len(found), ADDRESSES) - place)))
            link.connect(address)
            return link
        except OSError as error:
            link.close()
            failure = error
    raise failure


def _places(server: str, port: int) -> Sequence[Place] | OSError | UnicodeError:
    try:
        return socket.getaddrinfo(server, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error


class _Link:
    """The lines of a connection that is over at `deadline`."""

    def __init__(self, link: socket.socket, deadline: float) -> None:
        self._link = link
        self._deadline = deadline
        self._unread = b""
        # From the first to the last line of the latest answer.
        self.seconds_within = 0.0

    def ask(self, command: str) -> Answer:
        """The answer to a command, its lines apart. Raises OSError, and ValueError for a command that can't be sent."""
        self.say(command)
        return self.answer(command.partition(" ")[0])

    def say(self, command: str) -> None:
        """Sends a command. Raises OSError, and ValueError for one that can't be sent."""
        if "\r" in command or "\n" in command:
            raise ValueError(f"{command!r} is more than one line")
        self._link.settimeout(max(0.1, self._deadline - time.monotonic()))
        self._link.sendall(f"{command}\r\n".encode())

    def secure(self) -> None:
        """Begins TLS, as senders do who take every certificate. Raises OSError."""
        self._link.settimeout(max(0.1, self._deadline - time.monotonic()))
        self._link = any_certificate().wrap_socket(self._link)
        self._unread = b""

    def answer(self, step: str) -> Answer:
        """The server's next answer, which is to `step`. Raises OSError that says what it does instead of answering."""
        begun = first = time.monotonic()
        end = min(self._deadline, begun + ANSWER_SECONDS)
        text: list[str] = []
        read = 0
        try:
            while read < ANSWER_BYTES and len(text) < ANSWER_LINES:
                line = self._line(end, ANSWER_BYTES - read)
                read += len(line)
                code, follows, rest = _parts(line, step)
                text.append(rest)
                now = time.monotonic()
                first = now if len(text) == 1 else first
                self.seconds_within = now - first
                if not follows and read < ANSWER_BYTES:
                    return code, "\n".join(text)
        except socket.timeout:
            begins = bool(text or self._unread)
            what = f"its answer to {step} has no end" if begins else f"it does not answer {step}"
            raise TimeoutError(f"{what} within {end - begun:.0f} s") from None
        raise ConnectionError(f"its answer to {step} has no end within {len(text)} lines and {read} bytes")

    def _line(self, end: float, most: int) -> bytes:
        """The next line; no more of it than `most` bytes, or than the server sends before it hangs up."""
        while b"\n" not in self._unread and len(self._unread) < most:
            left = end - time.monotonic()
            if left <= 0:
                raise socket.timeout
            self._link.settimeout(left)
            piece = self._link.recv(PIECE_BYTES)
            if not piece:
                break
            self._unread += piece
        first, newline, _rest = self._unread[:most].partition(b"\n")
        self._unread = self._unread[len(first + newline) :]
        return first + newline


def _parts(line: bytes, step: str) -> tuple[int, bool, str]:
    """The code of a line of an answer, whether another line follows, and the text."""
    if not line:
        raise ConnectionError(f"it closes the connection instead of answering {step}")
    match = _LINE.match(line.decode("utf-8", "replace"))
    if match is None:
        raise ConnectionError(f"its answer to {step} is not SMTP")
    return int(match.group(1)), match.group(2) == "-", match.group(3).strip()
