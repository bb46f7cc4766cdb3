# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What answers of a mail host to an MX host that it trusts prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.answers import Answer, accepts, defers
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Talk

# By which defer_unauth_destination refuses, and nothing else of Postfix.
_DEFERRED_RELAY = 454


def proof_of(server: str, unknown: Sequence[str], foreign: Sequence[str], talks: Sequence[Talk]) -> Mapping[str, Any]:
    """`relays` are the answers by which the mail host relays; `proven`: each foreign recipient was refused.

    `unknown` is what it says to a recipient whom nobody has, "" where it was not asked, and `problem` why nothing is
    proven.
    """
    answers: dict[str, Answer] = {}
    for talk in talks:
        answers.update(talk.recipients)
    asked = {recipient: answers[recipient] for recipient in foreign if recipient in answers}
    # Where any recipient of a domain of ours is taken, so are those whose local part hides another address.
    takes_all = any(accepts(answers[address]) for address in unknown if address in answers)
    ours = {address.rpartition("@")[2] for address in unknown} if takes_all else set()
    relays = [
        _told(recipient, answer)
        for recipient, answer in asked.items()
        if accepts(answer) and recipient.rpartition("@")[2] not in ours
    ]
    # A host that puts off may take the same a little later.
    put_off = [_told(recipient, answer) for recipient, answer in asked.items() if _is_put_off(answer)]
    missing = [recipient for recipient in foreign if recipient not in answers]
    return {
        "server": server,
        "proven": not (relays or missing or put_off),
        "relays": relays,
        "unknown": next((_told(address, answers[address]) for address in unknown if address in answers), ""),
        "problem": "" if relays else _problem(server, talks) if missing else "".join(put_off[:1]),
    }


def _is_put_off(answer: Answer) -> bool:
    return defers(answer) and answer[0] != _DEFERRED_RELAY


def _told(recipient: str, answer: Answer) -> str:
    return f"RCPT TO:<{recipient}>: {answer[0]} {answer[1]}"


def _problem(server: str, talks: Sequence[Talk]) -> str:
    last = talks[-1] if talks else Talk(server, failure="nothing was asked")
    if last.failure:
        return f"{server}: {last.failure}"
    refused = last.mail or last.banner
    return f"{server} answers {refused[0]} {refused[1]}" if refused else f"{server} did not greet"
