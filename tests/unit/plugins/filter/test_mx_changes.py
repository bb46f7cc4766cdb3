# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.filter.mx_changes import FilterModule, mx_changes


def table(changed: bool = True, **counts: Any) -> dict[str, Any]:
    return {"changed": changed, "reference": "hash:/t", "index_rebuilt": True, "total": 12, **counts}


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"added": 3, "removed": 1}, "3 added, 1 removed, 12 in all"),
        (
            {"added": ["x.example"], "updated": ["y.example", "z.example"], "removed": []},
            "1 added, 2 updated, 12 in all",
        ),
        ({"added": 0, "removed": 0}, "repaired, 12 in all"),
    ],
)
def test_rows_of_a_table_are_counted(counts: dict[str, Any], said: str) -> None:
    assert mx_changes([table(**counts)]) == [f"hash:/t: {said}"]


def test_parameters_are_named_and_domains_counted() -> None:
    changed = {
        "relay_domains": {"before": "a.example, b.example", "after": "b.example c.example d.example"},
        "relay_recipient_maps": {"before": None, "after": "hash:/t"},
    }
    assert mx_changes([{"changed": True, "changed_parameters": changed}]) == [
        "main.cf: relay_domains (2 added, 1 removed)",
        "main.cf: relay_recipient_maps",
    ]


def test_new_relay_domains_are_counted() -> None:
    changed = {"relay_domains": {"before": None, "after": "a.example"}}
    assert mx_changes([{"changed": True, "changed_parameters": changed}]) == [
        "main.cf: relay_domains (1 added, 0 removed)"
    ]


def test_limits_that_were_taken_back_are_named() -> None:
    assert mx_changes([{"changed": True, "taken_back": ["a", "b"]}]) == [
        "main.cf: a, whose limit has expired",
        "main.cf: b, whose limit has expired",
    ]
    assert mx_changes([{"changed": False, "taken_back": []}]) == []


def test_overrides_that_differ_are_named() -> None:
    before = "relay unix - - n - - smtp\n  -o a=1\n  -o { b = x y }\n  -o same=1\n"
    after = "relay unix - - n - - smtp\n  -o { b = x z }\n  -o same=1\n  -o c=\n"
    services = {"relay/unix": {"before": before, "after": after}, "smtp/inet": {"before": None, "after": "smtp inet"}}
    assert mx_changes([{"changed": True, "changed_services": services}]) == [
        "master.cf: relay/unix (a, b, c)",
        "master.cf: smtp/inet",
    ]


def test_standby_service_is_named() -> None:
    assert mx_changes([{"changed": True, "standby": "present"}]) == ["standby service: present"]


def test_raise_that_is_forgotten_is_named() -> None:
    assert mx_changes([{"changed": True, "raise": None}]) == ["maximal_queue_lifetime: its raise is forgotten"]


def test_service_is_named() -> None:
    assert mx_changes([{"changed": True, "name": "postfix", "state": "started"}]) == [
        "service postfix: started, reloaded or restarted"
    ]


@pytest.mark.parametrize(
    "result", [{}, None, "", table(changed=False, added=3), {"changed": False, "skipped": True}, {"results": []}]
)
def test_what_did_not_change_is_not_told(result: Any) -> None:
    assert mx_changes([result]) == []


def test_results_of_a_loop_are_told_each() -> None:
    loop = {"changed": True, "results": [table(added=1), table(changed=False), table(removed=2)]}
    assert mx_changes([loop]) == ["hash:/t: 1 added, 12 in all", "hash:/t: 2 removed, 12 in all"]


def test_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"mx_changes": mx_changes}
