# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue as Postfix 3.10 prints it, in both of its forms."""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterator

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.kept_reports import Failure, Report
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import (
    KeptMail,
    Message,
    common_reason,
    is_refusal,
    kept_with_subdomains,
    may_be_report,
    parse_json,
    parse_listing,
    summary,
    waiting_for,
    with_subdomains,
)

NOW = 1795359476.5
NOTHING = {"count": 0, "recipients": 0, "size": 0, "oldest": None, "age": None, "causes": []}
REFUSED = "connect to 127.0.0.9[127.0.0.9]:2599: Connection refused"
SUSPENDED = f"delivery temporarily suspended: {REFUSED}"
UNKNOWN_HOST = "Host or domain name not found. Name service error for name=other.test type=AAAA: Host not found"
LOST = "lost connection with 10.255.255.1[10.255.255.1] while receiving the initial server greeting"
MESSAGES = [
    Message(
        "9D4F2180577", "active", 1795359466, 261, (("a1@slow.example", REFUSED), ("b@away.example", "")), "me@x.test"
    ),
    Message(
        "A83B318057D",
        "deferred",
        1795359471,
        261,
        (("Up@SLOW.example", SUSPENDED), ("u@other.test", UNKNOWN_HOST)),
        "me@x.test",
    ),
    Message(
        "9DC28180573",
        "hold",
        1795359464,
        255,
        (("mueller@held.example", REFUSED), ("space@slow.example", REFUSED), ('"a(b"@away.example', LOST)),
        "MAILER-DAEMON",
    ),
]
AS_JSON = (
    '{"queue_name": "active", "queue_id": "9D4F2180577", "arrival_time": 1795359466, "message_size": 261, '
    '"forced_expire": false, "sender": "me@x.test", "recipients": [{"address": "a1@slow.example", "delay_reason": '
    '"connect to 127.0.0.9[127.0.0.9]:2599: Connection refused"}, {"address": "b@away.example"}]}\n'
    '{"queue_name": "deferred", "queue_id": "A83B318057D", "arrival_time": 1795359471, "message_size": 261, '
    '"forced_expire": false, "sender": "me@x.test", "recipients": [{"address": "Up@SLOW.example", "delay_reason": '
    '"delivery temporarily suspended: connect to 127.0.0.9[127.0.0.9]:2599: Connection refused"}, {"address": '
    '"u@other.test", "delay_reason": "Host or domain name not found. Name service error for name=other.test type=AAAA: '
    'Host not found"}]}\n'
    '{"queue_name": "hold", "queue_id": "9DC28180573", "arrival_time": 1795359464, "message_size": 255, '
    '"forced_expire": false, "sender": "MAILER-DAEMON", "recipients": [{"address": "mueller@held.example", '
    '"delay_reason": "connect to 127.0.0.9[127.0.0.9]:2599: Connection refused"}, {"address": "space@slow.example", '
    '"delay_reason": "connect to 127.0.0.9[127.0.0.9]:2599: Connection refused"}, {"address": '
    '"\\"a(b\\"@away.example", "delay_reason": "lost connection with 10.255.255.1[10.255.255.1] while receiving the '
    'initial server greeting"}]}\n'
)
AS_LISTING = """\
-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------
9D4F2180577*     261 Sun Nov 22 14:57:46  me@x.test
                    (connect to 127.0.0.9[127.0.0.9]:2599: Connection refused)
                                         a1@slow.example
                                                          (reason unavailable)
                                         b@away.example

A83B318057D     261 Sun Nov 22 14:57:51  me@x.test
(delivery temporarily suspended: connect to 127.0.0.9[127.0.0.9]:2599: Connection refused)
                                         Up@SLOW.example
(Host or domain name not found. Name service error for name=other.test type=AAAA: Host not found)
                                         u@other.test

9DC28180573!     255 Sun Nov 22 14:57:44  MAILER-DAEMON
                    (connect to 127.0.0.9[127.0.0.9]:2599: Connection refused)
                                         mueller@held.example
                                         space@slow.example
(lost connection with 10.255.255.1[10.255.255.1] while receiving the initial server greeting)
                                         "a(b"@away.example

-- 1 Kbytes in 3 Requests.
"""


@pytest.fixture(name="utc", autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """postqueue -p prints local times; those above were printed in UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_json_is_read() -> None:
    assert parse_json(AS_JSON) == MESSAGES


def test_listing_says_the_same() -> None:
    assert parse_listing(AS_LISTING, NOW) == MESSAGES


@pytest.mark.parametrize("text", ["", "\n", "Mail queue is empty\n"])
def test_empty_queue(text: str) -> None:
    assert parse_listing(text, NOW) == []


def test_json_of_an_empty_queue() -> None:
    assert parse_json("") == []


@pytest.mark.parametrize("text", ["Mail queue is empty", '{"queue_id": "A"}', "[1]", "3"])
def test_what_is_no_json_of_a_queue_is_an_error(text: str) -> None:
    with pytest.raises(HostError, match="postqueue -j did not print valid JSON"):
        parse_json(text)


@pytest.mark.parametrize(
    ("printed", "now", "arrived"),
    [
        ("Dec 31 23:59:58", (2027, 1, 1, 0, 0, 9), (2026, 12, 31, 23, 59, 58)),
        ("Jan  1 00:00:01", (2027, 1, 1, 0, 0, 9), (2027, 1, 1, 0, 0, 1)),
        # A clock that was set back a little does not make a message a year old.
        ("Jan  1 00:00:11", (2027, 1, 1, 0, 0, 9), (2027, 1, 1, 0, 0, 11)),
        ("Feb 29 12:00:00", (2028, 3, 1, 0, 0, 0), (2028, 2, 29, 12, 0, 0)),
    ],
)
def test_listing_has_no_year(printed: str, now: tuple[int, ...], arrived: tuple[int, ...]) -> None:
    text = f"-Queue ID-\n0123456789A    1234 Mon {printed} me@x.test\n{' ' * 41}a@x.example\n"
    assert [message.arrival for message in parse_listing(text, calendar.timegm(now))] == [calendar.timegm(arrived)]


@pytest.mark.parametrize(
    ("mark", "queue"), [(" ", "deferred"), ("*", "active"), ("!", "hold"), ("#", "deferred"), ("*#", "active")]
)
def test_marks_of_a_listing(mark: str, queue: str) -> None:
    text = f"3zBcDfGhJkLmNpQ{mark}    1234 Mon Nov  2 10:00:00 me@x.test\n{' ' * 41}a@x.example\n"
    assert [(message.queue_id, message.queue) for message in parse_listing(text, NOW)] == [("3zBcDfGhJkLmNpQ", queue)]


def test_recipients_whom_a_server_calls_by_their_local_parts_have_one_reason() -> None:
    said = "host mail.example[192.0.2.1] said: 450 4.2.0 <{}>: put off"
    waiting = [Message(f"A{name}", "deferred", NOW, 1, ((f"{name}@x.example", said.format(name)),)) for name in "ab"]
    reasons = summary(waiting, [], NOW)["total"]["reasons"]
    assert reasons == [{"reason": said.format("..."), "recipients": 2}]


def test_summary_adds_up_each_domain() -> None:
    found = summary(MESSAGES, [], NOW)
    assert found["domains"] == {
        "away.example": {
            "count": 2,
            "recipients": 2,
            "size": 516,
            "held": 1,
            "refused": 0,
            "oldest": 1795359464,
            "age": 12,
            "reasons": [{"reason": LOST, "recipients": 1}],
            "causes": {"connection": 1},
            "kept": NOTHING,
        },
        "held.example": {
            "count": 1,
            "recipients": 1,
            "size": 255,
            "held": 1,
            "refused": 0,
            "oldest": 1795359464,
            "age": 12,
            "reasons": [{"reason": REFUSED, "recipients": 1}],
            "causes": {"connection": 1},
            "kept": NOTHING,
        },
        "other.test": {
            "count": 1,
            "recipients": 1,
            "size": 261,
            "held": 0,
            "refused": 0,
            "oldest": 1795359471,
            "age": 5,
            "reasons": [{"reason": UNKNOWN_HOST, "recipients": 1}],
            "causes": {"dns": 1},
            "kept": NOTHING,
        },
        "slow.example": {
            "count": 3,
            "recipients": 3,
            "size": 777,
            "held": 1,
            "refused": 0,
            "oldest": 1795359464,
            "age": 12,
            "reasons": [{"reason": REFUSED, "recipients": 3}],
            "causes": {"connection": 3},
            "kept": NOTHING,
        },
    }
    assert (found["total"]["count"], found["total"]["recipients"], found["total"]["size"]) == (3, 7, 777)


def test_summary_of_named_domains_counts_nothing_else() -> None:
    found = summary(MESSAGES, ["other.test", "idle.example"], NOW)
    assert list(found["domains"]) == ["idle.example", "other.test"]
    assert found["domains"]["idle.example"] == {
        "count": 0,
        "recipients": 0,
        "size": 0,
        "held": 0,
        "refused": 0,
        "oldest": None,
        "age": None,
        "reasons": [],
        "causes": {},
        "kept": NOTHING,
    }
    assert (found["total"]["count"], found["total"]["recipients"], found["total"]["size"]) == (1, 1, 261)


def test_summary_keeps_the_ten_most_frequent_reasons() -> None:
    recipients = [(f"u{number}@x.example", f"reason {number:02d}") for number in range(12)]
    messages = [Message("A", "deferred", 1, 1, (*recipients, ("v@x.example", "reason 11")))]
    reasons = summary(messages, [], NOW)["domains"]["x.example"]["reasons"]
    assert [listed["reason"] for listed in reasons] == ["reason 11", *(f"reason {number:02d}" for number in range(9))]
    assert reasons[0]["recipients"] == 2


def test_reasons_that_are_as_frequent_are_in_the_order_of_the_alphabet() -> None:
    recipients = (("u@x.example", "host b timed out"), ("v@x.example", "host a timed out"))
    reasons = summary([Message("A", "deferred", 1, 1, recipients)], [], NOW)["domains"]["x.example"]["reasons"]
    assert [listed["reason"] for listed in reasons] == ["host a timed out", "host b timed out"]


def test_waiting_is_told_by_domain() -> None:
    found = waiting_for(MESSAGES, ["slow.example", "idle.example"])
    assert {domain: [message.queue_id for message in messages] for domain, messages in found.items()} == {
        "slow.example": ["9D4F2180577", "A83B318057D", "9DC28180573"],
    }
    assert sorted(waiting_for(MESSAGES, [])) == ["away.example", "held.example", "other.test", "slow.example"]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("a@Sub.X.example", "a@x.example"),
        ("a@x.example", "a@x.example"),
        ("a@deep.sub.y.x.example", "a@y.x.example"),
        ("a@yx.example", "a@yx.example"),
        ("MAILER-DAEMON", "MAILER-DAEMON"),
    ],
)
def test_subdomains_count_as_the_nearest_domain_above(address: str, counted: str) -> None:
    message = Message("A", "deferred", 1, 1, ((address, "why"),))
    assert with_subdomains([message], ["x.example", "y.x.example"])[0].recipients == ((counted, "why"),)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (
            "host mail[192.0.2.1] said: 450 4.2.0 <bob@x.example>: Recipient address rejected (in reply to RCPT TO)",
            "host mail[192.0.2.1] said: 450 4.2.0 <...@x.example>: Recipient address rejected (in reply to RCPT TO)",
        ),
        ('450 <"bob smith"@x.example> busy', "450 <...@x.example> busy"),
        ("write to bob.smith+x@x.example, or call", "write to ...@x.example, or call"),
        (REFUSED, REFUSED),
        (SUSPENDED, REFUSED),
        ("5 @ 3", "5 @ 3"),
    ],
)
def test_reasons_name_nobody(reason: str, shown: str) -> None:
    assert common_reason(reason) == shown


@pytest.mark.parametrize(
    ("reason", "refused"),
    [
        (
            "host mail[192.0.2.1] said: 550-5.7.1 <b@x.example>: rejected 550 5.7.1 by policy (in reply to RCPT TO)",
            True,
        ),
        ("host mail[2001:db8::1]:2525 said: 554 5.7.1 Spam message rejected (in reply to end of DATA command)", True),
        ("delivery temporarily suspended: host mail[192.0.2.1] refused to talk to me: 554 5.7.1 go away", True),
        ("host mail[192.0.2.1] said: 450 4.2.0 host a[b] said: 550 5.7.1 no (in reply to RCPT TO command)", False),
        (REFUSED, False),
        ("", False),
    ],
)
def test_refusal_for_good_is_told_from_all_else(reason: str, refused: bool) -> None:
    assert is_refusal(reason) is refused
    message = Message("A", "deferred", 1, 1, (("a@x.example", reason), ("b@x.example", reason)))
    assert summary([message], [], NOW)["total"]["refused"] == 2 * refused


@pytest.mark.parametrize(
    ("queue", "sender", "may_be"),
    [
        ("hold", "MAILER-DAEMON", True),
        ("hold", "double-bounce@mx.example", True),
        ("hold", "mailer-daemon@x.example", False),
        ("hold", "bob@x.example", False),
        ("deferred", "MAILER-DAEMON", False),
    ],
)
def test_report_is_on_hold_and_comes_from_nobody(queue: str, sender: str, may_be: bool) -> None:
    assert may_be_report(Message("A", queue, 1, 1, (), sender), "double-bounce") is may_be


def kept(queue_id: str, arrival: int, *failures: tuple[str, str]) -> KeptMail:
    report = Report(queue_id, "hold/A", "bob@x.test", tuple(Failure(*failure) for failure in failures), True, 0, b"")
    return Message(queue_id, "hold", arrival, 100, (("bob@x.test", ""),), "MAILER-DAEMON"), report


def test_kept_mail_counts_for_the_domain_that_refused_it() -> None:
    mail = [
        kept("A", 1795359400, ("a@x.example", "expired: 4.4.1"), ("b@X.example", "expired: 4.4.1")),
        kept("B", 1795359300, ("a@x.example", "refused: 550 5.7.1"), ("c@y.example", "expired: 4.4.1")),
    ]
    found = summary([message for message, _report in mail], [], NOW, mail)
    assert list(found["domains"]) == ["x.example", "y.example"]
    assert (found["total"]["count"], found["total"]["held"], found["total"]["age"]) == (0, 0, None)
    assert found["domains"]["x.example"]["kept"] == {
        "count": 2,
        "recipients": 3,
        "size": 200,
        "oldest": 1795359300,
        "age": 176,
        "causes": [{"cause": "expired: 4.4.1", "count": 1}, {"cause": "refused: 550 5.7.1", "count": 1}],
    }
    assert found["total"]["kept"] == {
        "count": 2,
        "recipients": 4,
        "size": 200,
        "oldest": 1795359300,
        "age": 176,
        "causes": [{"cause": "expired: 4.4.1", "count": 2}, {"cause": "refused: 550 5.7.1", "count": 1}],
    }
    named = summary([message for message, _report in mail], ["y.example"], NOW, mail)
    assert (named["total"]["kept"]["count"], named["total"]["kept"]["recipients"]) == (1, 1)
    assert list(named["domains"]) == ["y.example"]


def test_kept_mail_of_a_subdomain_counts_for_the_domain_above() -> None:
    mail = kept_with_subdomains([kept("A", 1, ("a@sub.x.example", "expired"))], ["x.example"])
    assert [failure.recipient for failure in mail[0][1].failures] == ["a@x.example"]
