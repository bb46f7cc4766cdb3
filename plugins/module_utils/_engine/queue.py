# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the queue, and makes Postfix retry what waits in it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.kept_mail import READ_AT_MOST, read_kept_mail
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.routing import await_routes
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import (
    DEFERRED,
    HOLD,
    Message,
    parse_json,
    parse_listing,
    returnable,
    waiting_for,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import first_release, supports
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import SECONDS_TO_ANSWER, Postfix

# What `postqueue` says when no daemon takes its request.
_DOWN = "mail system is down"
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Flush:
    """What is to be tried again: for each domain the messages that wait, and how many are on hold and stay.

    Of what is on hold, `kept` are reports of refused mail.
    """

    waiting: dict[str, list[Message]]
    held: dict[str, int]
    everything: bool
    kept: int = 0

    @property
    def queue_ids(self) -> list[str]:
        """Each message once, in the order of the queue."""
        return list(dict.fromkeys(message.queue_id for messages in self.waiting.values() for message in messages))

    def as_result(self) -> dict[str, Any]:
        """How many messages there are, all together and by domain, and how many stay on hold."""
        return {
            "count": len(self.queue_ids),
            "domains": {domain: len(messages) for domain, messages in sorted(self.waiting.items())},
            "held": dict(sorted(self.held.items())),
        }


def read_queue(postfix: Postfix) -> list[Message]:
    """All messages of the instance's queue. Raises HostError if it can't be read."""
    if supports(postfix.version(), "queue_as_json"):
        return parse_json(postfix.check("postqueue", "-j", silence=SECONDS_TO_ANSWER))
    return parse_listing(postfix.check("postqueue", "-p", silence=SECONDS_TO_ANSWER), time.time())


def waiting_mail(postfix: Postfix) -> tuple[dict[str, int], dict[str, int]]:
    """How many messages wait for each domain, those on hold included, and how many of these can't be returned for it.

    What is on its way just now does not wait. Raises HostError if the queue can't be read.
    """
    waiting = waiting_for([message for message in read_queue(postfix) if message.queue in (DEFERRED, HOLD)], ())
    stay = {domain: sum(not returnable(message, [domain]) for message in mail) for domain, mail in waiting.items()}
    return {domain: len(messages) for domain, messages in waiting.items()}, stay


def waiting_after(
    look: Callable[[], list[Message]], domains: Sequence[str], seconds: float, old_sessions: Callable[[], int]
) -> tuple[list[Message], int]:
    """What `look` finds in the queue, and how many sessions may still bring mail by an old configuration.

    Looks again until nothing waits for the domains and `old_sessions` counts none, for at most so many seconds.
    """
    deadline = time.monotonic() + seconds
    while True:
        # In this order: what a session brings is in the queue before it ends.
        sessions, messages = old_sessions(), look()
        if not (sessions or any(waiting_for(messages, domains).values())) or time.monotonic() >= deadline:
            return messages, sessions
        time.sleep(POLL_SECONDS)


def plan_flush(postfix: Postfix, domains: Sequence[str]) -> Flush:
    """What waits for the domains, or without any for all. Mail on hold waits for an administrator, not for a flush."""
    messages = read_queue(postfix)
    reports = {message.queue_id for message, _report in read_kept_mail(postfix, messages, READ_AT_MOST).mail}
    found = waiting_for((message for message in messages if message.queue_id not in reports), domains)
    waiting = {domain: [message for message in mail if message.queue != HOLD] for domain, mail in found.items()}
    held = {domain: len(mail) - len(waiting[domain]) for domain, mail in found.items()}
    return Flush(
        waiting={domain: messages for domain, messages in waiting.items() if messages},
        held={domain: number for domain, number in held.items() if number},
        everything=not domains,
        kept=0 if domains else len(reports),
    )


def flush(postfix: Postfix, plan: Flush) -> None:
    """Makes Postfix retry what the plan names, by the transport tables as they are now.

    Raises HostError if Postfix is not running.
    """
    await_routes(postfix)
    if plan.everything:
        _send(postfix, "-f")
        return
    for domain, messages in plan.waiting.items():
        # One request for all if the domain is among fast_flush_domains, else one for each message.
        if not _accepts(postfix, "-s", domain):
            if not supports(postfix.version(), "flush_by_queue_id"):
                raise HostError(
                    f"messages for {domain} can't be tried again by themselves before Postfix "
                    f"{first_release('flush_by_queue_id')}, as fast_flush_domains does not have it; add it there, or "
                    "flush without naming domains"
                )
            for message in messages:
                _send(postfix, "-i", message.queue_id)


def postsuper(postfix: Postfix, option: str, ids: Iterable[str], *queues: str) -> None:
    """Does it with the messages, of these queues alone if any is named; what has gone meanwhile is passed over.

    Raises HostError.
    """
    data = "".join(f"{each}\n" for each in ids).encode("ascii")
    result = postfix.run("postsuper", option, "-", *queues, data=data)
    if result.rc != 0:
        raise HostError(f"postsuper {option} failed: {result.err.strip()}; run as root (become: true)")


def left_after(look: Callable[[], list[Message]], plan: Flush, seconds: float) -> int:
    """How many of the messages that were retried `look` still finds in the queue, after at most so many seconds.

    What comes in meanwhile does not count.
    """
    deadline = time.monotonic() + seconds
    while True:
        left = len({message.queue_id for message in look()}.intersection(plan.queue_ids))
        if not left or time.monotonic() >= deadline:
            return left
        time.sleep(POLL_SECONDS)


def _accepts(postfix: Postfix, *request: str) -> bool:
    """Whether Postfix takes the request. Raises HostError if it is not running."""
    result = postfix.run("postqueue", *request, silence=SECONDS_TO_ANSWER)
    if _DOWN in result.err:
        raise HostError("Postfix is not running, so nothing in its queue is delivered; start it")
    return result.rc == 0


def _send(postfix: Postfix, *request: str) -> None:
    if not _accepts(postfix, *request):
        raise HostError(f"postqueue {' '.join(request)} failed; see the mail log, and try `postqueue -f` on the host")
