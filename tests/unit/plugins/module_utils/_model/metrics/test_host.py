# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.host import host_families
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.metrics_evidence import (
    NOW,
    finding,
    mx_result,
    table,
)

FOLLOWS = [{"name": "directory"}]


def told(mx: dict[str, Any], limit: int = 1000) -> dict[str, dict[str, float]]:
    return {
        family.name: {" ".join(labels.values()): value for labels, value in family.samples}
        for family in host_families(mx, NOW, limit)
    }


def test_room_of_the_queue() -> None:
    found = told(mx_result("x.example"))
    assert (found["queue_free_bytes"], found["queue_free_inodes"]) == ({"": 5 << 30}, {"": 1000})
    assert found["relay_domains"] == {"": 1}
    without = told(mx_result(queue_space={"bytes": 1, "inodes": None}))
    assert (without["queue_free_bytes"], without["queue_free_inodes"]) == ({"": 1}, {})
    assert told(mx_result(queue_space=None))["queue_free_bytes"] == {}


def test_table_is_as_bad_and_as_old_as_where_it_is_worst() -> None:
    tables = [
        table("hash:/etc/postfix/transport", modified=NOW - 60),
        table("hash:/etc/postfix/transport", "stale", NOW - 60),
        table("texthash:/etc/postfix/relay_domains", "none", NOW - 5),
        table("lmdb:/etc/postfix/gone", "without a source", None),
    ]
    found = told(mx_result(tables=tables))
    assert found["table_index_current"] == {
        "hash:/etc/postfix/transport": 0,
        "texthash:/etc/postfix/relay_domains": 1,
        "lmdb:/etc/postfix/gone": 0,
    }
    assert found["table_age_seconds"] == {"hash:/etc/postfix/transport": 60, "texthash:/etc/postfix/relay_domains": 5}


def test_table_that_is_no_file_is_named_by_its_type() -> None:
    tables = [table("inline:{ bob@x.example=x }", "type", None), table("hash:/etc/bob@x.example/t")]
    assert told(mx_result(tables=tables))["table_index_current"] == {"inline:": 0, "hash:": 1}


def test_list_that_was_never_made_is_infinitely_old() -> None:
    domains = {
        "x.example": {"listed_at": "2026-11-22T14:17:04Z", "sources": FOLLOWS},
        "y.example": {"listed_at": "", "sources": FOLLOWS},
        "z.example": {"listed_at": "", "sources": []},
    }
    age = NOW - 1795357024
    assert told(mx_result(domains=domains))["list_age_seconds"] == {"x.example": age, "y.example": math.inf}
    assert told(mx_result(domains=domains), 1)["list_age_seconds"] == {"y.example": math.inf, "(other)": age}
    assert told(mx_result(domains=domains), 0)["list_age_seconds"] == {"(other)": math.inf}


def test_findings_are_counted_by_check_and_severity() -> None:
    findings = [finding("index", "error"), finding("index", "error"), finding("accepts_any", "info")]
    assert told(mx_result(findings=findings))["findings"] == {"accepts_any info": 1, "index error": 2, " warning": 0}


def test_findings_are_in_the_order_of_the_alphabet() -> None:
    findings = [finding("index", "error"), finding("index", "warning"), finding("accepts_any", "info")]
    counted = list(told(mx_result(findings=findings[::-1]))["findings"])
    assert counted[:3] == ["accepts_any info", "index error", "index warning"]
