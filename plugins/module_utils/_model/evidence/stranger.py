# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host told a stranger, who asked from outside: facts only, no judgement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import ServedCertificate
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Talk


@dataclass(frozen=True)
class StrangerEvidence:
    """Conversations of a stranger with `server`, the name or address by which the world reaches this host.

    `talks` are the conversations about each domain, of the sender `<>`, `listed` and `unknown` the recipients named in
    them that the host should know and not know; `foreign` are those about recipients elsewhere. `senders` are those
    about each domain of an ordinary sender, `others` those about recipients elsewhere on other ports, and of a client
    who says that he is another one. `shown` is the certificate that he is shown, None if he did not look; `now` is the
    time in seconds since the epoch.
    """

    server: str
    talks: Mapping[str, Talk]
    listed: Mapping[str, str]
    unknown: Mapping[str, str]
    foreign: Sequence[Talk]
    senders: Mapping[str, Talk] = field(default_factory=dict)
    others: Sequence[Talk] = ()
    shown: ServedCertificate | None = None
    now: float = 0.0
