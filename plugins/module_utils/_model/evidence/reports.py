# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the reports by which senders are told of refused mail: facts only, no judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# What cleanup(8) does with a report that is to go elsewhere; the address follows.
REDIRECT = "REDIRECT "


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

    @property
    def kept(self) -> list[str]:
        """What is done with reports in place of sending them: of each domain, by each service that does so."""
        return [action for actions in self.actions.values() for action in actions.values() if action]

    @property
    def redirected(self) -> list[str]:
        """The addresses that get reports in place of senders."""
        sent = [action[len(REDIRECT) :] for action in self.kept if action.startswith(REDIRECT)]
        return list(dict.fromkeys(sent))
