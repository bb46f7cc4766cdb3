# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers of SMTP servers say: the mail host's to this host, and this host's to a stranger."""

from __future__ import annotations

from typing import Iterator, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    ERROR,
    HOST,
    INFO,
    LOCAL,
    MAIL_HOST,
    RECIPIENTS,
    REMOTE,
    SENDER,
    WARNING,
    Finding,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings.evidence import (
    Answer,
    DomainEvidence,
    Talk,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.host import HostState

# A domain for which no host relays, RFC 2606.
FOREIGN = "mxrelay-probe.invalid"
_UNKNOWN = ("5.1.1", "5.1.0", "5.1.6", "5.1.10")


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
    ]


def mail_host_findings(domain: DomainEvidence, state: HostState) -> Iterator[Finding]:
    """What its mail host told this host; none where it was not asked."""
    talk = domain.talk
    if talk is None:
        return
    if talk.banner is None:
        yield Finding(
            domain.name,
            "mail_host_unreachable",
            WARNING,
            REMOTE,
            f"its mail host {talk.server} can't be reached from here ({talk.failure}): its mail waits in the queue",
            "check that the mail host is running and that no firewall blocks this host from its port",
            MAIL_HOST,
        )
        return
    refusal = _first_refusal(talk, domain.probe_recipient)
    if refusal:
        yield _refused(domain, talk, *refusal)
        return
    yield from _limits(domain, talk, state)


def _first_refusal(talk: Talk, recipient: str) -> tuple[str, Answer] | None:
    """The command at which the mail host turned this host away, and its answer."""
    steps = [("the connection", talk.banner), ("MAIL", talk.mail), ("RCPT", talk.recipients.get(recipient))]
    return next(((step, answer) for step, answer in steps if answer is not None and answer[0] >= 400), None)


def _refused(domain: DomainEvidence, talk: Talk, step: str, answer: Answer) -> Finding:
    said = f"{answer[0]} {answer[1]}"
    if answer[0] < 500:
        return Finding(
            domain.name,
            "mail_host_defers",
            WARNING,
            REMOTE,
            f"its mail host {talk.server} defers this host at {step} ({said}): its mail arrives late after an outage",
            "exempt this host from greylisting and postscreen on the mail host, as one of the domain's own MX hosts",
            MAIL_HOST,
        )
    if step == "RCPT" and answer[1].startswith(_UNKNOWN):
        return Finding(
            domain.name,
            "mail_host_unknown",
            WARNING,
            REMOTE,
            f"its mail host {talk.server} does not know {domain.probe_recipient}, which is listed here ({said}): "
            "mail for it is accepted, then bounces",
            "remove the recipient from the list here, or add it on the mail host; compare the other entries too",
            RECIPIENTS,
        )
    return Finding(
        domain.name,
        "mail_host_refuses",
        ERROR,
        REMOTE,
        f"its mail host {talk.server} refuses this host at {step} ({said}): all its mail bounces",
        "exempt this host from block lists, SPF and client checks on the mail host, as one of the domain's own MX "
        "hosts, or correct what the answer complains about",
        MAIL_HOST,
    )


def _limits(domain: DomainEvidence, talk: Talk, state: HostState) -> Iterator[Finding]:
    ours, theirs = _number(state.value("message_size_limit")), _number(talk.extensions.get("size", ""))
    if ours is not None and theirs is not None and ours != theirs:
        tight = theirs != 0 and (ours == 0 or ours > theirs)
        yield Finding(
            domain.name,
            "message_size",
            WARNING,
            LOCAL,
            f"messages may have {ours or 'any number of'} bytes here but {theirs or 'any number of'} on its mail host "
            f"{talk.server}: "
            + ("those in between are accepted, then bounce" if tight else "those in between are refused only here"),
            f"set message_size_limit to {theirs}",
            MAIL_HOST,
        )
    if state.value("smtputf8_enable").lower() == "yes" and talk.extensions and "smtputf8" not in talk.extensions:
        yield Finding(
            domain.name,
            "smtputf8",
            INFO,
            LOCAL,
            f"this host offers SMTPUTF8, but its mail host {talk.server} does not: such mail is accepted, then bounces",
            "set smtputf8_enable to no here, or enable SMTPUTF8 on the mail host",
            MAIL_HOST,
        )


def _number(text: str) -> int | None:
    words = text.split()
    return int(words[0]) if words and words[0].isdigit() else None


def stranger_findings(
    server: str,
    talks: Mapping[str, Talk],
    listed: Mapping[str, str],
    unknown: Mapping[str, str],
    foreign: Sequence[Talk],
) -> Iterator[Finding]:
    """What a stranger is told.

    `talks` are the conversations about each domain, `listed` and `unknown` the recipients named in them that the host
    should know and not know; `foreign` are those about recipients elsewhere.
    """
    failed = next((talk for talk in [*talks.values(), *foreign] if talk.banner is None), None)
    if failed is not None:
        yield Finding(
            "",
            "probe_connect",
            ERROR,
            LOCAL,
            f"{server} does not answer a stranger on its SMTP port ({failed.failure})",
            "check that Postfix is running and listening there, and that no firewall is in between, including on the "
            "prober's side",
            SENDER,
        )
        return
    for name, talk in talks.items():
        yield from _stranger(name, talk, listed.get(name, ""), unknown.get(name, ""))
    yield from _foreign(server, {recipient: said for talk in foreign for recipient, said in talk.recipients.items()})


def _stranger(name: str, talk: Talk, listed: str, unknown: str) -> Iterator[Finding]:
    greeting = next((one for one in (talk.banner, talk.mail) if one is not None and one[0] >= 400), None)
    if greeting is not None:
        yield _put_off(name, "a stranger", greeting)
        return
    answer = talk.recipients.get(listed)
    if answer is not None and answer[0] >= 400:
        yield _put_off(name, f"mail for {listed}", answer)
        return
    answer = talk.recipients.get(f"postmaster@{name}")
    if answer is not None and answer[0] >= 500:
        yield Finding(
            name,
            "probe_postmaster",
            WARNING,
            LOCAL,
            f"postmaster@{name} is refused ({answer[0]} {answer[1]}), although RFC 5321 requires it to be accepted",
            f"add postmaster@{name} to its recipients",
            RECIPIENTS,
        )
    answer = talk.recipients.get(unknown)
    if answer is not None and answer[0] < 400:
        yield Finding(
            name,
            "probe_unknown",
            WARNING,
            LOCAL,
            f"a recipient that does not exist is accepted ({unknown}): such mail bounces, often to forged senders",
            "list its recipients, and remove its wildcard row",
            RECIPIENTS,
        )
    elif answer is not None and answer[0] < 500:
        yield Finding(
            name,
            "probe_unknown",
            WARNING,
            LOCAL,
            f"a recipient that does not exist is deferred instead of refused ({answer[0]} {answer[1]})",
            "set unknown_relay_recipient_reject_code to 550 and soft_bounce to no, and repair tables that can't "
            "be read",
            RECIPIENTS,
        )


def _put_off(name: str, what: str, answer: Answer) -> Finding:
    again = answer[0] < 500
    return Finding(
        name,
        "probe_deferred" if again else "probe_refused",
        WARNING if again else ERROR,
        LOCAL,
        f"{what} is {'deferred' if again else 'refused'} ({answer[0]} {answer[1]})",
        (
            "look for the cause in this host's log: a table that can't be read, a block list or greylisting"
            if again
            else "add the recipient to its list, or look in this host's log for the restriction that refuses it"
        ),
        HOST,
    )


def _foreign(server: str, answers: Mapping[str, Answer]) -> Iterator[Finding]:
    """One finding at most: the same hole lets several spellings through."""
    taken = next((one for one in answers.items() if one[1][0] < 400), None)
    put_off = next((one for one in answers.items() if one[1][0] < 500), None)
    if taken:
        yield Finding(
            "",
            "probe_open_relay",
            ERROR,
            LOCAL,
            f"a stranger may send to {taken[0]} through {server} ({taken[1][0]} {taken[1][1]})",
            "end smtpd_relay_restrictions with reject_unauth_destination, list only your own clients in "
            "mynetworks, and keep allow_untrusted_routing = no",
            SENDER,
        )
    elif put_off:
        yield Finding(
            "",
            "probe_relay_deferred",
            WARNING,
            LOCAL,
            f"a relay attempt to {put_off[0]} is deferred ({put_off[1][0]} {put_off[1][1]}), so senders keep retrying",
            "replace defer_unauth_destination with reject_unauth_destination in smtpd_relay_restrictions",
            SENDER,
        )
