# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Postfix's log says of some messages: where each went under which queue ids, and what was done to it.

A message is known by the queue id that smtpd answered with, and by its Message-ID, under which it also comes back from
a content filter. Lines are as syslog and journalctl write them; short and long queue ids are alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_LINE = re.compile(r"([^\s\[]+)\[(\d+)\]: (.*)$")
_ENTRY = re.compile(r"(\w{5,}): (.*)$")
_NO_QUEUE_ID = "NOQUEUE"
_MESSAGE_ID = re.compile(r"(?:resent-)?message-id=<?([^>\s]+)")
_ACTION = re.compile(r"(?:milter-)?(?:reject|discard|hold|redirect): ")
_FIELD = re.compile(r"(\w+)=(<[^>]*>|[^,]*)(?:, |$)")
_STATUS = re.compile(r"^(.*), status=(\w+)(?:,? \(?(.*?)\)?)?$")
_NOTICE = re.compile(r"(?:sender|postmaster) .*notification: (\w+)$")
_EXPIRED = "status=expired"
_TLS = re.compile(r"TLS connection (?:established|reused) to (\S+): (TLSv[\d.]+|SSLv\d)")
_ENVELOPE = re.compile(r"; from=<([^>]*)>(?: to=<([^>]*)>)?[^;]*$")
_RULE = re.compile(r" helo=<[^>]*>: (.*)$")


class Line(NamedTuple):
    """A line of a daemon: its program, the service under whose name it runs, its process, and what it says."""

    program: str
    service: str
    process: str
    text: str


class Action(NamedTuple):
    """What a rule did: `reject`, `discard`, `hold` or `redirect`, and the log's words for why."""

    kind: str
    why: str


class Delivery(NamedTuple):
    """One attempt for one recipient. `delays` are Postfix's four: before the queue manager, in it, connection, sending.

    `tls` is the protocol's version, "" where the log does not tell.
    """

    queue_id: str
    program: str
    service: str
    to: str
    original: str
    relay: str
    delay: float
    delays: str
    dsn: str
    status: str
    answer: str
    tls: str


@dataclass
class Trace:
    """All that the log says of one message, in its order. `notices` are queue ids of bounces made for it."""

    queue_ids: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    expired: bool = False
    seen: bool = False


class Wanted(NamedTuple):
    """By what a message is known: its Message-ID without <>, its envelope, and the queue id that smtpd gave, if any."""

    message_id: str
    sender: str
    recipient: str
    queue_id: str = ""


def parse_line(text: str) -> Line | None:
    """A line of Postfix, None if it has not the form of one."""
    match = _LINE.search(text)
    if match is None or "/" not in match.group(1):
        return None
    names = match.group(1).split("/")
    return Line(names[-1], names[-2] if len(names) > 2 else names[-1], match.group(2), match.group(3))


def traces(lines: Iterable[str], wanted: Mapping[str, Wanted]) -> dict[str, Trace]:
    """The trace of each message that is wanted, by its name."""
    parsed = [line for line in map(parse_line, lines) if line is not None]
    found = {name: Trace([message.queue_id] if message.queue_id else []) for name, message in wanted.items()}
    names = {message.message_id: name for name, message in wanted.items()}
    for _line, queue_id, text in _entries(parsed):
        match = _MESSAGE_ID.match(text)
        name = names.get(match.group(1)) if match else None
        if name is not None and queue_id not in found[name].queue_ids:
            found[name].queue_ids.append(queue_id)
    reader = _Reader(wanted, found)
    for line in parsed:
        reader.take(line)
    return found


def _entries(lines: Sequence[Line]) -> Iterator[tuple[Line, str, str]]:
    for line in lines:
        match = _ENTRY.match(line.text)
        if match:
            yield line, match.group(1), match.group(2)


class _Reader:
    """Takes line after line, and hands what each says to the message that it is about."""

    def __init__(self, wanted: Mapping[str, Wanted], found: Mapping[str, Trace]) -> None:
        self.found = found
        self.owners = {queue_id: name for name, trace in found.items() for queue_id in trace.queue_ids}
        self.envelopes = {(message.sender, message.recipient): name for name, message in wanted.items()}
        # What smtpd did before it had a queue id, and the TLS of a client's connections, by process.
        self.before: dict[str, list[Action]] = {}
        self.tls: dict[tuple[str, str], str] = {}

    def take(self, line: Line) -> None:
        match = _ENTRY.match(line.text)
        secured = _TLS.search(line.text)
        if secured:
            self.tls[line.process, secured.group(1)] = secured.group(2)
        elif match is None:
            self.before.pop(line.process, None)
        elif match.group(1) == _NO_QUEUE_ID:
            self._before_the_queue(line, match.group(2))
        elif match.group(1) in self.owners:
            self._entry(line, match.group(1), match.group(2), self.found[self.owners[match.group(1)]])

    def _before_the_queue(self, line: Line, text: str) -> None:
        action = _action(text)
        envelope = _ENVELOPE.search(text)
        name = self.envelopes.get((envelope.group(1), envelope.group(2) or "")) if envelope else None
        if action is None or name is None:
            return
        if action.kind == "reject":
            self.found[name].actions.append(action)
        else:
            self.before.setdefault(line.process, []).append(action)

    def _entry(self, line: Line, queue_id: str, text: str, trace: Trace) -> None:
        trace.seen = True
        action, notice = _action(text), _NOTICE.match(text)
        if text.startswith("client="):
            trace.actions += self.before.pop(line.process, [])
        elif action:
            trace.actions.append(action)
        elif notice:
            trace.notices.append(notice.group(1))
        elif text.startswith("removed (discarded)") and not trace.actions:
            trace.actions.append(Action("discard", "removed (discarded)"))
        elif _EXPIRED in text:
            trace.expired = True
        elif text.startswith("to=<"):
            delivery = _delivery(line, queue_id, text, self.tls)
            if delivery is not None:
                trace.deliveries.append(delivery)


def _action(text: str) -> Action | None:
    match = _ACTION.match(text)
    if match is None:
        return None
    kind = match.group().rstrip(": ").rpartition("-")[2]
    why = text[match.end() :]
    rule = _RULE.search(why)
    return Action(kind, _ENVELOPE.sub("", why) + (f" ({rule.group(1)})" if rule else ""))


def _delivery(line: Line, queue_id: str, text: str, tls: Mapping[tuple[str, str], str]) -> Delivery | None:
    match = _STATUS.match(text)
    if match is None:
        return None
    fields = {name: value.strip("<>") for name, value in _FIELD.findall(match.group(1))}
    relay = fields.get("relay", "")
    return Delivery(
        queue_id,
        line.program,
        line.service,
        fields.get("to", ""),
        fields.get("orig_to", ""),
        relay,
        _number(fields.get("delay", "")),
        fields.get("delays", ""),
        fields.get("dsn", ""),
        match.group(2),
        match.group(3) or "",
        tls.get((line.process, relay), ""),
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
