# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a list of recipients that follows sources: facts only, no judgement."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SourceEvidence:
    """One source of a domain's list. Times are UTC in ISO 8601, "" for never.

    `read_at` and `count` are of its last good read, which was `age` seconds ago. It has failed since if there is a
    `problem`, which is that of the last read, at `failed_at`.
    """

    name: str
    type: str
    host: str
    read_at: str = ""
    age: int | None = None
    count: int = 0
    failed_at: str = ""
    problem: str = ""


@dataclass(frozen=True)
class ListEvidence:
    """The list of a domain that follows sources.

    `listed_at` is when it was last what they say, "" for never, and `age` how many seconds ago. `kept` is why the last
    run left it as it was, "" if it did not. `vanished` are addresses that went last and are not back, `max_age` is the
    Postfix time value that no age is to exceed, in hours if it has no unit.
    """

    sources: tuple[SourceEvidence, ...] = ()
    listed_at: str = ""
    age: int | None = None
    kept: str = ""
    vanished: tuple[str, ...] = field(default=(), repr=False)
    max_age: str = "1d"

    @property
    def names(self) -> str:
        """Its sources by name."""
        return ", ".join(source.name for source in self.sources)

    @property
    def since(self) -> str:
        """Since when nobody has seen all of what its sources say; "" if nobody ever has."""
        return min([self.listed_at, *(source.read_at for source in self.sources)])

    @property
    def oldest(self) -> int | None:
        """How many seconds ago that was."""
        ages = [self.age, *(source.age for source in self.sources)]
        known = [age for age in ages if age is not None]
        return max(known) if len(known) == len(ages) else None


@dataclass(frozen=True)
class DriftEvidence:
    """What a mail host said of some addresses of a list, while it refused one that nobody has.

    It was asked about so many `listed` and `vanished` ones. It did not know those of `unknown`, which are listed, and
    took those of `known`, which have gone.
    """

    server: str
    listed: int = 0
    vanished: int = 0
    unknown: tuple[str, ...] = field(default=(), repr=False)
    known: tuple[str, ...] = field(default=(), repr=False)
