# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a piece of work did, or in check mode would do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

# What bytes that are not UTF-8 are read as (PEP 383), and what else no result can hold.
_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(value: Any) -> Any:
    """What a result shows of the value: in its texts a byte that is not UTF-8 is `\\xe9`, so that any of them can be
    sent. What is written to a file must not come from it."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub(_escaped, value)
    if isinstance(value, dict):
        return {printable(key): printable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable(item) for item in value]
    return value


def _escaped(match: re.Match[str]) -> str:
    number = ord(match.group())
    return f"\\x{number - 0xDC00:02x}" if 0xDC80 <= number <= 0xDCFF else f"\\u{number:04x}"


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
