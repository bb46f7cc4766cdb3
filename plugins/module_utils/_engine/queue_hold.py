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
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.kept_mail import read_kept_mail
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import POLL_SECONDS, postsuper, read_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_release import alone_with_held_mail
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import (
    ACTIVE,
    DEFERRED,
    HOLD,
    INCOMING,
    Message,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue_hold import (
    HELD,
    RELEASED,
    SHOWN,
    HoldPlan,
    HoldRequest,
    arrived,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import put_private_file, read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import SECONDS_TO_ANSWER, Postfix

RECORD = ".mxrelay-held"
# For how long a delivery that is under way may go on, more than the 30 s of smtp_connect_timeout; when to give up.
SECONDS_TO_TRY = 40.0
SECONDS_IN_ALL = 60.0


def plan_hold(postfix: Postfix, request: HoldRequest) -> HoldPlan:
    """What would be done. Raises HostError if the queue can't be read."""
    return _planned(postfix, request, read_queue(postfix))


def _planned(postfix: Postfix, request: HoldRequest, messages: Sequence[Message]) -> HoldPlan:
    reports = {message.queue_id for message, _report in read_kept_mail(postfix, messages).mail}
    others = [message for message in messages if message.queue_id not in reports]
    chosen, left = request.chosen(others)
    held, _left = HoldRequest(SHOWN, request.domains, request.subdomains, mixed=True).chosen(others)
    known = _read_record(postfix)
    ours = known.intersection(message.queue_id for message in held)
    spent = arrived(others, known) if request.state == RELEASED else []
    return HoldPlan(chosen, left, held, frozenset(ours), spent)


def carry_out_hold(postfix: Postfix, request: HoldRequest) -> HoldPlan:
    """Plans and does it, one run at a time; the plan has what was done. Raises HostError."""
    with alone_with_held_mail(os.path.join(postfix.queue_directory(), "hold")):
        plan = plan_hold(postfix, request)
        if not (plan.chosen or plan.arrived):
            return plan
        if request.state == HELD:
            return _put_on_hold(postfix, request, plan)
        return _released(postfix, plan, request.flush)


def _put_on_hold(postfix: Postfix, request: HoldRequest, plan: HoldPlan) -> HoldPlan:
    """Puts on hold what is chosen, but not what arrives meanwhile. Raises HostError.

    A delivery that is under way may end first, since it would go on although the message is on hold. What is still
    tried after some seconds is put on hold all the same. What goes from one queue to another is seen in neither, so two
    looks in a row are to find nothing.
    """
    began, start = time.time(), time.monotonic()
    known, missing, clear = _read_record(postfix), plan.chosen, 0
    messages: list[Message] = []
    found: dict[str, Message] = {}
    interrupted: set[str] = set()
    while clear < 2 and time.monotonic() < start + SECONDS_IN_ALL:
        if missing:
            found.update((message.queue_id, message) for message in missing)
            # Before, so that a run that is killed leaves none of its own unknown.
            _write_record(postfix, [*known, *found])
            late = time.monotonic() >= start + SECONDS_TO_TRY
            if late:
                interrupted.update(message.queue_id for message in missing if message.queue == ACTIVE)
            postsuper(postfix, "-h", [message.queue_id for message in missing], *(() if late else (INCOMING, DEFERRED)))
        messages = read_queue(postfix)
        missing = [each for each in _planned(postfix, request, messages).chosen if each.arrival <= began]
        clear = 0 if missing else clear + 1
        if clear < 2:
            time.sleep(POLL_SECONDS)
    held = {message.queue_id for message in messages if message.queue == HOLD}
    _write_record(postfix, held.intersection([*known, *found]))
    done = [message for queue_id, message in found.items() if queue_id in held]
    return replace(plan, chosen=done, interrupted=len(interrupted & held))


def _released(postfix: Postfix, plan: HoldPlan, flush: bool) -> HoldPlan:
    """Raises HostError."""
    known = _read_record(postfix)
    postsuper(postfix, "-H", [*(message.queue_id for message in plan.chosen), *plan.arrived])
    held = {message.queue_id for message in read_queue(postfix) if message.queue == HOLD}
    _write_record(postfix, held & known)
    done = [message for message in plan.chosen if message.queue_id not in held]
    if flush:
        _retry(postfix, [message.queue_id for message in done])
    return replace(plan, chosen=done)


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
