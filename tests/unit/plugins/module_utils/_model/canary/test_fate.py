# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The logs beside this file are those of Postfix 3.10 and 3.5, on which each outcome was made by hand."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.fate import (
    Fate,
    Handed,
    Seen,
    fate,
    is_left_out,
    left,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.log import Delivery, Trace, Wanted, traces
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.message import Canary
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import Message

OK = (250, "2.1.5 Ok")
MAIL = "mail.lab.example[192.0.2.10]:25"


def canary(recipient: str = "a@x.example", sender: str = "", **fields: Any) -> Canary:
    return Canary("x.example", recipient, sender, "1", "mx.example", **fields)


def handed(*answers: tuple[int, str], **fields: Any) -> Handed:
    return Handed(tuple(zip(("MAIL", "RCPT", "DATA"), answers, strict=False)), **fields)


def taken(queue_id: str) -> Handed:
    return handed(OK, OK, (250, f"2.0.0 Ok: queued as {queue_id}"))


def waiting(queue_id: str, queue: str = "deferred", reason: str = "") -> Message:
    return Message(queue_id, queue, 0, 100, (("a@x.example", reason),))


def lines_of(suite: str) -> list[str]:
    return (pathlib.Path(__file__).parent / f"{suite}.log").read_text(encoding="utf-8").split("\n")


def queue_id_of(lines: Sequence[str], name: str) -> str:
    """Of a message that the log names by its Message-ID."""
    return next(line for line in lines if f"<mxrelay-canary-{name}@x>" in line).partition("]: ")[2].partition(":")[0]


def followed(lines: Sequence[str], name: str, queue_id: str, sender: str, recipient: str, *queued: Message) -> Fate:
    wanted = Wanted(f"mxrelay-canary-{name}@x", sender, recipient, queue_id)
    seen = Seen(traces(lines, {name: wanted})[name], {message.queue_id: message for message in queued})
    return fate(canary(recipient, sender), taken(queue_id), seen)


@pytest.mark.parametrize(
    ("suite", "recipient"), [("trixie", "alice@gateway.example"), ("bullseye", "liz@front.example")]
)
@pytest.mark.parametrize(
    ("name", "outcome", "reason"),
    [
        ("d1", "delivered", f"{MAIL} took it (250 2.0.0 Ok: queued as"),
        ("hold2", "held", "Recipient address triggers HOLD action"),
        ("redir", "bounced", "550 5.1.1 <other@elsewhere.test>: Recipient address rejected: User unknown in virtual"),
        ("local", "redirected", "it went to another address, by local (delivered to mailbox)"),
        ("bounced", "bounced", "SPF fail (in reply to RCPT TO command); sally@tester.lab.example is told"),
        ("bounced2", "bounced", "Access denied (in reply to RCPT TO command); nobody is told, as its sender is <>"),
        ("waiting", "waiting", "450 4.3.2 <mx"),
        ("distrans", "discarded", "the transport of the domain is discard"),
        ("filter", "delivered", f"{MAIL} took it (250 2.0.0 Ok: queued as"),
        ("pipe", "delivered", f"{MAIL} took it (250 2.0.0 Ok: queued as"),
    ],
)
@pytest.mark.parametrize("long_ids", [False, True])
def test_outcome_is_what_the_log_of_a_real_host_says(
    suite: str, recipient: str, name: str, outcome: str, reason: str, long_ids: bool
) -> None:
    lines = lines_of(suite)
    if long_ids:
        lines = [
            re.sub(r"\b([0-9A-F]{11})\b", lambda found: "4fzQ" + found.group(1)[2:].replace("A", "y"), line)
            for line in lines
        ]
    sender = "sally@tester.lab.example" if name == "bounced" else ""
    found = followed(lines, name, queue_id_of(lines, name), sender, recipient)
    assert (found.outcome, found.settled) == (outcome, outcome != "waiting")
    assert reason in found.reason


@pytest.mark.parametrize(
    ("suite", "queue_id", "recipient", "outcome", "reason"),
    [
        ("trixie", "DE8BA1CE2F5", "alice@gateway.example", "discarded", "header Subject: canary from"),
        ("trixie", "43FCC1CE2FE", "alice@gateway.example", "held", "header Subject: canary from"),
        ("trixie", "58C871CE2F8", "alice@gateway.example", "discarded", "triggers DISCARD action"),
        ("bullseye", "9DBC71CE2F5", "liz@front.example", "discarded", "triggers DISCARD action"),
    ],
)
def test_message_without_a_message_id_in_the_log_is_known_by_its_queue_id(
    suite: str, queue_id: str, recipient: str, outcome: str, reason: str
) -> None:
    found = followed(lines_of(suite), "none", queue_id, "", recipient)
    assert (found.outcome, reason in found.reason, found.settled) == (outcome, True, True)


@pytest.mark.parametrize(
    ("answers", "accepted", "queue_id", "refused"),
    [
        ((), False, "", ""),
        ((OK, (450, "4.2.0 Greylisted")), False, "", "RCPT"),
        ((OK, OK), False, "", ""),
        ((OK, OK, (451, "4.7.1 queued as A1")), False, "", "DATA"),
        ((OK, OK, (250, "2.0.0 Ok: queued as A1")), True, "A1", ""),
        ((OK, OK, (250, "2.6.0 taken")), True, "", ""),
    ],
)
def test_message_is_accepted_once_its_text_is(
    answers: Sequence[tuple[int, str]], accepted: bool, queue_id: str, refused: str
) -> None:
    told = handed(*answers)
    refusal = told.refusal[0] if told.refusal else ""
    assert (told.accepted, told.queue_id, refusal) == (accepted, queue_id, refused)


def test_redirected_message_is_told_with_where_it_went() -> None:
    found = followed(lines_of("trixie"), "redir2", "D67851CE304", "", "alice@gateway.example")
    assert (found.outcome, found.recipient, found.settled) == ("redirected", "stranger@elsewhere.test", True)


def test_each_hop_has_its_answer_and_time() -> None:
    found = followed(lines_of("trixie"), "filter", "D25B61CE316", "", "alice@gateway.example")
    assert [(hop.to, hop.queue_id, hop.seconds, hop.delays) for hop in found.hops] == [
        ("mx.example", "", 0.0, ""),
        ("127.0.0.1[127.0.0.1]:10026", "D25B61CE316", 0.06, "0.01/0.03/0.02/0"),
        (MAIL, "DE4F61CE319", 0.09, "0/0.03/0.03/0.02"),
    ]
    assert [hop.answer for hop in found.hops] == [
        "250 2.0.0 Ok: queued as D25B61CE316",
        "250 2.0.0 Ok: queued as DE4F61CE319",
        "250 2.0.0 Ok: queued as F3D281CC153",
    ]


def test_filter_that_does_not_return_it_has_lost_it() -> None:
    lines = [line for line in lines_of("trixie") if "DE4F61CE319: " not in line]
    found = followed(lines, "filter", "D25B61CE316", "", "alice@gateway.example")
    assert (found.outcome, found.settled) == ("lost", False)
    lines = [line for line in lines_of("trixie") if "033F01CE31E: " not in line]
    found = followed(lines, "pipe", "EBD6A1CE31B", "", "alice@gateway.example")
    assert (found.outcome, found.settled) == ("unknown", False)


def test_message_between_filter_and_queue_is_not_settled() -> None:
    lines = [line for line in lines_of("trixie") if "DE4F61CE319: to=" not in line]
    queued = waiting("DE4F61CE319", "active")
    assert followed(lines, "filter", "D25B61CE316", "", "alice@gateway.example", queued).outcome == "waiting"
    assert followed(lines, "filter", "D25B61CE316", "", "alice@gateway.example").outcome == "lost"


@pytest.mark.parametrize(
    ("answers", "failure", "outcome", "reason"),
    [
        ([OK, (450, "4.3.2 Primary MX is up")], "", "standby", "RCPT: 450 4.3.2 Primary MX is up"),
        ([OK, (450, "4.3.2 Service currently unavailable")], "", "refused", "RCPT: 450 4.3.2 Service"),
        ([OK, (451, "4.3.0 x")], "", "refused", "RCPT: 451 4.3.0 x"),
        ([(550, "5.7.1 no")], "", "refused", "MAIL: 550 5.7.1 no"),
        ([OK, OK, (550, "5.7.1 spam")], "", "refused", "DATA: 550 5.7.1 spam"),
        ([], "timed out", "refused", "the MX host did not answer the stranger (timed out)"),
    ],
)
def test_refusal_at_the_door_is_told(answers: list[tuple[int, str]], failure: str, outcome: str, reason: str) -> None:
    found = fate(canary(), handed(*answers, failure=failure), Seen(Trace(), {}))
    assert (found.outcome, found.settled) == (outcome, True)
    assert found.reason.startswith(reason)


def test_refusal_is_told_with_what_the_log_says() -> None:
    wanted = Wanted("mxrelay-canary-9@x", "x@tester.lab.example", "alice@gateway.example")
    seen = Seen(traces(lines_of("trixie"), {"x": wanted})["x"], {})
    found = fate(canary(), handed(OK, (554, "5.7.1 no")), seen)
    assert found.reason == (
        "RCPT: 554 5.7.1 no; the log says: RCPT from tester.lab.example[192.0.2.99]: 554 5.7.1 "
        "<x@tester.lab.example>: Sender address rejected: Access denied"
    )


def test_refused_message_that_the_log_knows_is_refused() -> None:
    seen = Seen(Trace(["C657F1CE2F4"], seen=True), {})
    assert fate(canary(), handed(OK, OK, (550, "5.7.1 spam")), seen).outcome == "refused"


def test_message_whose_answer_was_cut_off_is_followed_by_the_log() -> None:
    cut = handed(OK, OK, failure="timed out")
    assert fate(canary(), cut, Seen(Trace(["C657F1CE2F4"], seen=True), {})).outcome == "lost"


@pytest.mark.parametrize(
    ("queued", "readable", "outcome", "reason", "settled"),
    [
        (waiting("C657F1CE2F4", "hold"), True, "held", "it is on hold; the log does not say by which rule", True),
        (waiting("C657F1CE2F4", reason="connect: timed out"), True, "waiting", "connect: timed out", False),
        (
            waiting("C657F1CE2F4", "active"),
            True,
            "waiting",
            "it is in the queue, and no attempt to hand it on has ended yet",
            False,
        ),
        (None, True, "unknown", "it is not in the queue, and no line of the log is about it", False),
        (None, False, "unknown", "it is not in the queue, and the log can't be read", True),
    ],
)
def test_without_a_log_the_queue_tells(
    queued: Message | None, readable: bool, outcome: str, reason: str, settled: bool
) -> None:
    queue = {queued.queue_id: queued} if queued else {}
    found = fate(canary(), taken("C657F1CE2F4"), Seen(Trace(["C657F1CE2F4"]), queue, readable))
    assert (found.outcome, found.reason, found.settled) == (outcome, reason, settled)


def test_domain_whose_postmaster_nobody_named_and_nobody_is_is_left_out() -> None:
    unknown = handed(OK, (550, "5.1.1 User unknown"))
    assert is_left_out(canary(assumed=True), unknown)
    assert not is_left_out(canary(), unknown)
    assert not is_left_out(canary(assumed=True), handed(OK, (554, "5.7.1 no")))
    assert not is_left_out(canary(assumed=True), taken("C657F1CE2F4"))


def test_what_is_left_in_the_queue_is_ours_and_bounces_of_it() -> None:
    trace = Trace(["C657F1CE2F4", "DE4F61CE319"], notices=["D52231CE308"])
    queue = {name: waiting(name) for name in ("DE4F61CE319", "D52231CE308", "FFFFFFFFFFF")}
    assert left([trace], queue) == ["DE4F61CE319", "D52231CE308"]


def test_message_is_known_by_the_queue_id_of_the_last_answer() -> None:
    assert taken("C657F1CE2F4").queue_id == "C657F1CE2F4"
    assert handed(OK, OK, (250, "2.0.0 thanks")).queue_id == ""
    assert handed(OK, (450, "queued as C657F1CE2F4")).queue_id == ""


@pytest.mark.parametrize(
    ("program", "relay", "to"), [("local", "local", "local"), ("error", "none", "error"), ("virtual", "", "virtual")]
)
def test_hop_without_another_host_is_told_by_its_program(program: str, relay: str, to: str) -> None:
    delivery = Delivery("C657", program, program, "a@x.example", "", relay, 0.1, "", "2.0.0", "sent", "to mailbox", "")
    found = fate(canary(), taken("C657"), Seen(Trace(["C657"], deliveries=[delivery], seen=True), {}))
    assert [hop.to for hop in found.hops] == ["mx.example", to]
    assert (found.outcome, found.settled, found.recipient) == ("redirected", True, "a@x.example")
    assert found.reason == f"it stays on this host: {program} has to mailbox"


def test_results_are_read_back() -> None:
    said = {"answers": [["MAIL", [250, "ok"]]], "failure": "", "seconds": 0.5, "tls": "TLSv1.3"}
    assert Handed.from_result(said) == handed((250, "ok"), seconds=0.5, tls="TLSv1.3")
    assert fate(canary(), taken("C657F1CE2F4"), Seen(Trace(), {})).as_result()["hops"][0]["to"] == "mx.example"
