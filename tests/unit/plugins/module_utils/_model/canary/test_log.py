# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.log import (
    Action,
    Line,
    Trace,
    Wanted,
    parse_line,
    traces,
)

START = "Nov 28 22:50:31 mx.example postfix"
SENT = (
    "to=<a@x.example>, relay=mail.example[192.0.2.10]:25, delay=0.25, delays=0.06/0.03/0.1/0.06, dsn=2.0.0, "
    "status=sent (250 2.0.0 Ok: queued as 08EE71CC00E)"
)


def trace(*lines: str, queue_id: str = "C657F1CE2F4") -> Trace:
    wanted = {"x.example": Wanted("mxrelay-canary-1@mx.example", "", "a@x.example", queue_id)}
    return traces([f"{START}/{line}" for line in lines], wanted)["x.example"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            f"{START}/smtpd[2116]: connect from a[192.0.2.1]",
            Line("smtpd", "smtpd", "2116", "connect from a[192.0.2.1]"),
        ),
        (f"{START}/relay/smtp[1]: 4: x", Line("smtp", "relay", "1", "4: x")),
        ("2026-11-28T22:50:31.1+00:00 mx postfix-out/qmgr[1]: x", Line("qmgr", "qmgr", "1", "x")),
        ("Nov 28 22:50:31 mx systemd[1]: Started postfix.service", None),
        ("-- No entries --", None),
        ("", None),
    ],
)
def test_line_is_that_of_a_daemon_of_postfix(text: str, line: Line | None) -> None:
    assert parse_line(text) == line


@pytest.mark.parametrize("queue_id", ["C657F1CE2F4", "4f9D195432z7M"])
def test_delivery_is_read_with_all_that_it_says(queue_id: str) -> None:
    (delivery,) = trace(f"relay/smtp[7]: {queue_id}: {SENT}", queue_id=queue_id).deliveries
    assert delivery._asdict() == {
        "queue_id": queue_id,
        "program": "smtp",
        "service": "relay",
        "to": "a@x.example",
        "original": "",
        "relay": "mail.example[192.0.2.10]:25",
        "delay": 0.25,
        "delays": "0.06/0.03/0.1/0.06",
        "dsn": "2.0.0",
        "status": "sent",
        "answer": "250 2.0.0 Ok: queued as 08EE71CC00E",
        "tls": "",
    }


def test_tls_is_that_of_the_same_process_and_server() -> None:
    secured = "TLS connection established to mail.example[192.0.2.10]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384"
    found = trace(
        f"relay/smtp[6]: Untrusted {secured.replace('1.3', '1.2')}",
        f"relay/smtp[7]: Untrusted {secured}",
        f"relay/smtp[7]: C657F1CE2F4: {SENT.replace('a@x.example>, ', 'b@y.example>, orig_to=<a@x.example>, ')}",
    )
    assert [(delivery.tls, delivery.to, delivery.original) for delivery in found.deliveries] == [
        ("TLSv1.3", "b@y.example", "a@x.example")
    ]


def test_connection_used_again_is_read_as_well() -> None:
    again = SENT.replace("delay=", "conn_use=2, delay=", 1)
    assert trace(f"smtp[7]: C657F1CE2F4: {again}").deliveries[0].delay == 0.25


def test_message_is_followed_under_each_queue_id_that_has_its_message_id() -> None:
    found = trace(
        "cleanup[1]: D65: message-id=<mxrelay-canary-2@mx.example>",
        "cleanup[1]: C657F1CE2F4: message-id=<mxrelay-canary-1@mx.example>",
        "cleanup[1]: DE4F61CE319: message-id=<mxrelay-canary-1@mx.example>",
        f"smtp[2]: DE4F61CE319: {SENT}",
        f"smtp[2]: AAAAAAAAAAA: {SENT}",
    )
    assert found.queue_ids == ["C657F1CE2F4", "DE4F61CE319"]
    assert [delivery.queue_id for delivery in found.deliveries] == ["DE4F61CE319"]


def test_queue_id_is_found_by_the_message_id_if_no_answer_told_it() -> None:
    line = "cleanup[1]: C657F1CE2F4: message-id=<mxrelay-canary-1@mx.example>"
    assert (trace(line, queue_id="").queue_ids, trace(line, queue_id="").seen) == (["C657F1CE2F4"], True)


HOLD = "NOQUEUE: hold: RCPT from t[192.0.2.99]: <a@x.example>: Recipient address triggers HOLD action"
ENVELOPE = "; from=<> to=<a@x.example> proto=ESMTP helo=<t>"


def test_action_before_the_queue_belongs_to_the_next_message_of_its_process() -> None:
    ours = Action("hold", "RCPT from t[192.0.2.99]: <a@x.example>: Recipient address triggers HOLD action")
    client = "C657F1CE2F4: client=t[192.0.2.99]"
    assert trace(f"smtpd[1]: {HOLD}{ENVELOPE}", f"smtpd[1]: {client}").actions == [ours]
    assert trace(f"smtpd[1]: {HOLD}{ENVELOPE}", f"smtpd[2]: {client}").actions == []
    assert (
        trace(f"smtpd[1]: {HOLD}{ENVELOPE}", "smtpd[1]: connect from t[192.0.2.99]", f"smtpd[1]: {client}").actions
        == []
    )
    assert trace(f"smtpd[1]: {HOLD}{ENVELOPE.replace('<>', '<s@y.example>')}", f"smtpd[1]: {client}").actions == []


def test_refusal_is_known_by_its_envelope() -> None:
    text = "reject: RCPT from t[192.0.2.99]: 554 5.7.1 <t[192.0.2.99]>: Client host rejected: Access denied"
    found = trace(f"smtpd[1]: NOQUEUE: {text}{ENVELOPE}", f"smtpd[1]: NOQUEUE: {text}{ENVELOPE.replace('a@', 'b@')}")
    assert found.actions == [Action("reject", text.partition(": ")[2])]


@pytest.mark.parametrize(
    ("text", "action"),
    [
        (
            f"discard: header Subject: x from t[192.0.2.99]{ENVELOPE}: canary",
            Action("discard", "header Subject: x from t[192.0.2.99] (canary)"),
        ),
        (
            f"milter-discard: END-OF-MESSAGE from t[192.0.2.99]: milter triggers DISCARD action{ENVELOPE}",
            Action("discard", "END-OF-MESSAGE from t[192.0.2.99]: milter triggers DISCARD action"),
        ),
        ("removed (discarded)", Action("discard", "removed (discarded)")),
    ],
)
def test_action_on_a_message_is_told_with_its_rule(text: str, action: Action) -> None:
    assert trace(f"cleanup[1]: C657F1CE2F4: {text}").actions == [action]


def test_bounce_and_expiry_are_noted() -> None:
    found = trace(
        "bounce[1]: C657F1CE2F4: sender non-delivery notification: D52231CE308",
        "qmgr[1]: C657F1CE2F4: from=<s@y.example>, status=expired, returned to sender",
    )
    assert (found.notices, found.expired) == (["D52231CE308"], True)
