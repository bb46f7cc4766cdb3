# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a stranger gets through smtpd's restriction lists with mail for a relay domain.

A list is read from left to right, as smtpd does; see SMTPD_ACCESS_README and access(5). What refuses some strangers
(block lists, greylisting, checks of names) lets an ordinary one through. Only what refuses whoever is not listed, such
as a plain `reject`, refuses him.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    TableAnswers,
    lookup_keys,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import (
    ARGUMENTS,
    is_table_name,
    never_permits,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restrictions import (
    PERMITTING_RELAYED,
    VERIFYING,
    parts,
)


@dataclass(frozen=True)
class Stranger:
    """Somebody who has mail for `domain`. He is in no list of anybody's own clients."""

    address: str
    name: str
    encrypted: bool = True
    domain: str = ""

    @property
    def sender(self) -> str:
        return f"mxrelay-probe@{self.name.partition('.')[2]}"


# Addresses from the space of each regional registry, which no list of bogus networks has, and names of nobody.
_NAMES = tuple(f"mail.mxrelay-probe.{top}" for top in ("com", "net", "org", "de", "jp"))
_IPV4 = ("17.57.1.1", "80.67.1.1", "133.11.1.1", "196.25.1.1", "200.160.1.1")
_IPV6 = ("2400::1", "2600::1", "2800::1", "2a00::1", "2c00::1")
STRANGERS: Mapping[str, Sequence[Stranger]] = {
    "ipv4": tuple(Stranger(address, name) for address, name in zip(_IPV4, _NAMES)),
    "ipv6": tuple(Stranger(address, name) for address, name in zip(_IPV6, _NAMES)),
}
# What the tables of these strangers are asked for; that of recipients is asked for their domains.
KEYS = (*_IPV4, *_IPV6, *_NAMES, *(stranger.sender for stranger in STRANGERS["ipv4"]))

# The lists that stand between a connection and an accepted message, in smtpd's order, each with the access restriction
# that a bare table in it stands for. See postconf(5) on smtpd_delay_reject for what is known when they are read.
LISTS: Mapping[str, str] = {
    "smtpd_client_restrictions": "check_client_access",
    "smtpd_helo_restrictions": "check_helo_access",
    "smtpd_sender_restrictions": "check_sender_access",
    "smtpd_relay_restrictions": "check_recipient_access",
    "smtpd_recipient_restrictions": "check_recipient_access",
    "smtpd_data_restrictions": "",
    "smtpd_end_of_data_restrictions": "",
}
# Who may have the queue flushed; no way that mail comes by.
ETRN_RESTRICTIONS = "smtpd_etrn_restrictions"
_BEFORE_SENDER = ("smtpd_client_restrictions", "smtpd_helo_restrictions")
_BEFORE_RECIPIENT = (*_BEFORE_SENDER, "smtpd_sender_restrictions")
_REFUSING = frozenset({"reject", "defer"})
_NEEDING_PEER_NAMES = frozenset(
    {"reject_unknown_client", "reject_unknown_client_hostname", "reject_unknown_reverse_client_hostname"}
)
# About clients that have shown who they are.
_OF_NO_STRANGER = frozenset({"check_ccert_access", "check_sasl_access"})
_POLICY = "check_policy_service"
# A number without text permits.
_CODE = re.compile(r"[45]\d\d\s", re.ASCII)
# Results of access(5) after which the next restriction is read.
_NO_DECISION = frozenset({"BCC", "DEFER_IF_REJECT", "DUNNO", "FILTER", "HOLD", "INFO", "PREPEND", "REDIRECT", "WARN"})
_DEEPEST = 20


@dataclass(frozen=True)
class Access:
    """A restriction that asks somebody else: an access restriction with its table, or a policy service."""

    action: str
    argument: str


@dataclass(frozen=True)
class ListContext:
    """What the lists of a service refer to: its restriction classes, and what the tables that they name answer.

    A table of recipients has an answer for a domain where it refuses all of its recipients. `verifying` are the keys of
    rows of a table by which smtpd asks the mail host about the recipient.
    """

    classes: Mapping[str, str] = field(default_factory=dict)
    answers: TableAnswers = field(default_factory=dict)
    verifying: Mapping[str, Sequence[str]] = field(default_factory=dict)
    delayed: bool = True
    peer_names: bool = True


@dataclass(frozen=True)
class ListResult:
    """How a stranger fares in a list: what refused him ("" if nothing), the class it is in, and whom he met.

    `perhaps` are the policy services before it, which may have let him through. `settled`: no list behind this one
    is read. `verified_by` are the members of the list by which smtpd asks the mail host about his recipient, or about
    that of others who get as far.
    """

    refused_by: str
    within: str
    met: Sequence[Access]
    perhaps: Sequence[str]
    settled: bool
    verified_by: Sequence[str]


def evaluate_list(name: str, value: str, stranger: Stranger, context: ListContext) -> ListResult:
    """How the stranger fares in the expanded `value` of the list called `name`."""
    return _Walk(name, stranger, context).result(value)


def accesses(name: str, value: str, classes: Mapping[str, str]) -> list[Access]:
    """All restrictions of a list, and of the classes in it, that ask somebody else, whoever reaches them."""
    found: list[Access] = []
    _collect(name, value, dict(classes), found)
    return list(dict.fromkeys(found))


def _collect(name: str, value: str, classes: dict[str, str], found: list[Access]) -> None:
    for part in parts(value):
        word, _blank, argument = part.partition(" ")
        if part in classes:
            _collect(name, classes.pop(part), classes, found)
        elif ARGUMENTS.get(word.lower()) in ("table", "endpoint") and argument:
            found.append(Access(word.lower(), argument))
        elif is_table_name(part):
            found.append(Access(LISTS.get(name, ""), part))


def verifies(result: str, classes: Mapping[str, str]) -> bool:
    """Whether a result of an access table, or a list, has smtpd ask the mail host about the recipient."""
    return _verifies(result, dict(classes))


def _verifies(value: str, classes: dict[str, str]) -> bool:
    return any(
        _verifies(classes.pop(part), classes) if part in classes else part.lower() == VERIFYING for part in parts(value)
    )


def refuses(result: str) -> bool:
    """Whether a result of an access table refuses by itself: REJECT, DEFER, a code, or a list that begins so."""
    words = result.replace(",", " ").split()
    return bool(words) and (words[0].upper() in ("REJECT", "DEFER", "DEFER_IF_PERMIT") or bool(_CODE.match(result)))


_PERMIT = "permit"


class _WrongPermission(Exception):
    """A table permits that must not: where it is named, and the class that has it."""


class _Discarded(Exception):
    """The message is accepted, to be thrown away: lists that come before those of recipients end the matter."""


class _Walk:
    """One stranger's way through one list."""

    def __init__(self, name: str, stranger: Stranger, context: ListContext) -> None:
        self._name = name
        self._stranger = stranger
        self._context = context
        self._knows_helo = context.delayed or name != "smtpd_client_restrictions"
        self._knows_sender = context.delayed or name not in _BEFORE_SENDER
        self._knows_recipient = context.delayed or name not in _BEFORE_RECIPIENT
        self._deferred: tuple[str, str] | None = None
        self._met: list[Access] = []
        self._perhaps: list[str] = []
        self._verified_by: list[str] = []

    def result(self, value: str) -> ListResult:
        settled = False
        try:
            end = self._through(value, "", False, 0)
        except _WrongPermission as wrong:
            part, within = wrong.args
            end = self._deferred = part, within
        except _Discarded:
            end, settled = None, self._name in _BEFORE_RECIPIENT and not self._deferred
        if end is None or end[0] == _PERMIT:
            end = self._deferred or ("", "")
        return ListResult(
            end[0],
            end[1],
            tuple(dict.fromkeys(self._met)),
            tuple(self._perhaps) if end[0] else (),
            settled,
            tuple(dict.fromkeys(self._verified_by)),
        )

    def _through(self, value: str, within: str, warned: bool, depth: int) -> tuple[str, str] | None:
        """What ends the list, and the class that has it; None where nothing does."""
        warns = False
        for part in parts(value) if depth < _DEEPEST else ():
            if part.lower() == "warn_if_reject":
                warns = True
                continue
            end = self._at(part, within, warned or warns, depth)
            if end is not None and (end[0] == _PERMIT or not (warned or warns)):
                return end
            warns = False
        return None

    def _at(self, part: str, within: str, warned: bool, depth: int) -> tuple[str, str] | None:
        word, _blank, argument = part.partition(" ")
        name = word.lower()
        if part in self._context.classes:
            return self._through(self._context.classes[part], part, warned, depth + 1)
        if name == _PERMIT or (name in PERMITTING_RELAYED and self._knows_recipient):
            return _PERMIT, ""
        if name == "defer_if_permit" and not warned:
            self._deferred = self._deferred or (part, within)
        if self._is_refused_by(name):
            return part, within
        if name == VERIFYING and self._knows_recipient and not warned:
            self._verified_by.append(part + (f" (in the restriction class {within})" if within else ""))
        if name == _POLICY:
            self._met.append(Access(_POLICY, argument))
            self._perhaps.append(part)
        elif ARGUMENTS.get(name) == "table":
            return self._asked(name, argument, part, within, warned, depth)
        elif is_table_name(part) and LISTS.get(self._name):
            return self._asked(LISTS[self._name], part, part, within, warned, depth)
        return None

    def _is_refused_by(self, name: str) -> bool:
        if name == "reject_plaintext_session":
            return not self._stranger.encrypted
        return name in _REFUSING or (name in _NEEDING_PEER_NAMES and not self._context.peer_names)

    def _asked(
        self, action: str, table: str, part: str, within: str, warned: bool, depth: int
    ) -> tuple[str, str] | None:
        keys = self._keys(action)
        if not keys:
            return None
        self._met.append(Access(action, table))
        if self._is_verified_by(action, table) and not warned:
            self._verified_by.append(part)
        answers = self._context.answers.get(table, {})
        result = next((answers[key] for key in keys if key in answers), "")
        first = result.replace(",", " ").partition(" ")[0].upper()
        if refuses(result):
            if first == "DEFER_IF_PERMIT":
                self._deferred = self._deferred or ((part, within) if not warned else None)
                return None
            return part, within
        end = self._meaning(result, part, within, warned, depth)
        if end is not None and end[0] == _PERMIT and never_permits(action):
            raise _WrongPermission(part, within)
        return end

    def _is_verified_by(self, action: str, table: str) -> bool:
        """Whether a row of the table has smtpd verify recipients of the stranger's domain, for some client at least."""
        keys = self._context.verifying.get(table, ())
        if action.startswith("check_recipient_"):
            keys = [key for key in keys if key.rpartition("@")[2] in ("", self._stranger.domain)]
        return bool(keys) and self._knows_recipient

    def _meaning(self, result: str, part: str, within: str, warned: bool, depth: int) -> tuple[str, str] | None:
        """What a result that does not refuse by itself leads to."""
        first = result.replace(",", " ").partition(" ")[0].upper()
        if first == "DISCARD":
            raise _Discarded
        if first == "OK" or (first.isdigit() and first.isascii()):
            return _PERMIT, ""
        if not first or first in _NO_DECISION:
            return None
        before = len(self._verified_by)
        end = self._through(result, within, warned, depth + 1)
        if len(self._verified_by) > before:
            self._verified_by[before:] = [part]
        return end if end is None or end[0] == _PERMIT else (part, within)

    def _keys(self, action: str) -> Sequence[str]:
        """What the table is asked for, none where smtpd does not ask it about this stranger."""
        if action in _OF_NO_STRANGER:
            return ()
        if action == "check_etrn_access":
            return lookup_keys(self._stranger.domain, True) if self._name == ETRN_RESTRICTIONS else ()
        if action.startswith("check_recipient_"):
            return (self._stranger.domain,) if self._knows_recipient else ()
        if action == "check_sender_access":
            return (self._stranger.sender,) if self._knows_sender else ()
        if action.startswith("check_sender_") and not self._knows_sender:
            return ()
        if action.startswith("check_helo_") and not self._knows_helo:
            return ()
        return (self._stranger.name, self._stranger.address)
