# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domains are relayed here, and how much mail is expected for them, as somebody says or as the mail log tells."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_parameters
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import read_relay_domains
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import MailVolume
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.volume import (
    DAY,
    given_volume,
    measured_volume,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.mail_log import (
    LOG_PARAMETERS,
    HostMailLog,
    MailLog,
    first_with,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

# The queue manager logs the size of each message.
_WORDS = ("/qmgr[",)
LOG_DAYS = 7


def host_mail_log(postfix: Postfix) -> MailLog:
    """The log of an instance."""
    return HostMailLog.of(postfix.commands, postfix.parameters(list(LOG_PARAMETERS), ["-x"]))


def expected_volume(
    postfix: Postfix,
    domains: Collection[str],
    given: str,
    now: float,
    mail_log: Callable[[Postfix], MailLog] = host_mail_log,
) -> dict[str, Any]:
    """A day's mail for all domains together, and for each, as mx_outage returns it. Raises InvalidInput."""
    if given:
        return {**asdict(MailVolume(given_volume(given))), "days": None, "domains": {}}
    log = mail_log(postfix)
    lines = first_with([log.lately(position, LOG_DAYS) for position in log.positions()], _WORDS)
    found = measured_volume(lines, domains, now)
    return {
        **asdict(found.of(domains)),
        "days": round(found.seconds / DAY, 1),
        "domains": {name: asdict(found.of([name])) for name in domains},
    }


def relayed_here(postfix: Postfix, domains: Collection[str]) -> list[str]:
    """Those of the domains that relay_domains names. Raises HostError."""
    reader = MapReader(postfix)
    state = read_parameters(postfix, reader)
    relayed = read_relay_domains(list(domains), state, reader).relayed
    return [name for name in domains if name in relayed]
