# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why mail hosts turn this host away, as far as their answers tell by their codes (RFC 3463) and their words.

What has no cause here is turned away all the same: see turned_away.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import (
    is_address,
    plain_address,
    stays_here,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.answers import (
    Answer,
    accepts,
    defers,
    rejects,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk

CONNECTION = "the connection"
MAIL = "MAIL"
RCPT = "RCPT"

SENDER_POLICY = "sender policy (SPF)"
GREYLISTING = "greylisting"
BLOCK_LIST = "a DNS block list"
LIMIT = "a limit of clients"
NAME = "a check of this host's name"
POSTSCREEN = "postscreen"
SENDER_DOMAIN = "a check of the sender's domain"
# It is no cause that this very recipient, or the domain, is unknown there.
UNKNOWN = ("5.1.1", "5.1.0", "5.1.6", "5.1.10")

# Of several that fit the first counts: what is more special comes first.
_CAUSES = (
    (POSTSCREEN, re.compile(r"4\.3\.2 .*service currently unavailable")),
    (SENDER_DOMAIN, re.compile(r"[45]\.1\.8 |5\.7\.27 |sender address rejected: (domain not found|.*null ?mx)")),
    (SENDER_POLICY, re.compile(r"5\.7\.23 |\bspf\b")),
    (GREYLISTING, re.compile(r"gr[ae]y-?list")),
    (
        NAME,
        re.compile(r"[45]\.7\.25 |\bhelo\b|\behlo\b|reverse (dns|hostname|name)|\bptr\b|find your( reverse)? hostname"),
    ),
    (
        BLOCK_LIST,
        re.compile(
            r"\bblocked using\b|\b(dnsbl|rbl)\b|(block|black|deny)-?list|(?<!not )\blisted (in|by|at|on) \S+\.\S"
        ),
    ),
    (LIMIT, re.compile(r"4\.7\.28 |\btoo (many|much)\b|\brate.?limit|limit exceeded")),
)
_ADDRESS = re.compile(r"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*[0-9a-f])(?![\w.]*\w)")
# What stands before an address that an answer says is the client's, or behind it.
_OF_CLIENT = re.compile(r"\b(?:client|from|ip|your|hostname)\b[^;()]{0,80}\Z|\A[\d. ]*\[\Z")
_IS_CLIENT = "]>: client host "
# Addresses that other networks see as another one.
_BEHIND_NAT = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
_OF_MAILBOX = re.compile(r"[45]\.2\.[1-9]")
_QUOTED = re.compile(r"<[^>]*>")


class TurnedAway(NamedTuple):
    """The answer at which a mail host did not go on with this host, and its cause, "" if the answer does not tell."""

    talk: Talk
    step: str
    answer: Answer

    @property
    def cause(self) -> str:
        return cause_of(self.step, self.answer)

    @property
    def for_good(self) -> bool:
        return rejects(self.answer)


def says_unknown(answer: Answer) -> bool:
    """Whether it has a code that says that there is no such recipient (RFC 3463)."""
    return answer[1].lstrip("#").startswith(UNKNOWN)


def cause_of(step: str, answer: Answer) -> str:
    """The cause that the answer tells, "" if it tells none."""
    if step == RCPT and says_unknown(answer):
        return ""
    told = answer[1].lstrip("#")
    # Addresses and names that it repeats may be called anything.
    words = _QUOTED.sub("", told.lower())
    cause = next((cause for cause, pattern in _CAUSES if pattern.search(words)), "")
    # A mailbox has limits as well.
    return "" if cause == LIMIT and _OF_MAILBOX.match(told) else cause


def turned_away(talk: Talk, listed: str) -> Iterator[TurnedAway]:
    """Where a conversation ended for a listed recipient, else where it did for others, with a cause; once at most."""
    answers = [(CONNECTION, talk.banner), (MAIL, talk.mail), (RCPT, talk.recipients.get(listed))]
    others = [(RCPT, answer) for recipient, answer in talk.recipients.items() if recipient != listed]
    for step, answer in answers:
        if answer is not None and not accepts(answer):
            yield TurnedAway(talk, step, answer)
            return
    for step, answer in others:
        # That they are refused for good is as it should be.
        if defers(answer) and cause_of(step, answer):
            yield TurnedAway(talk, step, answer)
            return


def all_turned_away(domain: DomainEvidence) -> Iterator[TurnedAway]:
    """Where the domain's mail host turned this host away, whoever was the sender, in the order of the conversations."""
    listed = domain.probe_recipient or f"postmaster@{domain.name}"
    talks = [domain.talk] if domain.talk is not None else []
    if domain.relayed:
        for talk in [*talks, *domain.sender_talks, *domain.talks_again]:
            yield from turned_away(talk, listed)


class SeenAs(NamedTuple):
    """The address by which a mail host knows this host. Unless it is `certain`, NAT may give it another one."""

    address: str
    certain: bool


def seen_as(domain: DomainEvidence) -> SeenAs:
    """By what its answers say, else by which address this host connected to the domain's mail host."""
    talks = [talk for talk in (domain.talk, *domain.sender_talks, *domain.talks_again) if talk is not None]
    answers = [answer for talk in talks for answer in (talk.banner, talk.mail, *talk.recipients.values()) if answer]
    for _code, told in answers:
        said = _client_in(told.lower())
        if said:
            return SeenAs(said, True)
    client = next((talk.client for talk in talks if talk.client), "")
    hidden = is_address(client) and any(ipaddress.ip_address(client) in network for network in _BEHIND_NAT)
    return SeenAs(client, not hidden)


def _client_in(told: str) -> str:
    """The address that an answer says is the client's, "" if it says none."""
    for match in _ADDRESS.finditer(told):
        address = plain_address(match.group())
        if not is_address(address) or stays_here(address):
            continue
        if _OF_CLIENT.search(told[: match.start()]) or told.startswith(_IS_CLIENT, match.end()):
            return address
    return ""


def met(domain: DomainEvidence) -> Talk | None:
    """The first conversation with the mail host, if mail for the domain is relayed to it."""
    return domain.talk if domain.relayed else None


def refusal(domain: DomainEvidence) -> Iterator[TurnedAway]:
    """Where the mail host turned this host away as the sender `<>`; once or never."""
    talk = met(domain)
    if talk is not None and talk.banner is not None:
        yield from turned_away(talk, domain.probe_recipient)


def welcome(domain: DomainEvidence) -> Talk | None:
    """The conversation with a mail host that did not turn this host away."""
    talk = met(domain)
    if talk is None or talk.banner is None or any(refusal(domain)):
        return None
    return talk
