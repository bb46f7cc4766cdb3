# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the reports by which senders are told of refused mail: facts only, no judgement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping


@dataclass(frozen=True)
class ReportEvidence:
    """What the tables say that reports come by, and who gets those that no sender gets."""

    # domain -> service that reports -> what its cleanup does with a report about a recipient there; "" sends it
    actions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # table that reports come by -> why it can't be asked
    unread: Mapping[str, str] = field(default_factory=dict)
    # address -> why mail for it does not arrive, "" if it does, None if that can't be told here
    addressees: Mapping[str, str | None] = field(default_factory=dict)
    # domain -> the table that turns what a sender says about its recipients into a wish for no report
    silenced: Mapping[str, str] = field(default_factory=dict)
