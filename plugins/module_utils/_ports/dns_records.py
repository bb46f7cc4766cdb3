# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks DNS many questions at once, through python3-dnspython if the host has it.

dnspython is imported only when there is something to ask: that takes longer than a whole plan without it.
"""

from __future__ import annotations

import importlib
import importlib.util
import selectors
import socket
import time
from dataclasses import dataclass
from typing import Any, Dict, Sequence, Tuple

PORT = 53
TOTAL_SECONDS = 6.0
SERVER_SECONDS = 4.0
RETRY_SECONDS = 2.0
# So many questions are on their way at once; a name server's socket buffer holds them.
WINDOW = 64

Question = Tuple[str, str]


@dataclass(frozen=True)
class Reply:
    """The records of the type asked for, in dnspython's form. `alias`: the name is that of a CNAME record."""

    records: Sequence[Any] = ()
    alias: bool = False


Replies = Dict[Question, Reply]


def has_dnspython() -> bool:
    """Whether this Python has dnspython."""
    return importlib.util.find_spec("dns") is not None


def ask(questions: Sequence[Question], servers: Sequence[str] = ()) -> Replies:
    """The reply to each question, which is a pair such as `("x.example", "MX")`.

    `servers` are the addresses of the name servers to ask, those of resolv.conf(5) if there are none. Left out:
    questions without an answer in time, and answers with an error other than "no such name". Empty if dnspython is
    missing.
    """
    if not questions or not has_dnspython():
        return {}
    asker = _Asker()
    deadline = time.monotonic() + TOTAL_SECONDS
    for server in servers or asker.servers():
        left = [question for question in questions if question not in asker.answers]
        if left and time.monotonic() < deadline:
            asker.ask_server(server, left, min(deadline, time.monotonic() + SERVER_SECONDS))
    return asker.answers


class _Asker:
    """One round of questions: what is answered, and what is on its way."""

    def __init__(self) -> None:
        self.answers: Replies = {}
        self._waiting: dict[int, Question] = {}
        self._exception = importlib.import_module("dns.exception")
        self._message = importlib.import_module("dns.message")
        self._rcode = importlib.import_module("dns.rcode")
        self._type = importlib.import_module("dns.rdatatype")

    def servers(self) -> list[str]:
        """The name servers of resolv.conf(5)."""
        resolver = importlib.import_module("dns.resolver")
        try:
            return [str(server) for server in resolver.get_default_resolver().nameservers]
        except self._exception.DNSException:
            return []

    def ask_server(self, server: str, questions: Sequence[Question], deadline: float) -> None:
        """Sends what fits the window, and asks again for what is lost, until all is answered or time is up."""
        left = list(questions)
        self._waiting.clear()
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as link, selectors.DefaultSelector() as selector:
            try:
                link.connect((server, PORT))
                selector.register(link, selectors.EVENT_READ)
                while (left or self._waiting) and time.monotonic() < deadline:
                    while left and len(self._waiting) < WINDOW:
                        self._send(link, left.pop())
                    if selector.select(min(RETRY_SECONDS, max(0.0, deadline - time.monotonic()))):
                        self._receive(link.recv(65535), server)
                    else:
                        left += self._waiting.values()
                        self._waiting.clear()
            except OSError:
                # Nothing listens there, or no route leads there: the next server is asked.
                return

    def _send(self, link: socket.socket, question: Question) -> None:
        try:
            query = self._message.make_query(*question)
        except (self._exception.DNSException, UnicodeError):
            return
        while query.id in self._waiting:
            query.id = (query.id + 1) % 65536
        link.send(query.to_wire())
        self._waiting[query.id] = question

    def _receive(self, data: bytes, server: str) -> None:
        try:
            reply = self._message.from_wire(data, ignore_trailing=True)
            question = self._waiting.pop(reply.id, None)
            if question is None:
                return
            if reply.flags & importlib.import_module("dns.flags").TC:
                reply = self._by_tcp(question, server)
        except (self._exception.DNSException, OSError, EOFError):
            return
        if reply.rcode() in (self._rcode.NOERROR, self._rcode.NXDOMAIN):
            kind = self._type.from_text(question[1])
            records = [record for rrset in reply.answer if rrset.rdtype == kind for record in rrset]
            alias = any(rrset.rdtype == self._type.CNAME for rrset in reply.answer)
            self.answers[question] = Reply(records, alias)

    def _by_tcp(self, question: Question, server: str) -> Any:
        """The whole reply to a question whose answer does not fit a datagram."""
        query = importlib.import_module("dns.query")
        return query.tcp(self._message.make_query(*question), server, timeout=RETRY_SECONDS, port=PORT)
