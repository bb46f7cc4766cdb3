# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a list and its mail host differ, by what that answers about some addresses and about one that nobody has."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.answers import Answer, accepts, rejects
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lists import DriftEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refusals import (
    RCPT,
    cause_of,
    says_unknown,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.quoted import ADDRESS, PROBE, without_local_part


@dataclass(frozen=True)
class DriftSample:
    """Whom a mail host is asked about: listed addresses, vanished ones, and one that nobody has."""

    listed: tuple[str, ...] = field(repr=False)
    vanished: tuple[str, ...] = field(repr=False)
    nobody: str

    @property
    def recipients(self) -> list[str]:
        """In the order in which they are asked: those that should be refused last, since some servers count errors."""
        return [*self.listed, self.nobody, *self.vanished]


def knows_nobody(talk: Talk) -> bool:
    """Whether it took a recipient that nobody has, as one does that takes everybody, and so can't tell."""
    return any(address.startswith(PROBE) and accepts(answer) for address, answer in talk.recipients.items())


def drift_in(sample: DriftSample, talk: Talk) -> DriftEvidence | None:
    """What the answers come to; None unless the one that nobody has was refused for good, as unknown ones are."""
    nobody = talk.recipients.get(sample.nobody)
    if nobody is None or not rejects(nobody) or cause_of(RCPT, nobody):
        return None
    refused = _words(sample.nobody, nobody)
    answers = talk.recipients
    listed = [address for address in sample.listed if address in answers]
    vanished = [address for address in sample.vanished if address in answers]
    return DriftEvidence(
        talk.server,
        len(listed),
        len(vanished),
        tuple(address for address in listed if _is_unknown(address, answers[address], refused)),
        tuple(address for address in vanished if accepts(answers[address])),
    )


def _is_unknown(address: str, answer: Answer, refused: tuple[int, str]) -> bool:
    """Whether it is refused for good by a code that says so (RFC 3463), or in the words of one that nobody has."""
    return rejects(answer) and (says_unknown(answer) or _words(address, answer) == refused)


def _words(address: str, answer: Answer) -> tuple[int, str]:
    """Code and words of an answer about an address, without the address."""
    code, text = answer
    if address.startswith(PROBE):
        return code, ADDRESS.sub("", text).replace(address.rpartition("@")[0], "").lower()
    return code, without_local_part(ADDRESS.sub("", text), address, "").lower()
