# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary: one marked message for a domain, which says what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MARK = "mxrelay-canary"


@dataclass(frozen=True)
class Canary:
    """A message for one domain. `sender` "" is `<>`. `assumed`: its recipient is postmaster, whom nobody named."""

    domain: str
    recipient: str
    sender: str
    token: str
    host: str
    assumed: bool = False

    @property
    def message_id(self) -> str:
        return f"{MARK}-{self.token}@{self.host}"

    def text(self, date: str) -> str:
        """The message, with line ends as SMTP wants them. `date` is that of its header."""
        author = self.sender or f"postmaster@{self.host}"
        lines = [
            f'From: "Mail test" <{author}>',
            f"To: <{self.recipient}>",
            f"Subject: [{MARK}] test message for {self.domain} through {self.host}",
            f"Date: {date}",
            f"Message-ID: <{self.message_id}>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            f"This is a test. It shows that mail for {self.domain} gets through the MX host",
            f"{self.host} to this mailbox. The administrators of that host send it by",
            "the playbook mxrelay.postfix.canary.",
            "",
            "Nobody has to answer, and it can be deleted.",
            "",
        ]
        return "\r\n".join(lines)

    def as_result(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_result(cls, result: Mapping[str, Any]) -> Canary:
        return cls(**{name: result[name] for name in cls.__dataclass_fields__})
