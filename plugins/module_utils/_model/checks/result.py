# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check found wrong, as a fault, and as the finding that is told of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError

ERROR = "error"
WARNING = "warning"
INFO = "info"
LOCAL = "local"
DNS = "dns"
REMOTE = "remote"
# The part of a message's path that a finding is about: from the sender by the MX records to this host, its recipients,
# its nexthop, and the mail host itself.
SENDER = "sender"
MX = "mx"
HOST = "host"
RECIPIENTS = "recipients"
NEXTHOP = "nexthop"
MAIL_HOST = "mail_host"


@dataclass(frozen=True)
class Fault:
    """What one check found: the sentence, its remedy, how bad it is, and of which domain it is ("" for the host).

    `place` is for a fault that lies elsewhere on the path than its check says; `subject` names what of the host it is
    about, by which one of several faults of a check is told from the others.
    """

    message: str
    remedy: str
    severity: str = ERROR
    domain: str = ""
    place: str = ""
    subject: str = ""


@dataclass(frozen=True)
class Finding:
    """One judgement. `scope` tells whether this host, DNS or another host has to be put right.

    `check` is the stable name of what was checked, `place` where it is on the path of the domain's mail.
    """

    domain: str
    check: str
    severity: str
    scope: str
    message: str
    remedy: str
    place: str = HOST
    subject: str = ""
    # Until when, and why, somebody accepts it; "" if nobody does.
    accepted: str = ""

    def as_result(self) -> dict[str, Any]:
        text = f"{self.domain or 'this host'} ({self.check}): {self.message}; {self.accepted or self.remedy}"
        return {**asdict(self), "text": text}


@dataclass(frozen=True)
class Refusal:
    """One reason not to go on: which domain (empty: the host), what was checked, why, and what to do."""

    domain: str
    check: str
    cause: str
    remedy: str

    @classmethod
    def from_error(cls, domain: str, check: str, error: MxRelayError) -> Refusal:
        return cls(domain, check, *error.cause_and_remedy("correct the value"))

    @classmethod
    def from_finding(cls, finding: Finding) -> Refusal:
        """What a check found in the state that a run would leave."""
        return cls(finding.domain, finding.check, finding.message, finding.remedy)
