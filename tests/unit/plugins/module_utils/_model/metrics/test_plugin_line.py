# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.collected import MetricsFound
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.plugin_line import (
    plugin_line,
    read_thresholds,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.metrics_evidence import (
    NOW,
    counts,
    finding,
    mx_result,
    queue_result,
    table,
)

LIMITS = read_thresholds({})
NONE = "bad_tables=0;;0;0 errors=0;;0;0 warnings=0;0;;0"
FREE = "free_bytes=5368709120B;2147483648:;1073741824:;0"


def test_all_is_well() -> None:
    line, status = plugin_line(MetricsFound(NOW, mx_result(), queue_result()), LIMITS)
    assert (line, status) == (f"MXRELAY OK - 0 messages waiting | waiting=0;;;0 drain=0s;;;0 {FREE} {NONE}", 0)


@pytest.mark.parametrize(
    ("age", "bounce", "word", "status", "told"),
    [
        (3600, 86400, "OK", 0, ""),
        (3601, 86400, "WARNING", 1, "the oldest message has waited 3601 s; "),
        (60, 86399, "WARNING", 1, "the first message bounces in 86399 s; "),
        (3601, 21599, "CRITICAL", 2, "the oldest message has waited 3601 s; the first message bounces in 21599 s; "),
    ],
)
def test_worst_value_decides(age: int, bounce: int, word: str, status: int, told: str) -> None:
    queue = queue_result(x=counts(1, age, bounce, 4))
    limited = f"oldest_age={age}s;3600;14400;0 first_bounce={bounce}s;86400:;21600:;0"
    measured = f"waiting=1;;;0 {limited} drain=4s;;;0 {FREE} {NONE}"
    found = plugin_line(MetricsFound(NOW, mx_result(), queue), LIMITS)
    assert found == (f"MXRELAY {word} - {told}1 message waiting | {measured}", status)


def test_findings_and_tables() -> None:
    findings = [finding("index", "error"), finding("mx", "warning"), finding("mx", "warning")]
    mx = mx_result(findings=findings, tables=[table("hash:/etc/postfix/transport", "stale")])
    line, status = plugin_line(MetricsFound(NOW, mx, queue_result()), LIMITS)
    assert status == 2
    assert line == (
        "MXRELAY CRITICAL - 1 table does not match the source; 1 error (index); 2 warnings (mx); 0 messages waiting | "
        f"waiting=0;;;0 drain=0s;;;0 {FREE} bad_tables=1;;0;0 errors=1;;0;0 warnings=2;0;;0"
    )


def test_what_cannot_be_looked_at_is_critical_and_on_one_line() -> None:
    line, status = plugin_line(MetricsFound(NOW, problems={"queue": "down |\nnow"}), LIMITS)
    assert (line, status) == ("MXRELAY CRITICAL - queue: down / now | ", 2)


def test_problems_and_checks_are_in_the_order_of_the_alphabet() -> None:
    line, _status = plugin_line(MetricsFound(NOW, problems={"queue": "down", "mx": "gone"}), LIMITS)
    assert line.startswith("MXRELAY CRITICAL - mx: gone; queue: down | ")
    checks = ("dns", "index", "listens", "mx", "ptr", "queue_space", "verify")
    mx = mx_result(findings=[finding(check, "warning") for check in checks[::-1]])
    line, _status = plugin_line(MetricsFound(NOW, mx, queue_result()), LIMITS)
    assert line.startswith("MXRELAY WARNING - 7 warnings (dns, index, listens, mx, ptr, queue_space, verify); ")


def test_thresholds() -> None:
    assert read_thresholds({"oldest_age": [1, 2]})["oldest_age"] == (1, 2)
    with pytest.raises(InvalidInput, match='"age" is not one of oldest_age, first_bounce, free_bytes'):
        read_thresholds({"age": [1, 2]})
    with pytest.raises(InvalidInput, match="thresholds.oldest_age is not a pair of whole numbers"):
        read_thresholds({"oldest_age": [1]})
