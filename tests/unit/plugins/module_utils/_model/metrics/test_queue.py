# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.exposition import Family, exposition
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.queue import OTHERS, queue_families
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.metrics_evidence import (
    counts,
    queue_result,
)

QUEUE = queue_result(
    x=counts(3, 60, 1000, 5, held=1, causes={"connection": 2, "refused": 1}, refused=1),
    y=counts(1, 600, 50, 9, kept={"count": 4}),
    stranger=counts(7, 20, 400, 2, causes={"dns": 7}),
    another=counts(1, 30, 300, 4, causes={"dns": 1}),
)
RELAYED = ["x.example", "y.example", "idle.example"]


def samples(families: list[Family], name: str) -> dict[str, float]:
    found = next(family for family in families if family.name == name)
    return {" ".join(labels.values()): value for labels, value in found.samples}


def test_each_relay_domain_has_its_own_numbers_and_strangers_none() -> None:
    found = queue_families(QUEUE, RELAYED)
    assert {family.name: samples(found, family.name) for family in found} == {
        "queue_messages": {"x.example": 3, "y.example": 1, "idle.example": 0, OTHERS: 8},
        "queue_held_messages": {"x.example": 1, "y.example": 0, "idle.example": 0, OTHERS: 0},
        "queue_size_bytes": {"x.example": 300, "y.example": 100, "idle.example": 0, OTHERS: 800},
        "queue_refused_recipients": {"x.example": 1, "y.example": 0, "idle.example": 0, OTHERS: 0},
        "queue_kept_messages": {"x.example": 0, "y.example": 4, "idle.example": 0, OTHERS: 0},
        "queue_oldest_age_seconds": {"x.example": 60, "y.example": 600, OTHERS: 30},
        "queue_first_bounce_seconds": {"x.example": 1000, "y.example": 50, OTHERS: 300},
        "queue_drain_seconds": {"x.example": 5, "y.example": 9, OTHERS: 4},
        "queue_deferred_recipients": {"x.example connection": 2, "x.example refused": 1, f"{OTHERS} dns": 8},
    }


def test_limit_leaves_the_fullest_domains_and_sums_up_the_rest() -> None:
    found = queue_families(QUEUE, RELAYED, 1)
    assert samples(found, "queue_messages") == {"y.example": 1, OTHERS: 11}
    assert samples(found, "queue_oldest_age_seconds") == {"y.example": 600, OTHERS: 60}
    assert samples(queue_families(QUEUE, RELAYED, 0), "queue_messages") == {OTHERS: 12}


def test_ten_thousand_domains_make_no_more_series_than_the_limit_allows() -> None:
    names = [f"d{number}" for number in range(10000)]
    queue = queue_result(**{name: counts(1, 1, 1, 1, causes={"connection": 1}) for name in names})
    text = exposition([({}, queue_families(queue, [f"{name}.example" for name in names], 100))])
    series = [line for line in text.split("\n") if line and not line.startswith("#")]
    assert len(series) == 9 * 101


def test_empty_queue_has_zeros() -> None:
    assert samples(queue_families(queue_result(), ["x.example"]), "queue_messages") == {"x.example": 0, OTHERS: 0}


def test_domain_whose_mail_is_all_on_hold_has_no_time_to_drain() -> None:
    held = counts(2, 60, 1000, 0, held=2, drain={"deliveries": 0, "seconds": 0})
    assert samples(queue_families(queue_result(x=held), ["x.example"]), "queue_drain_seconds") == {}


def test_subdomain_counts_for_the_relay_domain_above_it() -> None:
    queue = {**QUEUE, "domains": {"a.b.x.example": counts(2, 90, 20, 5), "b.x.example": counts(1, 5, 70, 6)}}
    assert samples(queue_families(queue, ["x.example"]), "queue_messages") == {"x.example": 3, OTHERS: 0}
    assert samples(queue_families(queue, ["x.example"]), "queue_first_bounce_seconds") == {"x.example": 20}
    nearer = queue_families(queue, ["x.example", "b.x.example"])
    assert samples(nearer, "queue_messages") == {"x.example": 0, "b.x.example": 3, OTHERS: 0}
