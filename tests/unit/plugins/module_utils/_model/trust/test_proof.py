# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.proof import proof_of

FOREIGN = ("probe@elsewhere.example", "probe%elsewhere.example@x.example")
UNKNOWN = ("nobody@x.example",)


def told(**answers: int) -> list[Talk]:
    """A conversation in which `unknown`, `plain` and `hidden` recipients got these codes."""
    names = {"unknown": UNKNOWN[0], "plain": FOREIGN[0], "hidden": FOREIGN[1]}
    said = {names[name]: (code, "words") for name, code in answers.items()}
    return [Talk("mail.example", banner=(220, "hello"), mail=(250, "ok"), recipients=said)]


def test_answer_that_puts_off_is_no_proof() -> None:
    answers = {**dict.fromkeys(FOREIGN, (554, "no")), FOREIGN[-1]: (450, "4.2.0 Greylisted")}
    found = proof_of("m", [], FOREIGN, [Talk("m", recipients=answers)])
    assert (found["proven"], found["relays"]) == (False, [])
    assert found["problem"] == f"RCPT TO:<{FOREIGN[-1]}>: 450 4.2.0 Greylisted"


def test_refusals_of_every_spelling_are_proof() -> None:
    assert proof_of("mail.example", UNKNOWN, FOREIGN, told(unknown=550, plain=554, hidden=454)) == {
        "server": "mail.example",
        "proven": True,
        "relays": [],
        "unknown": "RCPT TO:<nobody@x.example>: 550 words",
        "problem": "",
    }


def test_recipient_elsewhere_that_is_taken_is_relaying() -> None:
    proof = proof_of("mail.example", UNKNOWN, FOREIGN, told(unknown=550, plain=250, hidden=250))
    assert (proof["proven"], proof["relays"]) == (
        False,
        [f"RCPT TO:<{address}>: 250 words" for address in FOREIGN],
    )


def test_host_that_takes_every_recipient_of_a_domain_does_not_relay_by_that() -> None:
    proof = proof_of("mail.example", UNKNOWN, FOREIGN, told(unknown=250, plain=554, hidden=250))
    assert (proof["proven"], proof["relays"]) == (True, [])


def test_silence_proves_nothing() -> None:
    silent = proof_of("mail.example", (), FOREIGN, [Talk("mail.example", failure="Connection refused")])
    assert (silent["proven"], silent["problem"]) == (False, "mail.example: Connection refused")
    refused = proof_of("mail.example", (), FOREIGN, [Talk("mail.example", banner=(554, "go away"))])
    assert (refused["proven"], refused["problem"]) == (False, "mail.example answers 554 go away")
    nobody = proof_of("mail.example", (), FOREIGN, [])
    assert nobody["problem"] == "mail.example: nothing was asked"
    mute = proof_of("mail.example", (), FOREIGN, [Talk("mail.example")])
    assert mute["problem"] == "mail.example did not greet"
