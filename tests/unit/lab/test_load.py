# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest

from lab import hosts, load, sender

ONCE = "by mx1.lab.example (Postfix) with ESMTP id 4ABC"
AGAIN = "by mx1.lab.example (Postfix) with ESMTP id 4DEF"
NONE: frozenset[str] = frozenset()
ALL_ARRIVED = load.Account(frozenset("abc"), frozenset("abc"), NONE, {name: [ONCE] for name in "abc"}, NONE, NONE)


@pytest.mark.parametrize(
    ("change", "figures"),
    [
        ({}, {"sent": 3, "accepted": 3, "delivered": 3}),
        ({"copies": {"a": [ONCE]}}, {"sent": 3, "accepted": 3, "delivered": 1, "lost": 2}),
        (
            {"copies": {"a": [ONCE]}, "queued": frozenset("b"), "bounced": frozenset("c")},
            {"sent": 3, "accepted": 3, "delivered": 1, "queued": 1, "bounced": 1},
        ),
        ({"accepted": NONE, "copies": {}}, {"sent": 3}),
    ],
)
def test_accepted_message_that_is_nowhere_is_lost(change: dict[str, object], figures: dict[str, int]) -> None:
    assert dataclasses.replace(ALL_ARRIVED, **change).figures == figures  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("copies", "given_twice", "relayed_twice"),
    [
        ([ONCE], set(), set()),
        ([ONCE, AGAIN], {"a"}, set()),
        ([ONCE, ONCE], set(), {"a"}),
        ([ONCE, AGAIN, ONCE], {"a"}, {"a"}),
    ],
)
def test_duplicate_is_the_senders_or_the_hosts(
    copies: list[str], given_twice: set[str], relayed_twice: set[str]
) -> None:
    told = dataclasses.replace(ALL_ARRIVED, copies={"a": copies})
    assert (told.given_twice, told.relayed_twice) == (given_twice, relayed_twice)
    assert told.duplicated == given_twice | relayed_twice


def saying(text: str) -> Callable[..., str]:
    return lambda *_command, **_given: text


def test_copies_are_told_by_message_and_strangers_mail_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        f"/srv/mail/a.example/amy/new/1:{ONCE}",
        "/srv/mail/a.example/amy/new/1:Message-ID: <ab@tester.test>",
        f"/srv/mail/a.example/amy/new/2:{ONCE}",
        f"/srv/mail/a.example/amy/new/3:{AGAIN}",
        "/srv/mail/a.example/amy/new/3:Message-ID: <ab@tester.test>",
    ]
    monkeypatch.setattr(hosts, "on", saying("\n".join(lines)))
    assert load.mailboxes(["amy@a.example"]) == {"ab": [ONCE, AGAIN]}


def test_queue_tells_messages_and_bounces_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        {"sender": "ab@tester.test", "recipients": [{"address": "amy@a.example"}]},
        {"sender": "MAILER-DAEMON", "recipients": [{"address": "cd@tester.test"}]},
    ]
    monkeypatch.setattr(hosts, "on", saying("\n".join(map(json.dumps, entries))))
    assert load.in_queues(["ab", "cd", "ef"], ["mx1"]) == ({"ab"}, {"cd"})


def test_log_tells_what_was_sent_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    log = f"""4ABC: from=<ab@tester.test>, size=9, nrcpt=1 (queue active)
4DEF: from=<cd@tester.test>, size=9, nrcpt=1 (queue active)
4DEF: to=<amy@a.example>, status=deferred (lost connection while sending end of data -- {load.NO_ANSWER})
"""
    monkeypatch.setattr(hosts, "on", saying(log))
    assert load.unanswered("mx1") == {"cd"}


@pytest.mark.parametrize(
    ("code", "outcome"), [(250, "accepted"), (421, "put off"), (452, "put off"), (500, "refused"), (554, "refused")]
)
def test_answer_is_judged_by_its_code(code: int, outcome: str) -> None:
    assert sender.judged(code, b"so be it") == (outcome, f"{code} so be it")


@pytest.mark.parametrize("size", [2_000, 1_000_000])
def test_message_has_about_its_size(size: int) -> None:
    made = sender.content("ab", "amy@a.example", size)
    assert abs(len(made) - size) <= 62
    assert b"Message-ID: <ab@tester.test>\r\n" in made
    assert made.endswith(b"\r\n")
