# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What queue_info and mx_info return, as far as metrics are made of it."""

from __future__ import annotations

from typing import Any

NOW = 1795359464
IDLE: dict[str, Any] = {
    "count": 0,
    "size": 0,
    "held": 0,
    "refused": 0,
    "age": None,
    "causes": {},
    "kept": {"count": 0},
    "to_first_bounce": None,
    "drain": {"deliveries": 0, "seconds": 0},
}


def counts(count: int, age: int, bounce: int, seconds: int, **others: Any) -> dict[str, Any]:
    drain = {"deliveries": count, "seconds": seconds}
    return {
        **IDLE,
        "count": count,
        "size": 100 * count,
        "age": age,
        "to_first_bounce": bounce,
        "drain": drain,
        **others,
    }


def queue_result(**domains: dict[str, Any]) -> dict[str, Any]:
    """The domains are named by what stands before .example; all of them together count as the first does."""
    total = next(iter(domains.values()), IDLE)
    return {"total": total, "domains": {f"{name}.example": found for name, found in domains.items()}, "unread": 0}


def mx_result(*domains: str, **others: Any) -> dict[str, Any]:
    known = {"listed_at": "", "sources": []}
    return {
        "domains": {name: dict(known) for name in domains},
        "tables": [],
        "findings": [],
        "queue_space": {"bytes": 5 << 30, "inodes": 1000},
        **others,
    }


def table(reference: str, index: str = "current", modified: int | None = NOW) -> dict[str, Any]:
    return {"parameter": "transport_maps", "reference": reference, "index": index, "entries": 1, "modified": modified}


def finding(check: str, severity: str) -> dict[str, str]:
    return {"domain": "x.example", "check": check, "severity": severity}
