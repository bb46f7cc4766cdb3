# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a piece of work did, or in check mode would do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Diff:
    """Before and after of one thing, as `--diff` shows it."""

    header: str
    before: str
    after: str

    def for_ansible(self) -> dict[str, str]:
        return {
            "before_header": self.header,
            "after_header": self.header,
            "before": self.before,
            "after": self.after,
        }


@dataclass
class Outcome:
    """`changed` is true exactly when the host is different afterwards (in check mode: would be)."""

    changed: bool = False
    diffs: list[Diff] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)
