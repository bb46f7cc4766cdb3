# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings.probe import (
    foreign_recipients,
    mail_host_findings,
    stranger_findings,
)

READY = (220, "ready")
OK = (250, "2.1.0 Ok")
RELAY_DENIED = (554, "5.7.1 Relay access denied")
EXTENSIONS = {"size": "1000", "smtputf8": ""}


def talk(**fields: Any) -> Talk:
    return Talk(**{"server": "mail.example", "banner": READY, "mail": OK, "extensions": EXTENSIONS, **fields})


def of_mail_host(told: Talk | None, **values: str) -> list[tuple[str, str, str]]:
    state = HostState(values={"message_size_limit": "1000", "smtputf8_enable": "yes", **values})
    domain = DomainEvidence("x.example", "x.example", talk=told, probe_recipient="a@x.example")
    return [(one.check, one.severity, one.scope) for one in mail_host_findings(domain, state)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (talk(recipients={"a@x.example": OK}), []),
        (None, []),
        (Talk("mail.example", "Connection refused"), [("mail_host_unreachable", "warning", "remote")]),
        (talk(banner=(554, "5.7.1 no")), [("mail_host_refuses", "error", "remote")]),
        (talk(mail=(451, "4.7.1 later")), [("mail_host_defers", "warning", "remote")]),
        (talk(recipients={"a@x.example": (450, "4.2.0 Greylisted")}), [("mail_host_defers", "warning", "remote")]),
        (talk(recipients={"a@x.example": (550, "5.7.1 SPF")}), [("mail_host_refuses", "error", "remote")]),
        (talk(recipients={"a@x.example": (550, "5.1.1 unknown")}), [("mail_host_unknown", "warning", "remote")]),
        (talk(recipients={"b@x.example": (550, "5.1.1 unknown")}), []),
        (talk(extensions={"size": "900", "smtputf8": ""}), [("message_size", "warning", "local")]),
        (talk(extensions={"size": "0", "smtputf8": ""}), [("message_size", "warning", "local")]),
        (talk(extensions={"size": "1000"}), [("smtputf8", "info", "local")]),
        (talk(extensions={}), []),
    ],
)
def test_mail_host_is_judged(told: Talk | None, expected: list[tuple[str, str, str]]) -> None:
    assert of_mail_host(told) == expected


def of_stranger(*, foreign: Talk | None = None, **recipients: Any) -> list[tuple[str, str, str]]:
    answers = {"listed": OK, "postmaster": OK, "nobody": (550, "5.1.1"), **recipients}
    told = {f"{name}@x.example": answer for name, answer in answers.items()}
    found = stranger_findings(
        "mx.example",
        {"x.example": talk(recipients=told)},
        {"x.example": "listed@x.example"},
        {"x.example": "nobody@x.example"},
        [foreign or talk(recipients=dict.fromkeys(foreign_recipients("x.example"), RELAY_DENIED))],
    )
    return [(one.domain, one.check, one.severity) for one in found]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, []),
        ({"listed": (550, "5.1.1")}, [("x.example", "probe_refused", "error")]),
        ({"listed": (451, "4.3.0")}, [("x.example", "probe_deferred", "warning")]),
        ({"postmaster": (550, "5.1.1")}, [("x.example", "probe_postmaster", "warning")]),
        ({"nobody": OK}, [("x.example", "probe_unknown", "warning")]),
        ({"nobody": (450, "4.1.1")}, [("x.example", "probe_unknown", "warning")]),
        (
            {"foreign": talk(recipients={"a": OK, "b": OK, "c": (454, "4.7.1")})},
            [("", "probe_open_relay", "error")],
        ),
        ({"foreign": talk(recipients={"a%b@x.example": OK})}, [("", "probe_open_relay", "error")]),
        ({"foreign": talk(recipients={"a@b": (454, "4.7.1")})}, [("", "probe_relay_deferred", "warning")]),
    ],
)
def test_answers_to_a_stranger_are_judged(answers: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert of_stranger(**answers) == expected


def test_silence_to_a_stranger_is_one_finding() -> None:
    dead = Talk("mx.example", "timed out")
    found = list(stranger_findings("mx.example", {"x.example": dead}, {}, {}, []))
    assert [(one.domain, one.check, one.severity) for one in found] == [("", "probe_connect", "error")]
    assert "timed out" in found[0].message


def test_greeting_that_turns_a_stranger_away_is_named() -> None:
    away = talk(banner=(521, "go away"), mail=None)
    found = list(stranger_findings("mx.example", {"x.example": away}, {}, {}, []))
    assert [(one.domain, one.check) for one in found] == [("x.example", "probe_refused")]


def test_foreign_recipients_hide_in_the_domain_that_is_relayed() -> None:
    spellings = foreign_recipients("x.example")
    assert len(set(spellings)) == 7
    assert [one for one in spellings if "mxrelay-probe.invalid" not in one] == []
    assert len([one for one in spellings if one.endswith("@x.example")]) == 4
