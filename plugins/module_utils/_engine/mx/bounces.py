# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the queue for how soon mail of each domain bounces."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import read_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.estimate import RetryTimes, first_bounce
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import HOLD, waiting_for
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.deferred_queue import due_times
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix


def seconds_to_bounces(names: Sequence[str], postfix: Postfix, state: HostState, now: float) -> dict[str, float]:
    """The seconds until the first message bounces, of each of the domains for which mail waits.

    A queue that can't be read tells nothing.
    """
    try:
        messages = read_queue(postfix) if names else []
    except HostError:
        return {}
    waiting = waiting_for((message for message in messages if message.queue != HOLD), names)
    due = due_times(state.value("queue_directory")) if waiting else {}
    times = RetryTimes.from_values(state.values)
    bounces = {name: first_bounce(mail, times, now, due) for name, mail in waiting.items()}
    return {name: moment - now for name, moment in bounces.items() if moment is not None}
