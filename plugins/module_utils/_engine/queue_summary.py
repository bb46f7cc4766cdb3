# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What queue_info tells of a queue: what waits, what is kept, and when it bounces and drains."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.kept_mail import READ_AT_MOST, read_kept_mail
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_estimate import estimate
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import (
    Message,
    kept_with_subdomains,
    summary,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix


def summarised_queue(
    postfix: Postfix,
    messages: Sequence[Message],
    domains: Sequence[str],
    parents: Sequence[str] = (),
    log_bytes: int = 0,
    local: bool = False,
) -> dict[str, Any]:
    """What is added up of the messages for each of the domains (any, if none is named), and for all.

    What is kept of subdomains of `parents` counts as kept for these, as it does in messages that went through
    with_subdomains. So many of the last bytes of the mail log are read. `local`: tables on other hosts are not asked.
    """
    kept = read_kept_mail(postfix, messages, READ_AT_MOST)
    mail = kept_with_subdomains(kept.mail, parents) if parents else kept.mail
    now = time.time()
    found = summary(messages, domains, now, mail)
    estimates = estimate(postfix, messages, domains, now, log_bytes, local)
    found["total"].update(estimates.total.as_result(now))
    for domain, counts in found["domains"].items():
        counts.update(estimates.of(domain).as_result(now))
    return {**found, "unread": kept.unread}
