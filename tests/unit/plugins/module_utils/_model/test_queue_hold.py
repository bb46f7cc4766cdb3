# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import Message
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue_hold import (
    HELD,
    RELEASED,
    SHOWN,
    HoldPlan,
    HoldRequest,
    arrived,
    held_by_domain,
    hold_result,
    hold_table,
)

GIVEN: dict[str, Any] = {
    "state": HELD,
    "domains": ["X.example"],
    "all": False,
    "subdomains": False,
    "mixed": False,
    "flush": False,
}


def mail(queue_id: str, queue: str, *addresses: str) -> Message:
    return Message(queue_id, queue, 1, 100, tuple((address, "") for address in addresses))


QUEUE = [
    mail("A1", "deferred", "a@x.example"),
    mail("A2", "active", "a@X.example", "b@y.example"),
    mail("A3", "hold", "a@x.example"),
    mail("A4", "deferred", "c@sub.x.example"),
    mail("A5", "deferred", "c@y.example"),
    mail("A6", "active"),
    mail("A7", "hold"),
]


@pytest.mark.parametrize(
    ("fields", "ids", "left"),
    [
        ({"state": HELD, "domains": ["x.example"]}, ["A1"], 1),
        ({"state": HELD, "domains": ["x.example"], "mixed": True}, ["A1", "A2"], 0),
        ({"state": HELD, "domains": ["x.example"], "subdomains": True}, ["A1", "A4"], 1),
        ({"state": HELD, "domains": ["x.example", "y.example"]}, ["A1", "A2", "A5"], 0),
        ({"state": HELD}, ["A1", "A2", "A4", "A5"], 0),
        ({"state": RELEASED, "domains": ["x.example"]}, ["A3"], 0),
        ({"state": SHOWN, "domains": ["y.example"]}, [], 0),
    ],
)
def test_messages_are_chosen_by_their_recipients(fields: dict[str, Any], ids: list[str], left: int) -> None:
    chosen, others = HoldRequest(**fields).chosen(QUEUE)
    assert ([message.queue_id for message in chosen], others) == (ids, left)


def test_mail_on_hold_without_recipients_was_delivered() -> None:
    assert arrived(QUEUE, {"A3", "A6", "A7"}) == ["A7"]
    assert not arrived(QUEUE, set())


def test_request_is_read() -> None:
    assert HoldRequest.from_params(GIVEN) == HoldRequest(HELD, ["x.example"])
    assert HoldRequest.from_params({**GIVEN, "state": SHOWN, "domains": []}) == HoldRequest(SHOWN, [])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"all": True}, "domains and all are both given; give one of them"),
        ({"domains": []}, "state is held, and neither domains nor all is given; name the domains"),
    ],
)
def test_request_that_can_not_be_right(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        HoldRequest.from_params({**GIVEN, **given})
    assert caught.value.message == message


def test_what_was_put_on_hold_is_told() -> None:
    request = HoldRequest(HELD, ["x.example"])
    assert hold_result(request, HoldPlan(QUEUE[:1], 1, QUEUE[2:4], interrupted=3)) == {
        "state": HELD,
        "count": 1,
        "domains": {"x.example": 1},
        "left": 1,
        "lines": [
            "x.example: 1 message put on hold",
            "2 messages on hold already",
            "1 message left, since they also go to other domains; set mixed for these",
            "3 messages put on hold during a delivery, which may still succeed",
        ],
    }
    assert hold_result(request, HoldPlan())["lines"] == ["no message is to be put on hold"]


def test_what_was_released_is_told_with_who_had_held_it() -> None:
    request = HoldRequest(RELEASED, ["x.example", "y.example"])
    done = [mail("A1", "hold", "a@x.example"), mail("A2", "hold", "a@x.example", "b@y.example")]
    found = hold_result(request, HoldPlan(done, 0, done, frozenset({"A1"}), ["A9"]))
    assert (found["count"], found["by_queue_hold"], found["by_others"]) == (2, 1, 1)
    assert found["lines"] == [
        "x.example: 2 messages released",
        "y.example: 1 message released",
        "1 of them put on hold by queue_hold, 1 by others",
        "1 message put on hold during a delivery that succeeded, removed now",
    ]
    assert hold_result(request, HoldPlan(done[:1], ours=frozenset({"A1"})))["lines"] == [
        "x.example: 1 message released"
    ]
    assert hold_result(HoldRequest(), HoldPlan())["lines"] == ["no message is on hold"]


def test_diff_counts_by_domain() -> None:
    assert hold_table(held_by_domain(HoldRequest(), QUEUE[:3])) == "x.example: 3\ny.example: 1\n"
