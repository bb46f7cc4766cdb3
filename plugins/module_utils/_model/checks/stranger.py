# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what this host told a stranger. If it told him nothing at all, that is the only fault."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import STRANGER, Register
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    ERROR,
    LOCAL,
    RECIPIENTS,
    SENDER,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.answers import Answer, accepts, rejects
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import is_put_off
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.stranger import StrangerEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import first_release

# A destination for which no host relays, and of which nothing is looked up in DNS: an address of a reserved network.
FOREIGN = "[240.0.0.1]"
# Domains that are nobody's, below domains that a table may let through.
FOREIGN_DOMAINS = ("mxrelay-probe.test", "example.com", "example.net", "example.org")

USUAL_PORT = 25
_SENDER_AT = " from a sender at "
_RELAY = "smtpd_relay_restrictions"
# A stranger is not told which release it is.
_DECIDING = f"{_RELAY} (smtpd_recipient_restrictions before Postfix {first_release(_RELAY)})"


class Cause(NamedTuple):
    """What an answer of Postfix comes from, by words in it, and what ends that. `broken`: smtpd can't do its work."""

    words: str
    remedy: str
    broken: bool = False


# In smtpd's words; the first that is in an answer counts.
CAUSES = (
    Cause(
        "Relay access denied",
        f"replace defer_unauth_destination with reject_unauth_destination in {_DECIDING}",
    ),
    Cause(
        "4.3.0",
        "repair the table that can't be asked, one of relay_domains, relay_recipient_maps, transport_maps, "
        "virtual_alias_maps or canonical_maps: this host's log names it",
        broken=True,
    ),
    Cause(
        "4.3.5",
        "correct the restriction that is misspelt, or repair the table or policy service that it names: this host's "
        "log names it",
        broken=True,
    ),
    Cause(
        "unverified address",
        "set unverified_recipient_defer_code to 250, or remove reject_unverified_recipient",
    ),
    Cause(
        "cannot find your",
        "probe from a host whose address has a name (verify_probe_from): reject_unknown_client_hostname, or "
        "reject_unknown_reverse_client_hostname, turns away one that has none",
    ),
    Cause("Sender address rejected", "look at the restrictions on senders, such as reject_unknown_sender_domain"),
    Cause(
        "User unknown in relay recipient table",
        "add the recipient to its list, in a table of relay_recipient_maps",
    ),
    Cause("reylist", "exempt the prober from greylisting, or probe again later"),
)


def _cause(answer: Answer, otherwise: str) -> Cause:
    """What the answer comes from; else a cause with the remedy `otherwise`."""
    return next((cause for cause in CAUSES if cause.words in answer[1]), Cause("", otherwise))


_LOG = "look in this host's log for the restriction that turns it away, such as a block list"
_RIGHTLY = "; if that sender is refused rightly, give probe_senders.ordinary, another domain of yours"
_CODE = "set unknown_relay_recipient_reject_code to 550 and soft_bounce to no"

check = Register(STRANGER)


def _severity(cause: Cause) -> str:
    return ERROR if cause.broken else WARNING


def foreign_recipients(domain: str) -> list[str]:
    """Spellings of a recipient elsewhere, some of them hidden in an address of a relay domain. See RFC 1123, 5.2.16."""
    return [
        f"probe@{FOREIGN}",
        f'"probe"@{FOREIGN}',
        f"probe%{FOREIGN}@{domain}",
        f'"probe@{FOREIGN}"@{domain}',
        f"probe@{FOREIGN}@{domain}",
        f"{FOREIGN}!probe@{domain}",
        f"@{domain}:probe@{FOREIGN}",
        f"postmaster@{FOREIGN}",
        *(f"probe@{name}" for name in FOREIGN_DOMAINS),
    ]


@check("probe_connect", LOCAL, "a stranger gets no answer", place=SENDER)
def probe_connect(told: StrangerEvidence) -> Iterator[Fault]:
    silent = _silent(told)
    if silent:
        yield Fault(
            f"{told.server} does not answer a stranger on its SMTP port ({silent[0].failure})",
            "check that Postfix is running and listening there, and that no firewall is in between, including on the "
            "prober's side",
        )


def _silent(told: StrangerEvidence) -> list[Talk]:
    return [talk for talk in [*told.talks.values(), *told.foreign] if talk.banner is None]


@check(
    "probe_open_relay", LOCAL, "a stranger may relay, with some spelling of an address", place=SENDER, acceptable=False
)
def probe_open_relay(told: StrangerEvidence) -> Iterator[Fault]:
    """One fault at most: the same hole lets several spellings through."""
    for talk, recipient, answer in [*_foreign(told), *_answers(told.others)]:
        if accepts(answer):
            yield Fault(
                f"a stranger may send to {recipient} through {told.server}{_way(talk)} ({_said(answer)})",
                _CLOSE[talk.guise],
            )
            return


_CLOSE = {
    "": f"end {_DECIDING} with reject_unauth_destination, list only your own clients in "
    "mynetworks, and keep allow_untrusted_routing = no",
    "XCLIENT": "list only your own proxies in smtpd_authorized_xclient_hosts: he said that he is this host itself",
    "PROXY": "let only your load balancers reach this port, by a firewall or the address in front of the port: he "
    "said by the PROXY protocol that he is this host itself",
}


def _way(talk: Talk) -> str:
    port = f" on port {talk.port}" if talk.port != USUAL_PORT else ""
    guise = f" by {talk.guise}" if talk.guise else ""
    return f"{port}{guise}{_from(talk)}"


def _from(talk: Talk) -> str:
    return f"{_SENDER_AT}{talk.sender.rpartition('@')[2]}" if talk.sender else ""


@check("probe_relay_deferred", LOCAL, "a stranger's relay attempt is deferred", place=SENDER)
def probe_relay_deferred(told: StrangerEvidence) -> Iterator[Fault]:
    answers = _foreign(told)
    deferred = [
        (recipient, answer)
        for _talk, recipient, answer in answers
        # Of the others DNS may know nothing, which reject_unknown_recipient_domain defers.
        if not rejects(answer) and recipient.rpartition("@")[2] not in FOREIGN_DOMAINS
    ]
    if deferred and not any(accepts(answer) for _talk, _recipient, answer in answers):
        recipient, answer = deferred[0]
        yield Fault(
            f"a relay attempt to {recipient} is deferred ({_said(answer)}), so senders keep retrying",
            _cause(answer, _LOG).remedy,
            _severity(_cause(answer, _LOG)),
        )


def _foreign(told: StrangerEvidence) -> list[tuple[Talk, str, Answer]]:
    """The answers about recipients elsewhere, none if a stranger got no answer at all."""
    return [] if _silent(told) else _answers(told.foreign)


def _answers(talks: Sequence[Talk]) -> list[tuple[Talk, str, Answer]]:
    return [(talk, recipient, answer) for talk in talks for recipient, answer in talk.recipients.items()]


@check("probe_refused", LOCAL, "a listed recipient is refused")
def probe_refused(told: StrangerEvidence) -> Iterator[Fault]:
    for name, what, answer in _turned_away(told):
        if rejects(answer):
            yield Fault(
                f"{what} is refused ({_said(answer)})",
                _cause(answer, _LOG).remedy + (_RIGHTLY if _SENDER_AT in what else ""),
                domain=name,
            )


@check(
    "probe_deferred",
    LOCAL,
    "a listed recipient, or every stranger, is deferred; error if smtpd can't do its work (4.3.0, 4.3.5)",
)
def probe_deferred(told: StrangerEvidence) -> Iterator[Fault]:
    for name, what, answer in _turned_away(told):
        if not rejects(answer):
            cause = _cause(answer, _LOG)
            yield Fault(f"{what} is deferred ({_said(answer)})", cause.remedy, _severity(cause), name)


@check("probe_unknown", LOCAL, "an unknown recipient is accepted or deferred", place=RECIPIENTS)
def probe_unknown(told: StrangerEvidence) -> Iterator[Fault]:
    for name, talk in _welcome(told).items():
        recipient = told.unknown.get(name, "")
        answer = talk.recipients.get(recipient)
        if answer is not None and accepts(answer):
            yield Fault(
                f"a recipient that does not exist is accepted ({recipient}): such mail bounces, often to forged "
                "senders",
                "list its recipients, and remove what takes every address: see its findings accepts_any, "
                "unknown_accepted and rewrites",
                WARNING,
                name,
            )
        elif answer is not None and not rejects(answer):
            yield Fault(
                f"a recipient that does not exist is deferred instead of refused ({_said(answer)})",
                _refused_by(answer),
                _severity(_cause(answer, "")),
                name,
            )


def _refused_by(answer: Answer) -> str:
    """What has an unknown recipient refused who got this answer."""
    cause = _cause(answer, _CODE)
    if cause.broken:
        return cause.remedy
    if "unverified address" in answer[1]:
        return "list its recipients, or set unverified_recipient_reject_code to 550 if its mail host knows them all"
    return _CODE


@check("probe_postmaster", LOCAL, "postmaster is refused", place=RECIPIENTS)
def probe_postmaster(told: StrangerEvidence) -> Iterator[Fault]:
    for name, talk in _welcome(told).items():
        answer = talk.recipients.get(f"postmaster@{name}")
        if answer is not None and rejects(answer):
            yield Fault(
                f"postmaster@{name} is refused ({_said(answer)}), although RFC 5321 requires it to be accepted",
                f"add postmaster@{name} to its recipients",
                WARNING,
                name,
            )


def _turned_away(told: StrangerEvidence) -> Iterator[tuple[str, str, Answer]]:
    """The domains whose listed recipient, or for which every stranger, was turned away: which of these, the answer.

    The sender of bounces comes first, and whoever turns him away is not judged by what others are told.
    """
    for name, talk in told.talks.items() if not _silent(told) else ():
        others = [told.senders[name]] if name in told.senders else []
        found = (away for said in (talk, *others) for away in _away(said, told.listed.get(name, "")))
        for what, answer in itertools.islice(found, 1):
            yield name, what, answer


def _away(talk: Talk, listed: str) -> Iterator[tuple[str, Answer]]:
    stranger = f"a stranger{_from(talk)}"
    for what, answer in (
        (stranger, talk.banner),
        (stranger, talk.mail),
        (f"mail for {listed}{_from(talk)}", talk.recipients.get(listed)),
    ):
        if answer is not None and not accepts(answer):
            # A standby does right to put strangers off.
            if not is_put_off(answer):
                yield what, answer
            return


def _welcome(told: StrangerEvidence) -> dict[str, Talk]:
    """The conversations about domains for which no stranger was turned away."""
    away = {name for name, _what, _answer in _turned_away(told)}
    return {} if _silent(told) else {name: talk for name, talk in told.talks.items() if name not in away}


def _said(answer: Answer) -> str:
    return f"{answer[0]} {answer[1]}"
