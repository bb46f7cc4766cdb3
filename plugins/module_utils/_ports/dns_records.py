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
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.together import together

PORT = 53
# What a name server has for all questions together: this, and more where there are many of them.
TOTAL_SECONDS = 6.0
QUESTIONS_A_SECOND = 500
# A server that has said nothing at all by then is given up.
SERVER_SECONDS = 4.0
# How long each time that a question is sent is waited for its answer before it is sent again, or given up.
WAITS = (1.0, 2.0, 2.0)
# So many questions are sent without an answer yet; a name server's socket buffer holds them. One that is not answered
# within FRESH_SECONDS is waited for, but no longer keeps others from being sent.
WINDOW = 64
FRESH_SECONDS = 0.2
TCP_SECONDS = 2.0
# Of the 65536 identities that a question can have.
MOST_WAITING = 32768

Question = tuple[str, str]


@dataclass(frozen=True)
class Reply:
    """The records of the type asked for, in dnspython's form. `alias`: the name is that of a CNAME record."""

    records: Sequence[Any] = ()
    alias: bool = False


Replies = dict[Question, Reply]


def has_dnspython() -> bool:
    """Whether this Python has dnspython."""
    return importlib.util.find_spec("dns") is not None


def ask(questions: Sequence[Question], servers: Sequence[str] = ()) -> Replies:
    """The reply to each question, which is a pair such as `("x.example", "MX")`.

    The first are asked first, and none waits until another that gets no answer is given up. `servers` are the
    addresses of the name servers to ask, those of resolv.conf(5) if there are none. Left out: questions without an
    answer in time, and answers with an error other than "no such name". Empty if dnspython is missing.
    """
    if not questions or not has_dnspython():
        return {}
    asker = _Asker()
    deadline = time.monotonic() + TOTAL_SECONDS + len(questions) / QUESTIONS_A_SECOND
    for server in servers or asker.servers():
        left = [question for question in questions if question not in asker.answers]
        if left and time.monotonic() < deadline:
            asker.ask_server(server, left, deadline)
    return asker.answers


class _Turns:
    """When each question is sent, and sent again. One that has been waited for each of WAITS is given up."""

    def __init__(self, questions: Sequence[Question]) -> None:
        now = time.monotonic()
        # In the order of time, then of the questions: when, which, how often it has been sent.
        self._due: list[tuple[float, int, int]] = [(now, place, 0) for place in range(len(questions))]
        self._questions = questions
        self._settled: set[Question] = set()
        self._sent: deque[tuple[float, Question]] = deque()
        self._fresh: set[Question] = set()

    def settle(self, question: Question) -> None:
        """The question is not to be sent again."""
        self._settled.add(question)
        self._fresh.discard(question)

    def following(self) -> Question | None:
        """The question to send now, None if none is."""
        now = time.monotonic()
        while self._sent and self._sent[0][0] <= now - FRESH_SECONDS:
            self._fresh.discard(self._sent.popleft()[1])
        while self._due and self._due[0][0] <= now and len(self._fresh) < WINDOW:
            _when, place, times = heappop(self._due)
            question = self._questions[place]
            if question not in self._settled and times < len(WAITS):
                heappush(self._due, (now + WAITS[times], place, times + 1))
                self._sent.append((now, question))
                self._fresh.add(question)
                return question
        return None

    @property
    def over(self) -> bool:
        """Whether each question is settled or given up."""
        while self._due and self._questions[self._due[0][1]] in self._settled:
            heappop(self._due)
        return not self._due

    @property
    def pause(self) -> float:
        """The seconds until there may be something to send or to give up, if no answer comes before."""
        full = len(self._fresh) >= WINDOW
        then = self._sent[0][0] + FRESH_SECONDS if full else self._due[0][0] if self._due else 0.0
        return max(0.0, then - time.monotonic())


class _Asker:
    """One round of questions: what is answered, and what is on its way."""

    def __init__(self) -> None:
        self.answers: Replies = {}
        # Each time that a question is sent has an identity of its own, so that a late answer is heard as well.
        self._waiting: dict[int, Question] = {}
        self._truncated: list[Question] = []
        self._exception = importlib.import_module("dns.exception")
        self._flags = importlib.import_module("dns.flags")
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
        """Asks until each question is answered or given up, or time is up."""
        self._waiting.clear()
        self._truncated.clear()
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as link:
            try:
                link.connect((server, PORT))
                self._exchange(link, _Turns(questions), deadline)
            except OSError:
                # Nothing listens there, or no route leads there: the next server is asked.
                return
        whole = together(lambda question: self._by_tcp(question, server), self._truncated, TCP_SECONDS)
        for question, reply in whole.items():
            if reply is not None:
                self._take(question, reply)

    def _exchange(self, link: socket.socket, turns: _Turns, deadline: float) -> None:
        end = min(deadline, time.monotonic() + SERVER_SECONDS)
        with selectors.DefaultSelector() as selector:
            selector.register(link, selectors.EVENT_READ)
            while not turns.over and time.monotonic() < end:
                for question in iter(turns.following, None):
                    self._send(link, question, turns)
                answered = selector.select(min(turns.pause, max(0.0, end - time.monotonic())))
                if answered and self._receive(link.recv(65535), turns):
                    end = deadline

    def _send(self, link: socket.socket, question: Question, turns: _Turns) -> None:
        try:
            query = self._message.make_query(*question)
        except (self._exception.DNSException, UnicodeError):
            turns.settle(question)
            return
        while query.id in self._waiting:
            query.id = (query.id + 1) % 65536
        link.send(query.to_wire())
        self._waiting[query.id] = question
        if len(self._waiting) > MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]

    def _receive(self, data: bytes, turns: _Turns) -> bool:
        """Whether it is the answer to a question of ours. One that the server refuses is asked again."""
        try:
            reply = self._message.from_wire(data, ignore_trailing=True)
        except (self._exception.DNSException, OSError, EOFError):
            return False
        question = self._waiting.pop(reply.id, None)
        if question is None or reply.rcode() == self._rcode.REFUSED:
            return False
        turns.settle(question)
        if reply.flags & self._flags.TC:
            self._truncated.append(question)
        else:
            self._take(question, reply)
        return True

    def _take(self, question: Question, reply: Any) -> None:
        if reply.rcode() in (self._rcode.NOERROR, self._rcode.NXDOMAIN):
            kind = self._type.from_text(question[1])
            records = [record for rrset in reply.answer if rrset.rdtype == kind for record in rrset]
            alias = any(rrset.rdtype == self._type.CNAME for rrset in reply.answer)
            self.answers[question] = Reply(records, alias)

    def _by_tcp(self, question: Question, server: str) -> Any:
        """The whole reply to a question whose answer does not fit a datagram, None if none comes."""
        query = importlib.import_module("dns.query")
        try:
            return query.tcp(self._message.make_query(*question), server, timeout=TCP_SECONDS, port=PORT)
        except (self._exception.DNSException, OSError, EOFError):
            return None
