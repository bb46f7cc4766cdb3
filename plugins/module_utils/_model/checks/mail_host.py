# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what a domain's mail host answered to this host; none finds anything if it was not asked.

A mail host that can't be reached, or that turned this host away, is not judged any further. Where its answers tell why
it does not trust this host, the checks in distrust.py say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    DOMAIN_ON_MAIL_HOST,
    Register,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    ERROR,
    INFO,
    LOCAL,
    MAIL_HOST,
    RECIPIENTS,
    REMOTE,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.answers import Answer, rejects
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import offers_smtputf8
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refusals import (
    RCPT,
    TurnedAway,
    cause_of,
    met,
    refusal,
    says_unknown,
    turned_away,
    welcome,
)

_DIGITS = re.compile(r"[0-9]{1,18}")

check = Register(DOMAIN_ON_MAIL_HOST)


@check("mail_host_unreachable", REMOTE, "the mail host can't be reached, or breaks off", place=MAIL_HOST)
def mail_host_unreachable(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    talk = met(domain)
    if talk is None or not talk.failure or any(refusal(domain)):
        return
    what = "can't be reached from here" if talk.banner is None else "greets this host, then breaks off"
    yield Fault(
        f"its mail host {talk.server} {what} ({talk.failure}): its mail waits in the queue",
        "check that the mail host is running and that no firewall blocks this host from its port",
        WARNING,
        domain.name,
    )


@check("mail_host_refuses", REMOTE, "the mail host refuses this host, and does not tell why", place=MAIL_HOST)
def mail_host_refuses(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    for talk, step, answer in [*refusal(domain), *_refusals_again(domain, of_bounces=True)]:
        if rejects(answer) and not (cause_of(step, answer) or _is_unknown(step, answer) or _by_its_form(domain, step)):
            yield Fault(
                f"its mail host {talk.server} refuses this host at {step} ({_said(answer)}): "
                + ("mail for such recipients bounces" if step == RCPT else "all its mail bounces"),
                "exempt this host from block lists, SPF and client checks on the mail host, as one of the domain's own "
                "MX hosts, or correct what the answer complains about",
                domain=domain.name,
            )


@check("mail_host_defers", REMOTE, "the mail host defers this host, and does not tell why", place=MAIL_HOST)
def mail_host_defers(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    for talk, step, answer in [
        *refusal(domain),
        *_refusals_of_senders(domain),
        *_refusals_again(domain, of_bounces=True),
    ]:
        if not rejects(answer) and not cause_of(step, answer):
            yield Fault(
                f"its mail host {talk.server} defers this host at {step} ({_said(answer)}): its mail arrives late "
                "after an outage",
                "exempt this host from greylisting and postscreen on the mail host, as one of the domain's own MX "
                "hosts",
                WARNING,
                domain.name,
            )
            return


@check(
    "mail_host_sender_policy",
    REMOTE,
    "the mail host refuses an ordinary sender, and does not tell why",
    place=MAIL_HOST,
)
def mail_host_sender_policy(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    for talk, step, answer in _refusals_of_senders(domain):
        if rejects(answer) and not (cause_of(step, answer) or _is_unknown(step, answer)):
            sender = talk.sender.rpartition("@")[2]
            yield Fault(
                f"its mail host {talk.server} refuses mail from a sender at {sender} at {step} ({_said(answer)}), "
                "though not from <>: mail of such senders is accepted here, then bounces",
                "exempt this host from SPF and sender checks on the mail host, as one of the domain's own MX hosts: "
                "it forwards other people's mail",
                domain=domain.name,
            )


def _refusals_of_senders(domain: DomainEvidence) -> list[TurnedAway]:
    """Where the mail host turned senders away whose mail it would have taken from `<>`."""
    found = [] if welcome(domain) is None else _turned_away(domain, domain.sender_talks)
    return [*found, *_refusals_again(domain, of_bounces=False)]


def _refusals_again(domain: DomainEvidence, of_bounces: bool) -> list[TurnedAway]:
    """Where it turned away by a second connection what it took by the first: `<>`, or other senders."""
    if welcome(domain) is None:
        return []
    return _turned_away(domain, [talk for talk in domain.talks_again if of_bounces == (not talk.sender)])


def _turned_away(domain: DomainEvidence, talks: Sequence[Talk]) -> list[TurnedAway]:
    asked = domain.probe_recipient or f"postmaster@{domain.name}"
    return [found for talk in talks for found in turned_away(talk, asked)]


@check("mail_host_unknown", REMOTE, "the mail host does not know a recipient listed here", place=RECIPIENTS)
def mail_host_unknown(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    for talk, step, answer in refusal(domain):
        if rejects(answer) and _is_unknown(step, answer) and not _by_its_form(domain, step):
            yield Fault(
                f"its mail host {talk.server} does not know {domain.probe_recipient}, which is listed here "
                f"({_said(answer)}): mail for it is accepted, then bounces",
                "remove the recipient from the list here, or add it on the mail host; compare the other entries too",
                domain=domain.name,
            )


@check(
    "mail_host_form",
    LOCAL,
    "the mail host refuses an internationalised domain in the form that is not in DNS",
    place=MAIL_HOST,
)
def mail_host_form(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    for talk, step, answer in refusal(domain):
        if rejects(answer) and _by_its_form(domain, step) and offers_smtputf8(state):
            yield Fault(
                f"its mail host {talk.server} refuses mail that names the domain in this form ({_said(answer)}): such "
                "mail is accepted, then bounces",
                "make the mail host accept this form too, or declare the domain as DNS has it (xn--) and set "
                "smtputf8_enable to no here (smtputf8 in the roles), so that senders name it so",
                domain=domain.name,
            )


def _by_its_form(domain: DomainEvidence, step: str) -> bool:
    """Whether a refusal can be of the form: mail that names the domain as DNS has it is judged under that name."""
    return step == RCPT and not domain.name.isascii()


def _is_unknown(step: str, answer: Answer) -> bool:
    return step == RCPT and says_unknown(answer)


def _said(answer: Answer) -> str:
    return f"{answer[0]} {answer[1]}"


@check("message_size", LOCAL, "this host and the mail host accept different message sizes", place=MAIL_HOST)
def message_size(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    talk = welcome(domain)
    if talk is None:
        return
    ours, theirs = _number(state.value("message_size_limit")), _number(talk.extensions.get("size", ""))
    if ours is not None and theirs is not None and ours != theirs:
        tight = theirs != 0 and (ours == 0 or ours > theirs)
        yield Fault(
            f"messages may have {ours or 'any number of'} bytes here but {theirs or 'any number of'} on its mail host "
            f"{talk.server}: "
            + ("those in between are accepted, then bounce" if tight else "those in between are refused only here"),
            f"set message_size_limit to {theirs}",
            ERROR if tight else WARNING,
            domain.name,
        )


@check(
    "smtputf8",
    LOCAL,
    "this host offers SMTPUTF8, but the mail host does not (error for a domain that only SMTPUTF8 can name)",
    place=MAIL_HOST,
)
def smtputf8(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    talk = welcome(domain)
    if talk is not None and offers_smtputf8(state) and talk.extensions and "smtputf8" not in talk.extensions:
        yield Fault(
            f"this host offers SMTPUTF8, but its mail host {talk.server} does not: such mail is accepted, then bounces",
            "set smtputf8_enable to no here, or enable SMTPUTF8 on the mail host",
            # Few senders need it, unless the domain itself is named so.
            INFO if domain.name.isascii() else ERROR,
            domain.name,
        )


def _number(text: str) -> int | None:
    words = text.split()
    return int(words[0]) if words and _DIGITS.fullmatch(words[0]) else None
