# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks import mail_host
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import checks_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import DOMAIN_ON_MAIL_HOST
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState

READY = (220, "ready")
OK = (250, "2.1.0 Ok")
EXTENSIONS = {"size": "1000", "smtputf8": "", "8bitmime": ""}


def talk(**fields: Any) -> Talk:
    return Talk(**{"server": "mail.example", "banner": READY, "mail": OK, "extensions": EXTENSIONS, **fields})


def findings(
    told: Talk | None,
    relayed: str = "x.example",
    name: str = "x.example",
    senders: Sequence[Talk] = (),
    again: Sequence[Talk] = (),
    **values: str,
) -> list[Finding]:
    state = HostState(values={"message_size_limit": "1000", "smtputf8_enable": "yes", **values})
    domain = DomainEvidence(
        name, relayed, talk=told, probe_recipient=f"a@{name}", sender_talks=senders, talks_again=again
    )
    return [finding for check in checks_of(DOMAIN_ON_MAIL_HOST) for finding in check(domain, state)]


def of_mail_host(*arguments: Any, **more: Any) -> list[tuple[str, str, str]]:
    return [(finding.check, finding.severity, finding.scope) for finding in findings(*arguments, **more)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (talk(recipients={"a@x.example": OK}), []),
        (None, []),
        (Talk("mail.example", "Connection refused"), [("mail_host_unreachable", "warning", "remote")]),
        (talk(mail=None, failure="it does not answer"), [("mail_host_unreachable", "warning", "remote")]),
        (talk(mail=(550, "no"), failure="it closes"), [("mail_host_refuses", "error", "remote")]),
        (talk(banner=(554, "5.7.1 no")), [("mail_host_refuses", "error", "remote")]),
        (talk(mail=(451, "4.7.1 later")), [("mail_host_defers", "warning", "remote")]),
        (talk(recipients={"a@x.example": (450, "4.2.0 Greylisted")}), [("mail_host_greylists", "warning", "remote")]),
        (talk(recipients={"a@x.example": (550, "5.7.1 SPF")}), [("mail_host_spf", "error", "remote")]),
        (talk(recipients={"a@x.example": (550, "5.1.1 unknown")}), [("mail_host_unknown", "error", "remote")]),
        (talk(recipients={"b@x.example": (550, "5.1.1 unknown")}), []),
        (talk(extensions={**EXTENSIONS, "size": "900"}), [("message_size", "error", "local")]),
        (talk(extensions={**EXTENSIONS, "size": "0"}), [("message_size", "warning", "local")]),
        # What is no number in ASCII, or has no end, is none.
        (talk(extensions={**EXTENSIONS, "size": "\u00b2"}), []),
        (talk(extensions={**EXTENSIONS, "size": "9" * 5000}), []),
        (talk(recipients={"a@x.example": (550, "#5.1.0 rejected")}), [("mail_host_unknown", "error", "remote")]),
        (talk(extensions={"size": "1000", "8bitmime": ""}), [("smtputf8", "info", "local")]),
        (talk(extensions={}), [("mail_host_8bitmime", "warning", "remote")]),
    ],
)
def test_mail_host_is_judged(told: Talk | None, expected: list[tuple[str, str, str]]) -> None:
    assert of_mail_host(told) == expected


@pytest.mark.parametrize(
    ("sender", "answer", "check"),
    [
        ("", (554, "5.7.1 no"), "mail_host_refuses"),
        ("", (454, "4.7.1 later"), "mail_host_defers"),
        ("s@mx.example", (554, "5.7.1 no"), "mail_host_sender_policy"),
    ],
)
def test_second_connection_is_judged_as_the_first(sender: str, answer: tuple[int, str], check: str) -> None:
    again = [talk(sender=sender, mail=answer, again=True)]
    found = of_mail_host(talk(recipients={"a@x.example": OK}), again=again)
    assert [told for told, _severity, _scope in found] == [check]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (
            Talk("mail.example", "timed out"),
            "mail.example can't be reached from here (timed out): its mail waits in the queue",
        ),
        (
            talk(mail=None, failure="it closes"),
            "mail.example greets this host, then breaks off (it closes): its mail waits in the queue",
        ),
        (talk(mail=(500, "no")), "mail.example refuses this host at MAIL (500 no): all its mail bounces"),
        (
            talk(recipients={"a@x.example": (500, "no")}),
            "mail.example refuses this host at RCPT (500 no): mail for such recipients bounces",
        ),
        (
            talk(recipients={"a@x.example": (500, "5.1.1 unknown")}),
            "mail.example does not know a@x.example, which is listed here (500 5.1.1 unknown): mail for it is "
            "accepted, then bounces",
        ),
    ],
)
def test_what_the_mail_host_does_to_mail_is_told(told: Talk, message: str) -> None:
    assert [finding.message for finding in findings(told)] == [f"its mail host {message}"]


@pytest.mark.parametrize(
    ("ours", "theirs", "message"),
    [
        (
            "0",
            "900",
            "any number of bytes here but 900 on its mail host mail.example: those in between are accepted, then",
        ),
        ("1", "900", "1 bytes here but 900 on its mail host mail.example: those in between are refused only here"),
        ("899", "900", "899 bytes here but 900 on its mail host mail.example: those in between are refused only here"),
        ("901", "900", "901 bytes here but 900 on its mail host mail.example: those in between are accepted, then"),
        (
            "1",
            "0",
            "1 bytes here but any number of on its mail host mail.example: those in between are refused only here",
        ),
    ],
)
def test_sizes_that_differ_are_told(ours: str, theirs: str, message: str) -> None:
    (found,) = findings(talk(extensions={**EXTENSIONS, "size": theirs}), message_size_limit=ours)
    assert found.message == f"messages may have {message}" + (" bounce" if message.endswith("then") else "")


def test_second_connection_tells_nothing_where_the_first_was_refused() -> None:
    again = [talk(sender=sender, mail=(554, "5.7.1 no"), again=True) for sender in ("", "s@mx.example")]
    assert of_mail_host(talk(mail=(550, "5.7.1 no")), again=again) == [("mail_host_refuses", "error", "remote")]


def test_sender_that_is_refused_is_told_by_its_domain() -> None:
    refused = talk(sender='"s@home"@mx.example', mail=(554, "5.7.1 no"))
    domain = DomainEvidence("x.example", "x.example", talk=talk(), sender_talks=[refused])
    (found,) = mail_host.mail_host_sender_policy(domain, HostState())
    assert found.message.startswith("its mail host mail.example refuses mail from a sender at mx.example at MAIL (554 ")


@pytest.mark.parametrize("told", [Talk("mail.example", "timed out"), talk(banner=(554, "no")), talk(extensions={})])
def test_mail_host_of_a_domain_that_is_not_relayed_is_not_judged(told: Talk) -> None:
    assert of_mail_host(told, relayed="") == []


def test_mail_host_that_turns_this_host_away_is_not_judged_any_further() -> None:
    refused = talk(mail=(550, "5.7.1 no"), recipients={"a@x.example": (550, "5.1.1 unknown")}, extensions={"size": "1"})
    assert of_mail_host(refused) == [("mail_host_refuses", "error", "remote")]


@pytest.mark.parametrize("answer", [(554, "5.7.1 Relay access denied"), (550, "5.1.1 unknown"), (500, "no")])
def test_mail_host_that_refuses_the_other_form_of_a_domain(answer: tuple[int, str]) -> None:
    refused = talk(recipients={"a@bücher.example": answer})
    assert of_mail_host(refused, name="bücher.example") == [("mail_host_form", "error", "local")]
    # Then nobody names it so.
    assert of_mail_host(refused, name="bücher.example", smtputf8_enable="no") == []
    away = talk(mail=(550, "5.7.1 no"))
    assert of_mail_host(away, name="bücher.example") == [("mail_host_refuses", "error", "remote")]


def test_domain_that_only_smtputf8_can_name_needs_it_on_the_mail_host() -> None:
    assert of_mail_host(talk(extensions={"size": "1000", "8bitmime": ""}), name="bücher.example") == [
        ("smtputf8", "error", "local")
    ]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, []),
        ({"mail": (550, "5.7.1 no")}, [("mail_host_sender_policy", "error", "remote")]),
        ({"mail": (500, "5.7.1 no")}, [("mail_host_sender_policy", "error", "remote")]),
        ({"recipients": {"a@x.example": (550, "5.7.1 no")}}, [("mail_host_sender_policy", "error", "remote")]),
        ({"recipients": {"a@x.example": (550, "5.1.1 unknown")}}, []),
        ({"recipients": {"a@x.example": (450, "4.2.0 later")}}, [("mail_host_defers", "warning", "remote")]),
    ],
)
def test_mail_host_that_takes_bounces_is_judged_by_what_other_senders_are_told(
    answers: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    taken = talk(recipients={"a@x.example": OK})
    senders = [talk(sender="s@mx.example", **answers)]
    assert of_mail_host(taken, senders=senders) == expected
    assert of_mail_host(talk(mail=(550, "no")), senders=senders) == [("mail_host_refuses", "error", "remote")]
