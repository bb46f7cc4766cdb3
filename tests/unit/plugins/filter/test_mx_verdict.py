# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.filter.mx_verdict import FilterModule

VERDICT = FilterModule().filters()["mx_verdict"]
INSTANCES = [{"config_directory": "/etc/postfix"}, {"config_directory": "/etc/postfix-out"}]


def found(text: str) -> dict[str, Any]:
    error = {"check": "open_relay", "severity": "error", "scope": "local", "accepted": "", "text": text}
    return {"findings": [error], "domains": {}, "dns": True}


def test_instances_are_told_one_after_the_other() -> None:
    outside = [{"skipped": True}, {"findings": []}]
    got = VERDICT([found("a"), found("b")], outside, INSTANCES, ["local"], "5d")
    assert (got["errors"], got["others"]) == (["a", "b"], [])
    nothing = "no domain is declared in the inventory, none relayed; 1 error"
    assert got["summary"] == [
        f"{nothing}; not checked: SMTP from outside and to the mail hosts (verify_probe)",
        f"/etc/postfix-out: {nothing}",
    ]


def test_each_instance_is_told_what_it_differs_in() -> None:
    warning = {"check": "mx_disagree", "severity": "warning", "scope": "local", "accepted": "", "text": "c"}
    outside = [{"findings": []}, {"findings": []}]
    got = VERDICT([found("a"), found("b")], outside, INSTANCES, ["local"], "5d", [[], [warning]])
    assert (got["errors"], got["others"]) == (["a", "b"], ["c"])
    assert [summary.rpartition("; ")[2] for summary in got["summary"]] == ["1 error", "1 error, 1 warning"]


@pytest.mark.parametrize("outside", [[{}], [{}, {}, {}]])
def test_anything_else_is_refused_with_what_is_wanted(outside: list[Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="^mx_verdict: .*the results of a loop of mx_info"):
        VERDICT([found("a"), found("b")], outside, INSTANCES, ["local"])
    with pytest.raises(AnsibleFilterError, match="^mx_verdict: KeyError"):
        VERDICT([{}, {}], [{}, {}], INSTANCES, ["local"])
