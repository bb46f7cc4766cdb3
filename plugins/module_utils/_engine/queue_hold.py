# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts queued mail of some domains on hold, and releases what is on hold of it. See postsuper(1).

Reports of refused mail are on hold for another reason, and never touched. A record beside main.cf has the ids of what
was put on hold here, so that it can be told from what others did; it decides nothing.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import Iterable, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.kept_mail import read_kept_mail
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import postsuper, read_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_release import alone_with_held_mail
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import HOLD, Message
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue_hold import (
    HELD,
    RELEASED,
    SHOWN,
    HoldRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import put_private_file, read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import SECONDS_TO_ANSWER, Postfix

RECORD = ".mxrelay-held"
# For how long to look for what goes from one queue to another.
SECONDS_TO_MOVE = 10.0


@dataclass(frozen=True)
class HoldPlan:
    """The messages to act on, how many are left as they also go elsewhere, what is on hold for the domains, and the
    ids of what was put on hold by this module."""

    chosen: Sequence[Message] = ()
    left: int = 0
    held: Sequence[Message] = ()
    ours: frozenset[str] = field(default_factory=frozenset)


def plan_hold(postfix: Postfix, request: HoldRequest) -> HoldPlan:
    """What would be done. Raises HostError if the queue can't be read."""
    return _planned(postfix, request, read_queue(postfix))


def _planned(postfix: Postfix, request: HoldRequest, messages: Sequence[Message]) -> HoldPlan:
    reports = {message.queue_id for message, _report in read_kept_mail(postfix, messages).mail}
    others = [message for message in messages if message.queue_id not in reports]
    chosen, left = request.chosen(others)
    held, _left = HoldRequest(SHOWN, request.domains, request.subdomains, mixed=True).chosen(others)
    ours = _read_record(postfix).intersection(message.queue_id for message in held)
    return HoldPlan(chosen, left, held, frozenset(ours))


def carry_out_hold(postfix: Postfix, request: HoldRequest) -> HoldPlan:
    """Plans and does it, one run at a time; the plan has what was done. Raises HostError."""
    with alone_with_held_mail(os.path.join(postfix.queue_directory(), "hold")):
        plan = plan_hold(postfix, request)
        if not plan.chosen:
            return plan
        chosen, held = _moved(postfix, request, plan.chosen)
        done = [message for message in chosen if (message.queue_id in held) is (request.state == HELD)]
        if request.flush and request.state == RELEASED:
            _retry(postfix, [message.queue_id for message in done])
        return HoldPlan(done, plan.left, plan.held, plan.ours)


def _moved(postfix: Postfix, request: HoldRequest, chosen: Sequence[Message]) -> tuple[list[Message], set[str]]:
    """Puts the messages on hold or releases them; all that were chosen, and the ids of all that is on hold then.

    What goes from one queue to another at that moment is seen in neither: it is looked for again, but not what arrives
    meanwhile.
    """
    began, deadline = time.time(), time.monotonic() + SECONDS_TO_MOVE
    known, found = _read_record(postfix), {message.queue_id: message for message in chosen}
    missing = list(found)
    while True:
        if request.state == HELD:
            # Before, so that a run that is killed leaves none of its own unknown.
            _write_record(postfix, [*known, *found])
        postsuper(postfix, "-h" if request.state == HELD else "-H", missing)
        messages = read_queue(postfix)
        again = {message.queue_id: message for message in _planned(postfix, request, messages).chosen}
        missing = [queue_id for queue_id, message in again.items() if message.arrival <= began]
        if not missing or time.monotonic() >= deadline:
            break
        found.update((queue_id, again[queue_id]) for queue_id in missing)
    held = {message.queue_id for message in messages if message.queue == HOLD}
    _write_record(postfix, [queue_id for queue_id in {*known, *found} if queue_id in held])
    return list(found.values()), held


def _retry(postfix: Postfix, ids: Iterable[str]) -> None:
    """By its id each: the fast flush service forgets what is on hold. See flush(8). Raises HostError."""
    for queue_id in ids:
        result = postfix.run("postqueue", "-i", queue_id, silence=SECONDS_TO_ANSWER)
        if result.rc != 0:
            raise HostError(
                f"postqueue -i failed: {result.err.strip()}; the mail is released, and waits for the next queue run"
            )


def _read_record(postfix: Postfix) -> set[str]:
    try:
        known = json.loads(read_file(os.path.join(postfix.config_directory, RECORD)) or b"[]")
    except ValueError:
        return set()
    return {each for each in known if isinstance(each, str)} if isinstance(known, list) else set()


def _write_record(postfix: Postfix, ids: Iterable[str]) -> None:
    """Raises HostError."""
    path = os.path.join(postfix.config_directory, RECORD)
    refuse_open_place(path)
    kept = sorted(set(ids))
    put_private_file(path, json.dumps(kept).encode() if kept else None)
