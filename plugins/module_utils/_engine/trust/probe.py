# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a mail host, from one of the MX hosts that it trusts, whether it is a relay for that one. No message is sent."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.probe import unknown_recipient
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.stranger import foreign_recipients
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.proof import proof_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import (
    BOUNCES,
    TALK_SECONDS,
    Approach,
    Prober,
)


def probe_mail_host(server: str, port: int, helo: str, domains: Sequence[str], prober: Prober) -> Mapping[str, Any]:
    """What the mail host answered about recipients elsewhere, and about one of `domains` that nobody has."""
    domain = domains[0] if domains else server
    unknown = [unknown_recipient(domains[0])] if domains else []
    spellings = foreign_recipients(domain)
    asked = [(BOUNCES, unknown), (BOUNCES, spellings)] if unknown else [(BOUNCES, spellings)]
    talks = prober.talk(Approach(server, port, helo), asked, time.monotonic() + 2 * TALK_SECONDS)
    return proof_of(server, unknown, spellings, talks)
