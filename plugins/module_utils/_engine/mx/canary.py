# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends a canary for each domain and follows it: planned and followed on the MX host, sent by a stranger to it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.canary_record import (
    outcomes_path,
    write_outcomes,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_parameters
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import look_at
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import read_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.fate import (
    Fate,
    Handed,
    Seen,
    fate,
    is_left_out,
    left,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.log import Trace, Wanted, traces
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.message import Canary
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.canary import canary as check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.canary import CanaryEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import (
    address,
    addresses_by_domain,
    domain_names,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import common_reason
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.mail_log import MailLog, first_with
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.messenger import Messenger
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

SECONDS_TO_SEND = 120.0
POLL_SECONDS = 0.5
# How the log tells TLS of the relay service: not at all, unless smtp_tls_loglevel is 1 or more.
NO_TLS = "none"
NOT_LOGGED = "not logged"


def plan_canaries(params: Mapping[str, Any], postfix: Postfix, log: MailLog) -> Outcome:
    """For each domain the message, and where the logs end before it is sent. Raises InvalidInput and HostError."""
    wanted = domain_names(params.get("domains") or [], "domains")
    sender = address(params["sender"], "sender") if params.get("sender") else ""
    recipients = addresses_by_domain(params.get("recipients") or {}, "recipients")
    if not postfix.installed():
        raise HostError(f"no Postfix with its configuration in {postfix.config_directory}; correct config_directory")
    reader = MapReader(postfix)
    state, names = look_at(wanted, read_parameters(postfix, reader), reader)
    host = state.value("myhostname")
    canaries = [
        Canary(
            domain=name,
            recipient=recipients.get(name, f"postmaster@{name}"),
            sender=sender,
            token=secrets.token_hex(8),
            host=host,
            assumed=name not in recipients,
        )
        for name in names
    ]
    plan = {
        "canaries": [canary.as_result() for canary in canaries],
        "logs": list(log.positions()),
        "without_tls": _without_tls(state),
    }
    return Outcome(results={"plan": plan})


def _without_tls(state: HostState) -> str:
    """What it means that the log has no line about TLS of a delivery."""
    if state.value("smtp_tls_security_level") in ("", "none") or state.value("smtp_tls_loglevel") not in ("", "0"):
        return NO_TLS
    return NOT_LOGGED


def _canaries(plan: Mapping[str, Any]) -> list[Canary]:
    try:
        return [Canary.from_result(item) for item in plan["canaries"]]
    except (KeyError, TypeError) as error:
        raise InvalidInput("mx_canary: plan is not the plan of a task with state: planned; give its result") from error


def send(params: Mapping[str, Any], messenger: Messenger) -> Outcome:
    """Hands the planned messages in, as a stranger. Raises InvalidInput."""
    canaries = _canaries(params["plan"])
    answers = messenger.hand_in(str(params["server"]), int(params["port"]), canaries, SECONDS_TO_SEND)
    handed = {
        canary.domain: {
            "answers": [[command, list(answer)] for command, answer in said.answers],
            "failure": said.failure,
            "seconds": said.seconds,
            "tls": said.tls,
        }
        for canary, said in zip(canaries, answers)
    }
    return Outcome(results={"handed": handed})


@dataclass
class Pursuit:
    """The messages that are followed, and what is known of each."""

    canaries: Mapping[str, Canary]
    handed: Mapping[str, Handed]
    postfix: Postfix
    log: MailLog
    plan: Mapping[str, Any]
    fates: dict[str, Fate] = field(default_factory=dict)
    traces: dict[str, Trace] = field(default_factory=dict)
    queue: list[str] = field(default_factory=list)

    def look(self) -> bool:
        """Learns what is known now; whether nothing more is to be expected."""
        lines = [self.log.since(position) for position in self.plan["logs"]]
        wanted = {
            name: Wanted(canary.message_id, canary.sender, canary.recipient, self.handed[name].queue_id)
            for name, canary in self.canaries.items()
        }
        words = [
            word
            for canary in wanted.values()
            for word in (canary.message_id, canary.queue_id, f"to=<{canary.recipient}>")
            if word
        ]
        self.traces = traces(first_with(lines, words), wanted)
        queue = {message.queue_id: message for message in read_queue(self.postfix)}
        readable = any(line for log in lines for line in log)
        for name, canary in self.canaries.items():
            seen = Seen(self.traces[name], queue, readable, str(self.plan["without_tls"]))
            self.fates[name] = fate(canary, self.handed[name], seen)
        self.queue = left(self.traces.values(), queue)
        return all(found.settled for found in self.fates.values())


def follow(
    params: Mapping[str, Any],
    postfix: Postfix,
    log: MailLog,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """What became of the messages, as soon as it is known or `wait` seconds are over. Raises MxRelayError."""
    handed = {name: Handed.from_result(said) for name, said in params["handed"].items()}
    planned = _canaries(params["plan"])
    sent = [canary for canary in planned if canary.domain in handed]
    skipped = {
        canary.domain: f"{canary.recipient} is refused, and no recipient is given for it"
        for canary in sent
        if is_left_out(canary, handed[canary.domain])
    }
    followed = {canary.domain: canary for canary in sent if canary.domain not in skipped}
    pursuit = Pursuit(followed, handed, postfix, log, params["plan"])
    deadline = clock() + int(params["wait"])
    while followed and not pursuit.look() and clock() < deadline:
        sleep(POLL_SECONDS)
    now = int(time.time())
    outcomes = {name: {**found.as_result(), "time": now} for name, found in pursuit.fates.items()}
    return Outcome(
        results={
            "outcomes": outcomes,
            # A result of the name skipped would make Ansible take the task for one that was skipped.
            "without_recipient": skipped,
            "left": pursuit.queue,
            "message_ids": [canary.message_id for canary in followed.values()],
            "findings": _findings(outcomes),
            "lines": [
                *(_line(name, found) for name, found in pursuit.fates.items()),
                *(f"{name}: skipped: {why}" for name, why in skipped.items()),
                *(f"{canary.domain}: nothing was sent" for canary in planned if canary.domain not in handed),
                *(f"{queue_id} is still in the queue, and will be removed" for queue_id in pursuit.queue),
            ],
        }
    )


def evidence_of(outcomes: Mapping[str, Mapping[str, Any]]) -> dict[str, CanaryEvidence]:
    """What is remembered of outcomes: without addresses."""
    return {
        name: CanaryEvidence(str(found["outcome"]), common_reason(str(found["reason"])), int(found["time"]))
        for name, found in outcomes.items()
    }


def _findings(outcomes: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    evidence = evidence_of(outcomes)
    domains = [DomainEvidence(name, canary=seen) for name, seen in evidence.items()]
    return [finding.as_result() for domain in domains for finding in check(domain, HostState())]


def _line(name: str, found: Fate) -> str:
    to = f" (to {found.recipient})" if found.recipient else ""
    hops = ", ".join(f"{hop.to} {hop.seconds:g} s{f' {hop.tls}' if hop.tls else ''}" for hop in found.hops)
    return f"{name}: {found.outcome}{to}: {found.reason} [{hops}]"


def finish(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """Removes what is left of the messages from the queue, and remembers what became of them. Raises HostError."""
    marks = [str(mark) for mark in params["message_ids"]]
    ours = [queue_id for queue_id in params["left"] if _is_ours(postfix, str(queue_id), marks)]
    outcomes = evidence_of(params["outcomes"])
    if not check_mode:
        for queue_id in ours:
            postfix.check("postsuper", "-d", queue_id)
        if outcomes:
            write_outcomes(outcomes_path(postfix.config_directory), outcomes)
    return Outcome(changed=bool(ours or outcomes), results={"removed": ours})


def _is_ours(postfix: Postfix, queue_id: str, marks: Sequence[str]) -> bool:
    """Whether a queue id, which Postfix may have given to another message by now, is still that of one of ours."""
    result = postfix.run("postcat", "-q", queue_id)
    return result.rc == 0 and any(mark in result.out for mark in marks)
