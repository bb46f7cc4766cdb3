# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.drift import (
    DriftSample,
    drift_in,
    knows_nobody,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Answer, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lists import DriftEvidence

NOBODY = "mxrelay-probe-0123456789ab@x.example"
SAMPLE = DriftSample(("ann@x.example", "bob@x.example"), ("cid@x.example", "dan@x.example"), NOBODY)
UNKNOWN = (550, "5.1.1 <{}>: Recipient address rejected: User unknown in virtual mailbox table")
OK = (250, "2.1.5 Ok")


def said(code: int, text: str, address: str) -> Answer:
    return code, text.replace("{}", address).replace("{local}", address.partition("@")[0])


def talk(*answers: Answer | None) -> Talk:
    """The answers to the sample, in the order in which it is asked; None is no answer."""
    pairs = zip(SAMPLE.recipients[: len(answers)], answers, strict=True)
    return Talk("mail.example", recipients={to: said(*answer, to) for to, answer in pairs if answer is not None})


def drift(*answers: Answer | None) -> DriftEvidence | None:
    return drift_in(SAMPLE, talk(*answers))


def test_one_that_nobody_has_is_asked_after_the_listed_ones() -> None:
    assert SAMPLE.recipients == ["ann@x.example", "bob@x.example", NOBODY, "cid@x.example", "dan@x.example"]


def test_list_that_is_right_differs_in_nothing() -> None:
    assert drift(OK, OK, UNKNOWN, UNKNOWN, UNKNOWN) == DriftEvidence("mail.example", 2, 2)


@pytest.mark.parametrize(
    "unknown",
    [
        UNKNOWN,
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {} not found by SMTP address lookup"),
        (550, "Unrouteable address"),
        (550, "no such user here: {local}"),
        (550, "<{}> No Such User Here"),
        (554, "#5.1.1 <{}>: mailbox unavailable"),
    ],
)
def test_listed_one_that_is_refused_as_nobody_is_and_vanished_one_that_is_taken_are_told(unknown: Answer) -> None:
    found = drift(OK, unknown, unknown, OK, unknown)
    assert found == DriftEvidence("mail.example", 2, 2, ("bob@x.example",), ("cid@x.example",))


def test_code_for_unknown_recipients_is_enough_whatever_the_words_are() -> None:
    moved = (551, "5.1.6 <{}> has moved, please try elsewhere")
    assert drift(OK, moved, UNKNOWN, UNKNOWN, UNKNOWN) == DriftEvidence("mail.example", 2, 2, ("bob@x.example",))


def test_words_are_compared_without_a_recipient_whose_name_is_a_part_of_them() -> None:
    sample = DriftSample(("u@x.example",), (), NOBODY)
    unknown = (550, "no such user here: {local}")
    answers = {to: said(*unknown, to) for to in sample.recipients}
    found = drift_in(sample, Talk("mail.example", recipients=answers))
    assert found == DriftEvidence("mail.example", 1, 0, ("u@x.example",))


@pytest.mark.parametrize(
    "answer",
    [
        (450, "4.2.0 Greylisted"),
        (450, "5.1.1 <{}>: not yet"),
        (552, "5.2.2 mailbox full"),
        (550, "5.2.1 this account is disabled"),
        (550, "5.7.1 you are not welcome"),
        (550, "5.7.23 SPF fail"),
        None,
    ],
)
def test_listed_one_that_is_refused_for_another_reason_is_not_unknown(answer: Answer | None) -> None:
    found = drift(answer, OK, UNKNOWN, UNKNOWN, UNKNOWN)
    assert found == DriftEvidence("mail.example", 2 if answer else 1, 2)


@pytest.mark.parametrize("nobody", [OK, (450, "4.1.1 not yet"), (421, "4.7.0 too many errors"), None])
def test_mail_host_that_does_not_refuse_whom_nobody_has_tells_nothing(nobody: Answer | None) -> None:
    assert drift(OK, UNKNOWN, nobody, OK, OK) is None


def test_mail_host_that_refuses_everybody_for_what_this_host_is_tells_nothing() -> None:
    blocked = (554, "5.7.1 Service unavailable; client blocked using dnsbl.test")
    assert drift(blocked, blocked, blocked, blocked, blocked) is None


def test_sample_is_not_named_where_evidence_is_printed() -> None:
    assert "ann" not in repr(SAMPLE)
    assert "bob" not in repr(drift(OK, UNKNOWN, UNKNOWN, OK, OK))


@pytest.mark.parametrize(("nobody", "knows"), [(OK, True), (UNKNOWN, False), ((450, "later"), False), (None, False)])
def test_mail_host_that_takes_everybody_is_known_by_one_that_nobody_has(nobody: Answer | None, knows: bool) -> None:
    assert knows_nobody(talk(OK, OK, nobody)) is knows
