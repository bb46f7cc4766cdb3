# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of announced outages of mail hosts: the raise of maximal_queue_lifetime that stands for their length,
the room that the queue has, and how much mail is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LIFETIME = "maximal_queue_lifetime"


@dataclass(frozen=True)
class Outage:
    """The outage of a domain's mail host: when it began, in seconds since 1970, how long it is to last, and how long
    mail is to wait meanwhile, both as Postfix time values."""

    began: int
    length: str
    lifetime: str


@dataclass(frozen=True)
class LifetimeRaise:
    """The record of a raise: what main.cf said of the parameter before and says now, None if it is not set; the
    outages by domain."""

    before: str | None
    value: str | None
    outages: Mapping[str, Outage] = field(default_factory=dict)
    parameter: str = LIFETIME


@dataclass(frozen=True)
class RaiseEvidence:
    """The record as it is on a host at a moment, in seconds since 1970.

    `overdue`: how many messages wait that have waited longer than main.cf allowed before the raise; they are counted
    only once no outage stands. `problem` is why the record can't be believed.
    """

    record: LifetimeRaise | None = None
    now: int = 0
    overdue: int = 0
    problem: str = ""

    @property
    def found(self) -> bool:
        """Whether there is a file of it."""
        return self.record is not None or bool(self.problem)


@dataclass(frozen=True)
class QueueSpace:
    """What the file system of the queue directory has free for Postfix: bytes, and inodes; None if it has no limit of
    those."""

    directory: str
    free: int
    inodes: int | None = None


@dataclass(frozen=True)
class MailVolume:
    """How much mail is expected for the domains whose mail host goes away: bytes and messages a day, None if that is
    not known."""

    size: int | None = None
    messages: int | None = None
