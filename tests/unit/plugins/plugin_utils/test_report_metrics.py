# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.plugin_utils.report_metrics import report_metrics
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.metrics_evidence import (
    NOW,
    counts,
    mx_result,
    queue_result,
)

ALIVE = {"mx": mx_result("x.example"), "queue": queue_result(x=counts(2, 60, 900, 5))}


def test_each_host_and_instance_has_its_own_samples() -> None:
    evidence = {"mx1": ALIVE, "mx2": [{**ALIVE, "config_directory": "/etc/postfix-two"}], "mx3": None}
    lines = report_metrics(evidence, NOW).split("\n")
    assert [line for line in lines if line.startswith("mxrelay_queue_oldest_age_seconds")] == [
        'mxrelay_queue_oldest_age_seconds{host="mx1",domain="x.example"} 60',
        'mxrelay_queue_oldest_age_seconds{host="mx2",config_directory="/etc/postfix-two",domain="x.example"} 60',
    ]
    assert [line for line in lines if line.startswith('mxrelay_collect_success{host="mx3"')] == [
        'mxrelay_collect_success{host="mx3",part="queue"} 0',
        'mxrelay_collect_success{host="mx3",part="verify"} 0',
    ]
    assert len([line for line in lines if line.startswith("# TYPE mxrelay_collect_success")]) == 1
    assert lines[-2:] == ["# EOF", ""]


def test_host_that_failed_says_when_it_was_asked() -> None:
    lines = report_metrics({"mx1": {"error": "unreachable"}}, NOW).split("\n")
    assert f'mxrelay_collect_timestamp_seconds{{host="mx1"}} {NOW}' in lines
    assert not [line for line in lines if "verify_timestamp" in line]
