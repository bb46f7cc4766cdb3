# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tables said of recipients, of those that are listed and of one that nobody has: facts only, no judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class NoAction(NamedTuple):
    """A row of a table of recipients, of this domain, whose value is no action of access(5)."""

    domain: str
    value: str


@dataclass(frozen=True)
class RecipientLookups:
    """What was asked of the tables of recipients and of rewriting. `nobody` is a local part that nobody has."""

    nobody: str = ""
    # domain -> one of its listed recipients
    listed: Mapping[str, str] = field(default_factory=dict)
    # table -> key -> result. A keyed table of recipients has only its wildcard rows here.
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # table -> why it could not be asked
    silent: Mapping[str, str] = field(default_factory=dict)
    # table of rewriting -> its rows of whole addresses of the domains, as far as they can be listed
    rewritten: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # table of recipients -> a row that it has, or is to get, that would be no answer to a question for an action
    no_actions: Mapping[str, NoAction] = field(default_factory=dict)
