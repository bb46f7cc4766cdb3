# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the tables that main.cf names, and of the host besides its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import MailVolume, QueueSpace


@dataclass(frozen=True)
class TableEvidence:
    """A local table that main.cf names: by which parameter, as what, and whether its index matches its source.

    `modified` is when the source was written, in seconds of the clock; None without a source. `unreadable_for` names
    whom the table's mode keeps out although he has to read it. `problem` is why a table that is UNREACHABLE, which need
    not be local, can't be asked; `record_problem` why what is kept of the sources of its lists can't be believed.
    """

    parameter: str
    reference: str
    index: str
    entries: int
    modified: int | None = None
    unreadable_for: str = ""
    problem: str = ""
    record_problem: str = ""


# Less time than that before a certificate expires is a finding.
CERTIFICATE_DAYS = 14
WARN = "warn"
FAIL = "fail"


@dataclass(frozen=True)
class HostFacts:
    """What else is known of the host. `stale_copies` are files of its chroot that differ from the system's."""

    stale_copies: Sequence[str] = ()
    # The longest outage of a mail host that it is to survive, as a Postfix time value; "" where nobody said.
    outage: str = ""
    # What a doubt about relaying is: FAIL, an error, or WARN, a warning.
    unproven: str = WARN
    # Services for load balancers that do not greet one, with what they do instead.
    silent_balancers: Mapping[str, str] = field(default_factory=dict)
    certificate_days: int = CERTIFICATE_DAYS
    # What the queue has room for, and how much mail is expected in an outage, as far as anybody asked.
    space: QueueSpace | None = None
    volume: MailVolume | None = None
