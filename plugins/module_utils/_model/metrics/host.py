# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of what mx_info returns of a host: its tables, its lists, its findings and the room of its queue."""

from __future__ import annotations

import calendar
import math
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import ERROR, INFO, WARNING
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.exposition import (
    BYTES,
    SECONDS,
    Family,
    Number,
    Sample,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.queue import DOMAINS, OTHERS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.index_states import GOOD_STATES

# A table that is a file. Others may hold anything in their names, such as inline: its rows.
_FILE = re.compile(r"(?:proxy:)?[a-z]+:/[^\s@{}\"]*\Z")
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def host_families(mx: Mapping[str, Any], now: float, limit: int = DOMAINS) -> list[Family]:
    """The families of what mx_info returned. A list that was never made of its sources is infinitely old."""
    tables: Sequence[Mapping[str, Any]] = mx["tables"]
    space = mx["queue_space"] or {}
    good = _least([(_table(table), int(table["index"] in GOOD_STATES)) for table in tables])
    written = _least([(_table(table), -table["modified"]) for table in tables if table["modified"] is not None])
    return [
        Family("relay_domains", "Relay domains of this host.", [({}, len(mx["domains"]))]),
        Family(
            "queue_free_bytes",
            "Free space in the file system of the queue for those who are not root.",
            [({}, space["bytes"])] if space else [],
            BYTES,
        ),
        Family(
            "queue_free_inodes",
            "Free inodes in the file system of the queue.",
            [({}, space["inodes"])] if space and space["inodes"] is not None else [],
        ),
        Family(
            "table_index_current",
            "1 if lookups in the table find what its source says, else 0.",
            [({"table": table}, value) for table, value in good.items()],
        ),
        Family(
            "table_age_seconds",
            "How long ago the source of the table was written.",
            [({"table": table}, max(0, int(now + value))) for table, value in written.items()],
            SECONDS,
        ),
        Family(
            "list_age_seconds",
            "How long ago the list of the domain was last made of its sources.",
            _list_ages(mx["domains"], now, limit),
            SECONDS,
        ),
        _findings(mx["findings"]),
    ]


def _table(table: Mapping[str, Any]) -> str:
    reference = str(table["reference"])
    return reference if _FILE.match(reference) else f"{reference.partition(':')[0]}:"


def _least(values: Sequence[tuple[str, Number]]) -> dict[str, Number]:
    """The least value of each name: a table that two parameters name is bad if it is for one of them."""
    found: dict[str, Number] = {}
    for name, value in values:
        found[name] = min(value, found.get(name, value))
    return found


def _list_ages(domains: Mapping[str, Mapping[str, Any]], now: float, limit: int) -> list[Sample]:
    """Of more domains than the limit, the oldest lists have labels, and the oldest of the rest is told."""
    ages = {name: _age(domain["listed_at"], now) for name, domain in domains.items() if domain["sources"]}
    oldest = sorted(ages, key=lambda name: (-ages[name], name))
    samples: list[Sample] = [({"domain": name}, ages[name]) for name in sorted(oldest[:limit])]
    return [*samples, *(({"domain": OTHERS}, ages[name]) for name in oldest[limit : limit + 1])]


def _age(moment: str, now: float) -> Number:
    return max(0, int(now) - calendar.timegm(time.strptime(moment, _MOMENT))) if moment else math.inf


def _findings(findings: Sequence[Mapping[str, Any]]) -> Family:
    found = Counter((str(finding["check"]), str(finding["severity"])) for finding in findings)
    total = Counter(str(finding["severity"]) for finding in findings)
    samples: list[Sample] = [
        ({"check": check, "severity": severity}, number) for (check, severity), number in sorted(found.items())
    ]
    none = [({"check": "", "severity": severity}, 0) for severity in (ERROR, WARNING, INFO) if not total[severity]]
    return Family("findings", "Findings of the checks of mx_info, by check and severity.", [*samples, *none])
