# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of a path: what is drawn where, and that nothing is drawn over something else."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.plugin_utils.report_path import (
    better_exchangers,
    exchangers,
    shortened,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.plugin_utils.report_evidence import (
    domain,
    finding,
    host,
    record,
    row,
)


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (finding("x.example", "mx_record", scope="dns"), "arrival"),
        (finding("x.example", "proxy_interfaces"), "arrival"),
        (finding("x.example", "own_nexthop"), "departure"),
        (finding("", "relay_service"), "departure"),
        (finding("x.example", "mail_host"), "delivery"),
        (finding("", "index"), "host"),
        (finding("x.example", "no_recipients"), "host"),
        (finding("x.example", "of_a_later_release"), "host"),
        ({**finding("x.example", "of_a_later_release"), "place": "of_a_later_release"}, "host"),
        ({**finding("x.example", "mx_cname"), "place": "mx"}, "mx"),
        ({**finding("", "open_relay"), "place": "sender"}, "lookup"),
        ({**finding("x.example", "no_recipients"), "place": "recipients"}, "host"),
        ({**finding("x.example", "transport"), "place": "nexthop"}, "departure"),
        ({**finding("x.example", "mail_host_refuses"), "place": "mail_host"}, "delivery"),
    ],
)
def test_what_is_wrong_is_drawn_where_it_is_wrong(found: dict[str, Any], place: str) -> None:
    path = row(host({"x.example": domain()}, found))["path"]
    parts = [*path["stations"], *path["links"]]
    assert [part["name"] for part in parts if part["status"] == "error"] == [place]
    assert [mark["text"] for part in parts for mark in part["marks"]] == [f"{found['check']} is wrong"]
    assert path["title"].endswith(f"Broken: {found['check']} is wrong.")


def test_what_lies_beyond_a_break_is_not_drawn_as_well() -> None:
    path = row(host({"x.example": domain()}, finding("x.example", "own_nexthop")))["path"]
    assert [part["name"] for part in [*path["stations"], *path["links"]] if part["beyond"]] == [
        "nexthop",
        "mail_host",
        "delivery",
    ]


def test_nothing_is_drawn_over_something_else() -> None:
    long = " ".join(["word"] * 200)
    checks = ["mx_record", "own_nexthop", "mail_host", "index", "other"]
    records = [record(number, f"mx{number}.x.example") for number in range(7)]
    findings = [finding("x.example", check, message=long) for check in checks]
    path = row(host({"x.example": domain(mx=records)}, *findings))["path"]
    used = []
    for station in path["stations"]:
        lines = len(station["lines"]) + len(station["records"]) + len(station["marks"])
        used += [station["y"] + 18 * number for number in range(lines + 1)]
    for link in path["links"]:
        used += [link["text_y"] - 5 + 18 * number for number in range(len(link["marks"]))]
    used.sort()
    assert min(after - before for before, after in itertools.pairwise(used)) >= 17
    assert used[-1] < path["height"]


def test_everything_is_inside_the_picture() -> None:
    path = row(host({"x.example": domain(transport={"result": "relay:[elsewhere.example]"})}))["path"]
    assert path["stations"][-1]["lines"] == []
    assert path["stations"][-1]["y"] + 9 < path["height"]


@pytest.mark.parametrize(
    ("changes", "relayhost", "text", "end"),
    [
        ({"transport": {"result": "relay:[mail.x.example]:2525"}}, "", "relay:[mail.x.example]:2525", "mail.x.example"),
        ({"transport": {"result": "relay:"}}, "[out.example]", "by the MX records", "mail.x.example"),
        ({}, "[out.example]:587", "relayhost [out.example]:587", "out.example"),
        ({"mx": None}, "", "by the MX records", ""),
        ({"mx": [record(10, "mx2.x.example", True), record(20, "late.x.example")]}, "", "by the MX records", ""),
    ],
)
def test_nexthop(changes: dict[str, Any], relayhost: str, text: str, end: str) -> None:
    found = host({"x.example": domain(**changes)})
    found["postfix"]["parameters"]["relayhost"] = relayhost
    assert row(found)["nexthop"] == {"text": text, "host": end}


def test_long_names_keep_their_ends() -> None:
    assert shortened("mail.a-very-long-name.customer.example", 20) == "mail.a-ve…er.example"
    assert len(shortened("x" * 300, 42)) == 42


def test_exchangers_are_in_the_order_in_which_senders_try_them() -> None:
    records = [record(20, "b"), record(10, "c"), record(10, "a")]
    assert [(found["preference"], found["host"]) for found in exchangers(records)] == [(10, "a"), (10, "c"), (20, "b")]
    assert exchangers(None) == []


def test_better_exchangers_are_those_before_this_host() -> None:
    mail, mine, late = record(10, "mail"), record(20, "mx2", True), record(30, "late")
    assert better_exchangers([mail, mine, late]) == [mail]
    assert better_exchangers([mail, late]) == [mail, late]
    assert better_exchangers([mine]) == []


@pytest.mark.parametrize(
    ("outcome", "station"), [("delivered", "mail_host"), ("bounced", "mail_host"), ("discarded", "host")]
)
def test_last_canary_stands_where_it_ended(outcome: str, station: str) -> None:
    canary = {"outcome": outcome, "reason": "why", "time": 1795908600, "age": 60}
    found = row(host({"x.example": domain(canary=canary)}))
    text = f"canary {outcome}, 2026-11-28 23:30 UTC"
    assert [place["name"] for place in found["path"]["stations"] if text in place["lines"]] == [station]
    assert f"Last test: {text}." in found["path"]["title"]
    assert found["canary"]["text"] == text


def test_without_a_canary_nothing_is_said_of_it() -> None:
    assert "Last test" not in row(host({"x.example": domain(canary=None)}))["path"]["title"]
