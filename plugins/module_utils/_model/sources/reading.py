# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a source of recipients said when it was read, whatever its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Stands for all domains in `incomplete`.
EVERY_DOMAIN = ""


@dataclass(frozen=True)
class Reading:
    """What a source said.

    `addresses` are full addresses as Postfix looks them up, each once, in the order of the source. `catch_alls` are
    domains of which it takes every address. `incomplete` says, by domain, why these are not all its addresses; under
    EVERY_DOMAIN, why that is so of each domain. `skipped` is how many of its entries are no addresses that Postfix
    relays mail for, and were left out because the source has skip_invalid.
    """

    addresses: tuple[str, ...]
    catch_alls: frozenset[str] = frozenset()
    incomplete: Mapping[str, str] = field(default_factory=dict)
    skipped: int = 0

    def why_incomplete(self, domain: str) -> str:
        """Why the addresses of the domain are not all it has; empty if they are."""
        return self.incomplete.get(domain) or self.incomplete.get(EVERY_DOMAIN) or ""
