# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a canary, by the answers that a stranger got, the log and the queue of the MX host."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.log import Delivery, Trace
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.message import Canary
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.answers import Answer, accepts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.canary import (
    BOUNCED,
    DELIVERED,
    DISCARDED,
    HELD,
    LOST,
    REDIRECTED,
    REFUSED,
    STANDBY,
    UNKNOWN,
    WAITING,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import HOLD, Message

_QUEUED_AS = re.compile(r"queued as (\w+)")
_ADDRESS = re.compile(r"\[([^\]]*)\]")
# Programs that send mail to another host by SMTP or LMTP, and those that only say so.
_SENDING = ("smtp", "lmtp")
_NOWHERE = "discard"
# The answer by which a secondary MX puts a sender off while the primary is up.
_STANDBY = (450, "4.3.2")
_POSTSCREEN = "Service currently unavailable"


@dataclass(frozen=True)
class Handed:
    """What the MX host answered to the stranger: of each command that was sent, in how many seconds, and by which TLS.

    `failure` says why the conversation ended early.
    """

    answers: Sequence[tuple[str, Answer]] = ()
    failure: str = ""
    seconds: float = 0.0
    tls: str = ""

    @property
    def accepted(self) -> bool:
        return bool(self.answers) and self.answers[-1][0] == "DATA" and accepts(self.answers[-1][1])

    @property
    def queue_id(self) -> str:
        match = _QUEUED_AS.search(self.answers[-1][1][1]) if self.accepted else None
        return match.group(1) if match else ""

    @property
    def refusal(self) -> tuple[str, Answer] | None:
        """The command that was refused, and how."""
        return next(((command, answer) for command, answer in self.answers if not accepts(answer)), None)

    @classmethod
    def from_result(cls, result: Mapping[str, Any]) -> Handed:
        answers = tuple((str(command), (int(code), str(text))) for command, (code, text) in result["answers"])
        return cls(answers, str(result["failure"]), float(result["seconds"]), str(result["tls"]))


@dataclass(frozen=True)
class Hop:
    """One step on the way: who was given the message, his answer, and how long the step took."""

    to: str
    answer: str
    seconds: float = 0.0
    delays: str = ""
    tls: str = ""
    queue_id: str = ""


@dataclass(frozen=True)
class Fate:
    """The outcome, why, and the hops so far. `settled`: nothing that comes can change it.

    `recipient` is where the message went in the end, "" if that is where it was sent to.
    """

    outcome: str
    reason: str
    hops: Sequence[Hop] = field(default_factory=list)
    settled: bool = False
    recipient: str = ""

    def as_result(self) -> dict[str, Any]:
        return {**asdict(self), "hops": [asdict(hop) for hop in self.hops]}


class Seen(NamedTuple):
    """What is known now: the log's trace, what is in the queue by queue id, and whether a log can be read at all.

    `without_tls` is what it means that the log has no TLS for a hop.
    """

    trace: Trace
    queue: Mapping[str, Message]
    readable: bool = True
    without_tls: str = ""


def is_left_out(canary: Canary, handed: Handed) -> bool:
    """Whether the domain has nobody to send to: its recipient was only assumed, and is not one."""
    refused = handed.refusal
    return canary.assumed and refused is not None and refused[0] == "RCPT" and refused[1][1].startswith("5.1.1")


def fate(canary: Canary, handed: Handed, seen: Seen) -> Fate:
    """What became of it so far."""
    trace = seen.trace
    hops = [_handed_in(canary, handed), *(_hop(delivery, seen.without_tls) for delivery in trace.deliveries)]
    if handed.refusal is not None or not (handed.accepted or trace.seen):
        return _at_the_door(handed, trace, hops)
    for kind, outcome in (("discard", DISCARDED), ("hold", HELD)):
        reasons = [action.why for action in trace.actions if action.kind == kind]
        if reasons:
            return Fate(outcome, reasons[0], hops, True)
    waiting = [seen.queue[queue_id] for queue_id in trace.queue_ids if queue_id in seen.queue]
    if any(message.queue == HOLD for message in waiting):
        return Fate(HELD, "it is on hold; the log does not say by which rule", hops, True)
    if trace.deliveries:
        return _by_its_last_deliveries(canary, trace, hops, bool(waiting))
    if waiting:
        reasons = [reason for message in waiting for _address, reason in message.recipients if reason]
        return Fate(
            WAITING, reasons[0] if reasons else "it is in the queue, and no attempt to hand it on has ended yet", hops
        )
    if not trace.seen:
        why = "no line of the log is about it" if seen.readable else "the log can't be read"
        return Fate(UNKNOWN, f"it is not in the queue, and {why}", hops, not seen.readable)
    return Fate(LOST, "it left the queue, and the log does not say where to", hops)


def _handed_in(canary: Canary, handed: Handed) -> Hop:
    command, answer = handed.answers[-1] if handed.answers else ("", (0, handed.failure))
    return Hop(canary.host, f"{answer[0]} {answer[1]}" if command else answer[1], handed.seconds, "", handed.tls)


def _hop(delivery: Delivery, without_tls: str) -> Hop:
    to = delivery.relay if delivery.relay not in ("", "none") else delivery.program
    tls = delivery.tls or (without_tls if delivery.program in _SENDING else "")
    return Hop(to, delivery.answer, delivery.delay, delivery.delays, tls, delivery.queue_id)


def _at_the_door(handed: Handed, trace: Trace, hops: Sequence[Hop]) -> Fate:
    refused = handed.refusal
    if refused is None:
        return Fate(REFUSED, f"the MX host did not answer the stranger ({handed.failure})", hops, True)
    command, (code, text) = refused
    if command == "RCPT" and (code, text[:5]) == _STANDBY and _POSTSCREEN not in text:
        return Fate(STANDBY, f"{command}: {code} {text}", hops, True)
    rules = [action.why for action in trace.actions if action.kind == "reject"]
    return Fate(REFUSED, f"{command}: {code} {text}" + (f"; the log says: {rules[0]}" if rules else ""), hops, True)


def _by_its_last_deliveries(canary: Canary, trace: Trace, hops: Sequence[Hop], waiting: bool) -> Fate:
    """By the attempts under its last queue id: before that it was on its way to a content filter and back."""
    last = [delivery for delivery in trace.deliveries if delivery.queue_id == trace.queue_ids[-1]]
    ours = [delivery for delivery in last if _same(delivery.to, canary.recipient)]
    ended = (ours or last)[-1:]
    if not ended:
        return Fate(WAITING if waiting else LOST, "a content filter has returned it", hops)
    delivery = ended[0]
    moved = "" if ours else delivery.to
    if delivery.status == "bounced" or trace.expired:
        return Fate(BOUNCED, f"{delivery.answer}; {_told(canary)}", hops, True, moved)
    if delivery.status == "deferred":
        return Fate(WAITING, delivery.answer, hops, False, moved)
    return _sent(delivery, moved, hops)


def _sent(delivery: Delivery, moved: str, hops: Sequence[Hop]) -> Fate:
    if delivery.program == _NOWHERE:
        return Fate(DISCARDED, f"the transport of the domain is {delivery.service}", hops, True)
    if _to_itself(delivery):
        return Fate(LOST, f"{delivery.relay} took it ({delivery.answer}), and it did not come back", hops)
    if moved:
        return Fate(
            REDIRECTED, f"it went to another address, by {delivery.relay} ({delivery.answer})", hops, True, moved
        )
    if delivery.program in _SENDING:
        return Fate(DELIVERED, f"{delivery.relay} took it ({delivery.answer})", hops, True)
    if delivery.program == "pipe":
        why = f"it was given to the program of {delivery.relay}; what that did with it is not in this log"
        return Fate(UNKNOWN, why, hops)
    return Fate(REDIRECTED, f"it stays on this host: {delivery.program} has {delivery.answer}", hops, True, delivery.to)


def _to_itself(delivery: Delivery) -> bool:
    """Whether it went to a program of this host over a loopback address or a socket, as content filters listen."""
    match = _ADDRESS.search(delivery.relay)
    if delivery.program not in _SENDING or match is None:
        return False
    try:
        return ipaddress.ip_address(match.group(1).replace("IPv6:", "")).is_loopback
    except ValueError:
        return match.group(1).startswith(("/", "private/", "public/"))


def _told(canary: Canary) -> str:
    return f"{canary.sender} is told" if canary.sender else "nobody is told, as its sender is <>"


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def left(traces: Iterable[Trace], queue: Mapping[str, Message]) -> list[str]:
    """The queue ids of canaries, and of bounces made for them, that are still in the queue."""
    known = [queue_id for trace in traces for queue_id in [*trace.queue_ids, *trace.notices]]
    return [queue_id for queue_id in dict.fromkeys(known) if queue_id in queue]
