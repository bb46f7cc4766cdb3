# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many entries a change may remove: the meaning of max_removals, for the modules and for the roles."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput

# Where nobody sets a limit.
USUAL = "10%"


@dataclass(frozen=True)
class Limit:
    """At most so many entries, or so many percent of those that there are."""

    number: int
    percent: bool

    def allowed(self, total: int) -> int:
        """How many of that many entries may go."""
        return total * self.number // 100 if self.percent else self.number

    @property
    def none(self) -> bool:
        """Whether all may go."""
        return self.percent and self.number >= 100

    @property
    def least(self) -> int:
        """How many may go of a domain, however few it has."""
        return min(self.number, 1) if self.percent else self.number

    def __str__(self) -> str:
        return f"{self.number}%" if self.percent else str(self.number)


@dataclass(frozen=True)
class Guard:
    """When a domain keeps all its entries: if more addresses would go than the limit allows, or, with `known`, if it
    has none yet."""

    domain: str
    limit: Limit | None = None
    known: bool = False


def read_limit(text: str, place: str = "max_removals") -> Limit:
    """The limit that `10` or `10%` sets. Raises InvalidInput."""
    digits = text[:-1] if text.endswith("%") else text
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise InvalidInput(f'"{text}" ({place}) is not a number or a percentage; write it as 10 or as "10%"')
    return Limit(int(digits), text.endswith("%"))
