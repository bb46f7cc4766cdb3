# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import checks_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import STRANGER
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.stranger import (
    FOREIGN_DOMAINS,
    foreign_recipients,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import ANSWER
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.stranger import StrangerEvidence

READY = (220, "ready")
OK = (250, "2.1.0 Ok")
RELAY_DENIED = (554, "5.7.1 Relay access denied")


def talk(**fields: Any) -> Talk:
    return Talk(**{"server": "mx.example", "banner": READY, "mail": OK, **fields})


def judged(told: StrangerEvidence) -> list[Finding]:
    return [finding for check in checks_of(STRANGER) for finding in check(told)]


def of_stranger(*, foreign: Talk | None = None, **recipients: Any) -> list[tuple[str, str, str]]:
    answers = {"listed": OK, "postmaster": OK, "nobody": (550, "5.1.1"), **recipients}
    told = {f"{name}@x.example": answer for name, answer in answers.items()}
    found = judged(
        StrangerEvidence(
            "mx.example",
            {"x.example": talk(recipients=told)},
            {"x.example": "listed@x.example"},
            {"x.example": "nobody@x.example"},
            [foreign or talk(recipients=dict.fromkeys(foreign_recipients("x.example"), RELAY_DENIED))],
        )
    )
    return [(finding.domain, finding.check, finding.severity) for finding in found]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, []),
        ({"listed": (550, "5.1.1")}, [("x.example", "probe_refused", "error")]),
        ({"listed": (451, "4.3.0")}, [("x.example", "probe_deferred", "error")]),
        ({"listed": (451, "4.3.5")}, [("x.example", "probe_deferred", "error")]),
        ({"listed": (450, "4.2.0 Greylisted")}, [("x.example", "probe_deferred", "warning")]),
        ({"listed": (450, f"4.3.2 <listed@x.example>: Recipient address rejected: {ANSWER}")}, []),
        ({"postmaster": (550, "5.1.1")}, [("x.example", "probe_postmaster", "warning")]),
        ({"nobody": OK}, [("x.example", "probe_unknown", "warning")]),
        ({"nobody": (450, "4.1.1")}, [("x.example", "probe_unknown", "warning")]),
        ({"nobody": (451, "4.3.0")}, [("x.example", "probe_unknown", "error")]),
        ({"foreign": talk(recipients={"a@b": (451, "4.3.5")})}, [("", "probe_relay_deferred", "error")]),
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
    found = judged(StrangerEvidence("mx.example", {"x.example": dead}, {}, {}, []))
    assert [(finding.domain, finding.check, finding.severity) for finding in found] == [("", "probe_connect", "error")]
    assert "timed out" in found[0].message


def test_silence_that_comes_later_is_one_finding_too() -> None:
    taken = talk(recipients={"probe@[240.0.0.1]": OK})
    before = talk(recipients={"nobody@x.example": OK, "postmaster@x.example": (550, "5.1.1")})
    unknown = {"x.example": "nobody@x.example"}
    silent = Talk("mx.example", "timed out")
    told = StrangerEvidence("mx.example", {"x.example": before}, {}, unknown, [taken, silent])
    assert [finding.check for finding in judged(told)] == ["probe_connect"]


def test_domain_whose_listed_recipient_is_turned_away_is_not_judged_any_further() -> None:
    refused = (550, "5.1.1")
    assert of_stranger(listed=refused, postmaster=refused, nobody=OK) == [("x.example", "probe_refused", "error")]


def test_ordinary_sender_is_judged_if_bounces_are_taken() -> None:
    def found(bounces: Talk, ordinary: Talk) -> list[str]:
        told = StrangerEvidence(
            "mx.example", {"x.example": bounces}, {"x.example": "a@x.example"}, {}, [], {"x.example": ordinary}
        )
        return [finding.message for finding in judged(told) if finding.check.startswith("probe_")]

    taken, refused = talk(recipients={"a@x.example": OK}), (550, "5.7.1 no")
    assert found(taken, talk(sender="s@o.example", recipients={"a@x.example": refused})) == [
        "mail for a@x.example from a sender at o.example is refused (550 5.7.1 no)"
    ]
    assert found(taken, talk(sender="s@o.example", recipients={"a@x.example": OK})) == []
    assert found(talk(mail=refused), talk(sender="s@o.example", mail=refused)) == [
        "a stranger is refused (550 5.7.1 no)"
    ]


@pytest.mark.parametrize(
    ("fields", "way", "remedy"),
    [
        ({"port": 587}, " on port 587", "end smtpd_relay_restrictions"),
        ({"guise": "XCLIENT"}, " by XCLIENT", "smtpd_authorized_xclient_hosts"),
        ({"guise": "PROXY", "port": 26}, " on port 26 by PROXY", "only your load balancers"),
        ({"sender": "s@o.example"}, " from a sender at o.example", "mynetworks"),
    ],
)
def test_opening_of_another_way_in_is_told_with_its_own_remedy(fields: dict[str, Any], way: str, remedy: str) -> None:
    taken = talk(recipients={"probe@elsewhere.test": OK}, **fields)
    told = StrangerEvidence("mx.example", {"x.example": talk()}, {}, {}, [], others=[taken])
    (finding,) = [finding for finding in judged(told) if finding.check == "probe_open_relay"]
    assert finding.message == f"a stranger may send to probe@elsewhere.test through mx.example{way} (250 2.1.0 Ok)"
    assert remedy in finding.remedy


def test_open_relay_comes_first() -> None:
    found = of_stranger(listed=(451, "4.3.0"), foreign=talk(recipients={"a": OK}))
    assert [check for _domain, check, _severity in found] == ["probe_open_relay", "probe_deferred"]


def test_greeting_that_turns_a_stranger_away_is_named() -> None:
    away = talk(banner=(521, "go away"), mail=None)
    found = judged(StrangerEvidence("mx.example", {"x.example": away}, {}, {}, []))
    assert [(finding.domain, finding.check) for finding in found] == [("x.example", "probe_refused")]


def test_ordinary_sender_may_be_refused_rightly() -> None:
    refused = talk(sender="s@o.example", mail=(550, "5.7.1 <s@o.example>: Sender address rejected: Access denied"))
    bounces = talk(recipients={"a@x.example": OK})
    told = StrangerEvidence("mx.example", {"x.example": bounces}, {}, {}, [], {"x.example": refused})
    (finding,) = judged(told)
    assert finding.remedy.endswith(
        "; if that sender is refused rightly, give probe_senders.ordinary, another domain of yours"
    )
    (finding,) = judged(StrangerEvidence("mx.example", {"x.example": talk(mail=(550, "5.7.1 no"))}, {}, {}, []))
    assert "probe_senders" not in finding.remedy


def test_foreign_recipients_hide_in_the_domain_that_is_relayed() -> None:
    spellings = foreign_recipients("x.example")
    assert len(set(spellings)) == 12
    elsewhere = [address for address in spellings if "[240.0.0.1]" not in address]
    assert elsewhere == [f"probe@{name}" for name in FOREIGN_DOMAINS]
    assert len([address for address in spellings if address.endswith("@x.example")]) == 4


def remedies(*, foreign: tuple[int, str] = RELAY_DENIED, **recipients: tuple[int, str]) -> list[str]:
    told = {
        f"{name}@x.example": answer for name, answer in {"listed": OK, "nobody": (550, "5.1.1"), **recipients}.items()
    }
    talks = {"x.example": talk(recipients=told)}
    listed, unknown = {"x.example": "listed@x.example"}, {"x.example": "nobody@x.example"}
    asked = [talk(recipients={"a@[240.0.0.1]": foreign})]
    return [finding.remedy for finding in judged(StrangerEvidence("mx.example", talks, listed, unknown, asked))]


LOG = "look in this host's log for the restriction that turns it away"


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        ("4.7.1 <a@b>: Relay access denied", "replace defer_unauth_destination with reject_unauth_destination in"),
        ("4.7.1 Client host rejected: cannot find your hostname, [192.0.2.1]", "probe from a host whose address has"),
        ("4.3.5 Server configuration error", "correct the restriction that is misspelt"),
        ("4.7.1 Service unavailable; blocked", LOG),
    ],
)
def test_remedy_of_a_deferred_relay_attempt_is_for_what_defers_it(answer: str, remedy: str) -> None:
    (found,) = remedies(foreign=(450, answer))
    assert found.startswith(remedy)


@pytest.mark.parametrize(
    ("code", "answer", "remedy"),
    [
        (
            550,
            "5.1.1 <a>: Recipient address rejected: User unknown in relay recipient table",
            "add the recipient to its",
        ),
        (554, "5.7.1 Service unavailable; blocked", LOG),
        (
            450,
            "4.1.1 <a>: Recipient address rejected: unverified address: timed out",
            "set unverified_recipient_defer_",
        ),
        (451, "4.3.0 <a>: Temporary lookup failure", "repair the table that can't be asked"),
        (450, "4.2.0 <a>: Recipient address rejected: Greylisted", "exempt the prober from greylisting"),
        (450, "4.1.8 <b>: Sender address rejected: Domain not found", "look at the restrictions on senders"),
    ],
)
def test_remedy_for_a_listed_recipient_is_for_what_turns_it_away(code: int, answer: str, remedy: str) -> None:
    (found,) = remedies(listed=(code, answer))
    assert found.startswith(remedy)


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        (
            "4.1.1 <a>: Recipient address rejected: User unknown in relay recipient table",
            "set unknown_relay_recipient_",
        ),
        (
            "4.1.1 <a>: Recipient address rejected: unverified address: user unknown",
            "list its recipients, or set unver",
        ),
        ("4.3.0 <a>: Temporary lookup failure", "repair the table that can't be asked"),
    ],
)
def test_remedy_for_an_unknown_recipient_is_for_what_defers_it(answer: str, remedy: str) -> None:
    (found,) = remedies(nobody=(450, answer))
    assert found.startswith(remedy)


def test_foreign_domain_that_dns_does_not_know_is_no_fault_of_relaying() -> None:
    """reject_unknown_recipient_domain defers it."""
    assert remedies(foreign=(450, "4.1.2 <a@b>: Recipient address rejected: Domain not found")) != []
    asked = [talk(recipients={f"probe@{FOREIGN_DOMAINS[0]}": (450, "4.1.2 Domain not found")})]
    assert [*judged(StrangerEvidence("mx.example", {}, {}, {}, asked))] == []
