# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.kept_choice import (
    DELIVER,
    HEADERS_ONLY,
    STILL_QUEUED,
    Choice,
    lines,
    release_result,
    table,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import KeptMail, Message
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._model.test_kept_reports import parsed
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_kept_mail import REPORTS, captured, id_of

GIVEN = {"action": "show", "domains": [], "all": False, "subdomains": False, "causes": []}
NOW = 1795964100.0


def kept(name: str) -> KeptMail:
    printed = captured(name)
    return Message(id_of(printed), "hold", 1795964000, 100, ()), parsed(printed)


EVERY = {name: kept(name) for name in REPORTS}


@pytest.mark.parametrize(
    ("choice", "names", "others"),
    [
        (Choice(), list(REPORTS), 0),
        (Choice(domains=("small.example",)), ["size"], 0),
        (Choice(domains=("hold.example",)), ["data", "headers", "mail", "null", "quoted", "rcpt"], 5),
        (Choice(domains=("hold.example", "other.example"), causes=("refused: 550 5.0.0",)), [], 1),
        (Choice(domains=("hold.example", "other.example"), causes=("refused: 550 5.0.0", "refused: 550 5.7.1")),
         ["mixed", "null", "rcpt"], 2),
        (Choice(causes=("expired", "too large")), ["expired", "size"], 0),
        (Choice(domains=("hold.example", "hold2.example"), causes=("refused",)),
         ["data", "headers", "mail", "null", "quoted", "rcpt"], 3),
        (Choice(domains=("hold.example", "hold2.example"), subdomains=True, causes=("refused",)),
         ["data", "headers", "mail", "null", "quoted", "rcpt", "several"], 2),
        (Choice(domains=("example",), subdomains=True), list(REPORTS), 0),
        (Choice(domains=("other.test",)), [], 0),
    ],
)  # fmt: skip
def test_report_is_chosen_if_all_of_it_is(choice: Choice, names: list[str], others: int) -> None:
    chosen, left = choice.of(EVERY.values())
    assert ([name for name in REPORTS if EVERY[name] in chosen], left) == (names, others)


def test_only_whole_messages_can_be_delivered() -> None:
    obstacles = {name: Choice(DELIVER).obstacle(report) for name, (_message, report) in EVERY.items()}
    assert {name: why for name, why in obstacles.items() if why} == {"headers": HEADERS_ONLY, "delayed": STILL_QUEUED}
    assert all(not Choice("delete").obstacle(report) for _message, report in EVERY.values())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"action": "delete"}, "action is delete, and neither domains nor all is given; name the domains"),
        ({"domains": ["x.example"], "all": True}, "domains and all are both given; give one of them"),
        (
            {"causes": ["refused", "bounced"]},
            '"bounced" (causes[1]) is no cause; give one of: refused, expired, SMTPUTF8 not offered, too large, not '
            "sent, delay notice",
        ),
        (
            {"domains": ["a@x.example"]},
            '"a@x.example" (domains[0]) contains an @; give the domain alone, without the local part',
        ),
    ],
)
def test_choice_that_is_unclear_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Choice.from_params({**GIVEN, **given})
    assert caught.value.message == message


def test_lists_may_be_text() -> None:
    given = {"action": "bounce", "domains": ["X.example\ny.example"], "causes": ["Too Large\nrefused: 550  5.7.1\n"]}
    assert Choice.from_params({**GIVEN, **given}) == Choice(
        "bounce", ("x.example", "y.example"), False, ("too large", "refused: 550 5.7.1")
    )


def test_counts_are_told_without_addresses() -> None:
    choice = Choice(DELIVER, ("hold.example", "hold2.example", "idle.example"), True)
    found = release_result(choice, [EVERY["rcpt"], EVERY["several"]], {"was not to be had": 1}, NOW)
    assert found["total"] == {
        "count": 2,
        "recipients": 5,
        "size": 200,
        "oldest": 1795964000,
        "age": 100,
        "causes": [
            {"cause": "refused: 550 5.7.1", "count": 2},
            {"cause": "refused: 550 5.0.0", "count": 1},
            {"cause": "refused: 554 5.7.1", "count": 1},
        ],
    }
    assert {domain: (one["count"], one["recipients"]) for domain, one in found["domains"].items()} == {
        "hold.example": (2, 4),
        "hold2.example": (1, 1),
        "idle.example": (0, 0),
    }
    assert (found["action"], found["left"]) == ("deliver", [{"reason": "was not to be had", "count": 1}])
    assert found["lines"] == [
        "hold.example: 2 reports given to Postfix to deliver again (refused: 550 5.7.1: 2, refused: 554 5.7.1: 1)",
        "hold2.example: 1 report given to Postfix to deliver again (refused: 550 5.0.0: 1)",
        "idle.example: 0 reports given to Postfix to deliver again",
        "1 report left: was not to be had",
    ]
    assert "@" not in str(release_result(Choice(), list(EVERY.values()), {}, NOW))


def test_nothing_is_told_as_such() -> None:
    assert lines(Choice(), [], {}) == ["no report of refused mail is kept"]
    assert lines(Choice("delete"), [], {}) == ["no report of refused mail is chosen"]


def test_diff_has_a_line_for_each_domain_and_cause() -> None:
    assert table(Choice(), [EVERY["rcpt"], EVERY["mixed"], EVERY["null"]]) == (
        "hold.example, refused: 550 5.0.0: 1\nhold.example, refused: 550 5.7.1: 2\n"
        "other.example, refused: 550 5.7.1: 1\n"
    )
