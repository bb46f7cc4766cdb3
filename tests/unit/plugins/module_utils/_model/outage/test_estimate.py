# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.estimate import (
    MEASURED,
    NOTHING,
    SETTINGS,
    Drain,
    Measured,
    RetryTimes,
    Route,
    bounce_of,
    deliveries_for,
    drain,
    drain_seconds,
    first_bounce,
    next_try,
    slowest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import Message

SHORT = RetryTimes(lifetime=60, of_reports=30, minimal=10, maximal=20, run=4)
DAY = 86400
USUAL = RetryTimes.from_values({})
MAIL = Message("A1", "deferred", 1000, 100, (("a@x.example", ""),), "me@y.example")
REPORT = replace(MAIL, sender="MAILER-DAEMON")
ROUTE = Route("relay", "x.example")

times = st.builds(
    RetryTimes,
    lifetime=st.integers(0, 10 * DAY),
    of_reports=st.integers(0, 10 * DAY),
    minimal=st.integers(1, 3000),
    maximal=st.integers(3000, 20000),
    run=st.integers(1, 3000),
)
routes = st.builds(
    Route,
    st.just("relay"),
    st.just("x.example"),
    concurrency=st.integers(1, 200),
    initial=st.integers(1, 30),
    feedback=st.sampled_from(["1", "0.5", "1/concurrency", "1/sqrt_concurrency", "0"]),
    rate_delay=st.sampled_from([0, 0, 1, 5]),
)


def test_times_are_postfixs_with_their_own_units() -> None:
    assert RetryTimes(5 * DAY, 5 * DAY, 300, 4000, 300) == USUAL
    values = {"maximal_queue_lifetime": "2", "bounce_queue_lifetime": "3h", "queue_run_delay": "10m"}
    assert RetryTimes.from_values(values) == RetryTimes(2 * DAY, 3 * 3600, 300, 4000, 600)


def test_reports_live_no_longer_than_mail() -> None:
    assert RetryTimes.from_values({"maximal_queue_lifetime": "1d"}).of_reports == DAY


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        pytest.param(0, 12, id="new"),
        pytest.param(15, 16, id="age"),
        pytest.param(16, 16, id="age of several queue runs"),
        pytest.param(99, 20, id="most"),
    ],
)
def test_wait_is_the_age_between_bounds_and_ends_with_a_queue_run(age: float, wait: float) -> None:
    assert SHORT.wait(age) == wait


@given(times=times, age=st.integers(0, 20 * DAY))
def test_last_try_is_known_from_when_the_next_is_due(times: RetryTimes, age: int) -> None:
    due = age + max(times.minimal, min(times.maximal, age))
    assert times.age_at_last_try(due) == pytest.approx(age)


@pytest.mark.parametrize(
    ("queue", "due", "expected"),
    [
        pytest.param("active", None, 1030, id="being tried"),
        pytest.param("incoming", 1050, 1030, id="new"),
        pytest.param("deferred", 1012, 1032, id="overdue"),
        # Tried at 1018.5, and by the first queue run after 18.5 s.
        pytest.param("deferred", 1037, 1038.5, id="noted in its file"),
        # Tried when it came, and so at any time between two queue runs.
        pytest.param("deferred", 1018, 1032, id="new and overdue"),
        # Tried at 1000, 1012 (10 + 2), 1024 (12), 1044 (20).
        pytest.param("deferred", None, 1044, id="by its arrival"),
    ],
)
def test_next_try(queue: str, due: float | None, expected: float) -> None:
    assert next_try(replace(MAIL, queue=queue), SHORT, 1030, due) == expected


def test_try_that_was_due_this_moment_is_awaited_as_one_that_is_overdue() -> None:
    assert next_try(MAIL, SHORT, 1038.5, 1037) == 1040.5


@pytest.mark.parametrize(
    ("message", "due", "expected"),
    [
        # 1044, then after 20 s.
        pytest.param(MAIL, None, 1064, id="first try after its lifetime"),
        pytest.param(MAIL, 1060, 1060, id="the next"),
        pytest.param(MAIL, 1059, 1079, id="just missed"),
        pytest.param(REPORT, None, 1044, id="report"),
        pytest.param(replace(REPORT, sender=""), None, 1044, id="report of an old release"),
    ],
)
def test_bounce_is_at_the_first_try_after_the_lifetime(message: Message, due: float | None, expected: float) -> None:
    assert bounce_of(message, SHORT, 1030, due) == expected


def test_first_bounce_is_not_always_of_the_oldest() -> None:
    younger = replace(MAIL, queue_id="A2", arrival=1005)
    assert first_bounce([MAIL, younger], SHORT, 1030, {"A1": 1057, "A2": 1066}) == 1066
    assert first_bounce([], SHORT, 1030) is None


@given(times=times, arrival=st.integers(0, 20 * DAY), now=st.integers(0, 20 * DAY), waits=st.integers(0, 20000))
def test_bounce_comes_after_the_lifetime_and_at_most_one_wait_later(
    times: RetryTimes, arrival: int, now: int, waits: int
) -> None:
    now = max(now, arrival)
    message = replace(MAIL, arrival=arrival)
    for due in (None, now + min(waits, times.maximal)):
        bounce = bounce_of(message, times, now, due)
        assert bounce >= arrival + times.lifetime
        assert now <= bounce <= max(arrival + times.lifetime, now) + times.maximal + times.run


@given(times=times, arrival=st.integers(0, DAY), age=st.integers(0, 3 * DAY))
def test_tries_passed_at_once_are_those_one_by_one(times: RetryTimes, arrival: int, age: int) -> None:
    now, tried = arrival + age, float(arrival)
    while tried < now:
        tried += times.wait(tried - arrival)
    assert next_try(replace(MAIL, arrival=arrival), times, now) == pytest.approx(tried)


def test_route_is_of_the_transports_own_settings_before_the_general() -> None:
    values = {
        "relay_destination_concurrency_limit": "8",
        "default_destination_concurrency_limit": "30",
        "relay_initial_destination_concurrency": "2",
        "default_destination_recipient_limit": "25",
        "defer_transports": "smtp, relay",
    }
    assert Route.from_values("relay", "x.example", values, 100) == replace(
        ROUTE, concurrency=8, initial=2, recipients=25, deferred=True
    )
    assert Route.from_values("own", "x.example", values, 100) == Route("own", "x.example", 30, 5, recipients=25)


@pytest.mark.parametrize(
    ("values", "processes", "expected"),
    [
        pytest.param({}, 100, (20, 5, 0), id="default"),
        pytest.param({}, 3, (3, 3, 0), id="few processes"),
        pytest.param({"relay_destination_concurrency_limit": "0"}, 50, (50, 5, 0), id="no limit"),
        pytest.param({"relay_destination_concurrency_limit": "0"}, 0, (100, 5, 0), id="no limit at all"),
        pytest.param({"default_destination_rate_delay": "2s"}, 100, (1, 1, 2), id="rate delay"),
        pytest.param({"relay_transport_rate_delay": "1m"}, 100, (1, 1, 60), id="rate delay of the transport"),
        pytest.param({"relay_destination_recipient_limit": "1"}, 40, (40, 40, 0), id="each recipient a destination"),
    ],
)
def test_concurrency_of_route(values: dict[str, str], processes: int, expected: tuple[int, int, float]) -> None:
    route = Route.from_values("relay", "x.example", values, processes)
    assert (route.concurrency, route.initial, route.rate_delay) == expected


def test_destinations_of_a_transport_with_a_rate_delay_share_it() -> None:
    several = {Route.from_values("relay", name, {"relay_transport_rate_delay": "1s"}, 100) for name in ("x", "y")}
    assert several == {Route("relay", "", 1, 1, rate_delay=1)}


@pytest.mark.parametrize(
    ("recipients", "limit", "expected"), [(1, 50, 1), (50, 50, 1), (51, 50, 2), (3, 1, 3), (99, 0, 1)]
)
def test_deliveries_by_recipient_limit(recipients: int, limit: int, expected: int) -> None:
    assert deliveries_for(recipients, replace(ROUTE, recipients=limit)) == expected


@pytest.mark.parametrize(
    ("deliveries", "route", "expected"),
    [
        pytest.param(0, ROUTE, 0, id="nothing"),
        pytest.param(5, ROUTE, 0.5, id="one round"),
        pytest.param(6, ROUTE, 1, id="a second round"),
        # 5, 10, then 385 by 20.
        pytest.param(400, ROUTE, 11, id="to the limit"),
        pytest.param(400, replace(ROUTE, concurrency=5), 40, id="limit that is the initial"),
        # 5, 6, 7, 8 ... 19: 180 in 15 rounds, then 220 by 20.
        pytest.param(400, replace(ROUTE, feedback="1/concurrency"), 13, id="slower growth"),
        pytest.param(400, replace(ROUTE, feedback="0"), 40, id="no growth"),
        pytest.param(30, replace(ROUTE, concurrency=1, initial=1, rate_delay=1), 44, id="rate delay"),
    ],
)
def test_drain_seconds(deliveries: int, route: Route, expected: float) -> None:
    assert drain_seconds(deliveries, 0.5, route) == pytest.approx(expected)


@given(deliveries=st.integers(0, 5000), each=st.floats(0.01, 30), route=routes)
def test_drain_lasts_no_less_than_the_limit_allows_and_more_mail_no_less(
    deliveries: int, each: float, route: Route
) -> None:
    lasts = drain_seconds(deliveries, each, route)
    window = max(route.concurrency, route.initial)
    assert deliveries * each / window <= lasts * 1.000001
    assert lasts <= drain_seconds(deliveries + 1, each, route)
    assert lasts <= deliveries * (each + route.rate_delay) * 1.000001


def test_drain_by_settings_assumes_a_second() -> None:
    assert drain([(0, 1)] * 40, ROUTE) == Drain(40, 4, 4, SETTINGS, 1, ROUTE)


def test_drain_by_what_a_delivery_takes() -> None:
    assert drain([(0, 1)] * 40, ROUTE, each=0.5) == Drain(40, 2, 2, MEASURED, 0.5, ROUTE)


def test_drain_by_how_many_there_are_now() -> None:
    assert drain([(0, 2)] * 40, ROUTE, each=0.5, per_second=8) == Drain(80, 10, 10, MEASURED, 0.5, ROUTE)


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        pytest.param([(60, 1)], 61, id="one try is awaited"),
        pytest.param([(0, 1), (10, 1), (300, 1)], 301, id="the last"),
        pytest.param([(0, 1)] * 100 + [(2, 1)], 7, id="the first are many"),
        pytest.param([(2, 1)] + [(0, 1)] * 100, 7, id="in any order"),
    ],
)
def test_unaided_drain_ends_with_the_last_try_or_with_the_rate(waits: list[tuple[float, int]], expected: float) -> None:
    assert drain(waits, ROUTE).unaided == expected


def test_what_waits_for_a_flush_never_drains_unaided() -> None:
    assert drain([(5, 1)], replace(ROUTE, deferred=True)).unaided is None


@given(waits=st.lists(st.tuples(st.floats(0, 5000), st.integers(1, 3)), max_size=50), route=routes)
def test_a_flush_never_makes_it_later(waits: list[tuple[float, int]], route: Route) -> None:
    found = drain(waits, route, 0.5)
    assert found.unaided is not None
    last = max((wait for wait, _deliveries in waits), default=0)
    assert max(found.seconds, last) <= found.unaided <= last + found.seconds + 0.000001


def test_slowest_destination_counts_with_all_deliveries() -> None:
    slow, fast = Drain(10, 90, 95, MEASURED, 0.5, ROUTE), Drain(
        500, 30, 400, SETTINGS, 1, replace(ROUTE, destination="y")
    )
    assert slowest([fast, slow]) == Drain(510, 90, 400, MEASURED, 0.5, ROUTE)
    assert slowest([fast, replace(slow, unaided=None)]).unaided is None
    assert slowest([]) == NOTHING


def test_results_are_whole_seconds() -> None:
    assert Drain(3, 1.2, 60.1, MEASURED, 0.3456, replace(ROUTE, rate_delay=2.0)).as_result() == {
        "deliveries": 3,
        "seconds": 2,
        "unaided": 61,
        "from": "measured",
        "per_delivery": 0.346,
        "transport": "relay",
        "concurrency": 20,
        "rate_delay": 2,
    }
    assert Drain(3, 1, None, MEASURED, 1, ROUTE).as_result()["unaided"] is None
    assert NOTHING.as_result() == {
        "deliveries": 0,
        "seconds": 0,
        "unaided": 0,
        "from": "settings",
        "per_delivery": 1,
        "transport": None,
        "concurrency": None,
        "rate_delay": None,
    }
    assert Measured(7, 0.12345).as_result() == {"deliveries": 7, "per_delivery": 0.123, "per_second": None}
    assert Measured(7, 0.1, 9.99999).as_result()["per_second"] == 10.0
