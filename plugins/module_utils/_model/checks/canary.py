# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of what became of a domain's last canary."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import DOMAIN, Register
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    ERROR,
    HOST,
    INFO,
    LOCAL,
    MAIL_HOST,
    RECIPIENTS,
    SENDER,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence import canary as known
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState

# An older canary says what was, not what is.
OLD_SECONDS = 7 * 86400

check = Register(DOMAIN)

# What each outcome but delivered means: how bad it is, where on the path it is, what to do.
_MEANING = {
    known.WAITING: (WARNING, MAIL_HOST, "waited in the queue", "see why in its reason; mail waits like it"),
    known.BOUNCED: (ERROR, MAIL_HOST, "bounced", "correct what the answer complains about, mostly on the mail host"),
    known.HELD: (ERROR, HOST, "was put on hold", "remove the rule that holds it, or release held mail in time"),
    known.DISCARDED: (ERROR, HOST, "was discarded", "remove the rule or transport that discards it"),
    known.REDIRECTED: (
        ERROR,
        RECIPIENTS,
        "went to another address",
        "remove the row that rewrites it, or name another recipient in canary_recipients",
    ),
    known.REFUSED: (
        ERROR,
        SENDER,
        "was refused at the door",
        "remove the rule that refuses it, or correct recipient or sender",
    ),
    known.STANDBY: (INFO, HOST, "was put off by standby", "nothing: the primary MX answers"),
    known.LOST: (ERROR, HOST, "is gone", "look for its Message-ID in the log of what took it"),
    known.UNKNOWN: (WARNING, HOST, "could not be followed", "let Postfix log to the journal, syslog or maillog_file"),
}


@check("canary", LOCAL, "the last canary did not arrive")
def canary(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    seen = domain.canary
    if seen is None or seen.outcome not in _MEANING:
        return
    severity, place, became, remedy = _MEANING[seen.outcome]
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seen.time))
    yield Fault(
        f"the canary of {when} {became} ({seen.reason})",
        f"{remedy}, then run the canary again",
        severity if seen.age < OLD_SECONDS else INFO,
        domain.name,
        place,
    )
