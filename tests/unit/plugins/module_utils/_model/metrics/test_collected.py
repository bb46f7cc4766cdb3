# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.collected import MetricsFound
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.metrics_evidence import (
    NOW,
    counts,
    mx_result,
    queue_result,
)


def told(collected: MetricsFound) -> dict[str, list[float]]:
    return {family.name: [value for _labels, value in family.samples] for family in collected.families()}


def test_all_that_is_known() -> None:
    queue = queue_result(x=counts(1, 2, 3, 4))
    found = told(MetricsFound(NOW + 0.5, mx_result("x.example"), queue, {}, NOW + 0.5, 1.23456))
    assert found["collect_success"] == [1, 1]
    assert found["collect_timestamp_seconds"] == found["verify_timestamp_seconds"] == [NOW]
    assert found["collect_duration_seconds"] == [1.235]
    assert (found["queue_messages"], found["relay_domains"]) == ([1, 0], [1])


def test_what_failed_says_so_and_nothing_else() -> None:
    found = told(MetricsFound(NOW, problems={"queue": "down", "verify": "broken"}))
    assert found == {
        "collect_success": [0, 0],
        "collect_timestamp_seconds": [NOW],
        "collect_duration_seconds": [],
        "verify_timestamp_seconds": [],
    }


def test_queue_of_a_host_that_cannot_be_verified_is_that_of_no_domain() -> None:
    found = told(MetricsFound(NOW, None, queue_result(x=counts(1, 2, 3, 4)), {"verify": "broken"}, NOW - 9))
    assert (found["collect_success"], found["verify_timestamp_seconds"]) == ([1, 0], [NOW - 9])
    assert found["queue_messages"] == [1]
