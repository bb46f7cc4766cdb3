# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cidr table of the MX hosts that a mail host trusts, which also keeps in mind what else was added for them.

Nothing but this role writes the file: its first line says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

NAME = "trusted_mx"
_FIRST = "# The MX hosts that this mail host trusts: written by mxrelay.postfix.trust_mx, which also removes it."
_LIMITS = "# Added to smtpd_client_event_limit_exceptions:"
_SET = "# Set in main.cf for them:"
_ROW = re.compile(r"(\S+)\s+permit\Z")


@dataclass(frozen=True)
class TrustTable:
    """`addresses` are the rows, `limits` the members of smtpd_client_event_limit_exceptions that are there for them.

    `set` are parameters that main.cf did not set before.
    """

    addresses: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    set: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        lines = [_FIRST]
        lines += [f"{_LIMITS} {' '.join(self.limits)}"] if self.limits else []
        lines += [f"{_SET} {' '.join(self.set)}"] if self.set else []
        return "".join(f"{line}\n" for line in [*lines, *(f"{address} permit" for address in self.addresses)])


def read_trust_table(text: str) -> TrustTable | None:
    """What the file says; None if it is not one of this role's."""
    lines = text.split("\n")
    if lines[0] != _FIRST:
        return None
    rows = [match[1] for match in map(_ROW.match, lines) if match and not match[1].startswith("#")]
    return TrustTable(tuple(rows), tuple(_words(lines, _LIMITS)), tuple(_words(lines, _SET)))


def _words(lines: Sequence[str], head: str) -> list[str]:
    return [word for line in lines if line.startswith(head) for word in line[len(head) :].split()]
