# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Returns to its senders what waits for some domains, long before it expires. See postsuper(1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import Flush, flush, plan_flush, postsuper
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import DEFERRED, returnable
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import first_release
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix


@dataclass(frozen=True)
class Bounce:
    """The mail that is to be returned, and for each domain how many messages stay as they are also for others."""

    mail: Flush
    shared: dict[str, int] = field(default_factory=dict)


def plan_bounce(postfix: Postfix, domains: Sequence[str]) -> Bounce:
    """What would be returned. Raises HostError if the queue can't be read, or Postfix can't do it.

    What is on its way just now may be delivered, and so stays.
    """
    if not postfix.has("forced_expiry"):
        raise HostError(
            f"Postfix before {first_release('forced_expiry')} can't return mail before it expires; deliver it, or let "
            "it expire"
        )
    plan = plan_flush(postfix, domains)
    waiting, shared = {}, Counter[str]()
    for domain, messages in plan.waiting.items():
        waiting[domain] = [message for message in messages if returnable(message, domains)]
        shared[domain] = sum(message.queue == DEFERRED for message in messages) - len(waiting[domain])
    return Bounce(
        replace(plan, waiting={domain: messages for domain, messages in waiting.items() if messages}),
        {domain: number for domain, number in shared.items() if number},
    )


def bounce(postfix: Postfix, plan: Bounce) -> None:
    """Has Postfix return the mail after one more try, which is made now. Raises HostError if it can't."""
    postsuper(postfix, "-e", plan.mail.queue_ids, DEFERRED)
    flush(postfix, plan.mail)
