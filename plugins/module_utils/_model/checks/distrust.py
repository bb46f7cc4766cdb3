# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of why a domain's mail host does not trust this host, one for each cause that its answers tell.

To a mail host its MX is a stranger that sends other people's mail, unless it was told better. What it refuses for a
reason that it does not tell is a matter of the checks in mail_host.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    DOMAIN_ON_MAIL_HOST,
    Check,
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
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.delimiters import (
    DELIMITER,
    OWNER_REQUEST,
    recipient_keys,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.answers import accepts, defers, rejects
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refusals import (
    BLOCK_LIST,
    CONNECTION,
    GREYLISTING,
    LIMIT,
    NAME,
    POSTSCREEN,
    SENDER_DOMAIN,
    SENDER_POLICY,
    SeenAs,
    TurnedAway,
    all_turned_away,
    met,
    seen_as,
    welcome,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    TLS_DEMANDED,
    effective_level,
    own_value,
    sending_service,
)

# A greeting that is held back for longer is postscreen's; it waits for six seconds unless it is told otherwise.
SECONDS_OF_POSTSCREEN = 1.0
_BOUNCES = "mail that is accepted here bounces"
_WAITS = "mail waits here for longer"
_OF_TLS = re.compile(r"\bstarttls\b|\btls\b|\bencrypt")
_AGAIN = {CONNECTION: "a second connection"}

check = Register(DOMAIN_ON_MAIL_HOST)


def _of_cause(name: str, cause: str, summary: str, remedy: str) -> Check:
    """Registers the check of a cause. In the remedy {client} is this host's address, {sender} the sender's domain."""

    @check(name, REMOTE, summary, place=MAIL_HOST)
    def find(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
        found = [turn for turn in all_turned_away(domain) if turn.cause == cause]
        if found:
            worst = max(found, key=lambda turn: turn.for_good)
            client = seen_as(domain)
            yield Fault(
                f"its mail host {worst.talk.server} {_said(worst)}, by {cause}: "
                + (_BOUNCES if worst.for_good else _WAITS),
                remedy.format(
                    client=client.address or "this host",
                    permit=_permit(client),
                    unlisted=(
                        _access_list(client)
                        if _is_postscreen(worst.talk)
                        else f"{_permit(client)} before reject_rbl_client"
                    ),
                    name=state.value("myhostname"),
                    sender=worst.talk.sender.rpartition("@")[2],
                )
                + (_unsure(client) if "{client}" in remedy else ""),
                ERROR if worst.for_good else WARNING,
                domain.name,
            )

    return find


def _said(turn: TurnedAway) -> str:
    whom = f"mail from a sender at {turn.talk.sender.rpartition('@')[2]}" if turn.talk.sender else "this host"
    does = "refuses" if turn.for_good else "puts off"
    step = turn.step if not turn.talk.again else _AGAIN.get(turn.step, f"{turn.step} of a second connection")
    return f"{does} {whom} at {step} ({turn.answer[0]} {turn.answer[1]})"


def _is_postscreen(talk: Talk) -> bool:
    return talk.held_back > SECONDS_OF_POSTSCREEN


def _permit(client: SeenAs) -> str:
    """The restriction that ends a list for this host: see access(5)."""
    return f"check_client_access inline:{{{client.address}=permit}}"


def _access_list(client: SeenAs) -> str:
    """How postscreen(8) is told to leave this host alone. `OK` would end the list without that."""
    return f"postscreen_access_list = permit_mynetworks, inline:{{{client.address}=permit}}"


def _unsure(client: SeenAs) -> str:
    """What to mind if the mail host may see another address than this host does."""
    if client.certain:
        return ""
    return f". If it sees this host by another address than {client.address} (NAT), that one counts: see its log"


_TRUST = "make it trust {client} (playbook trust_mx, docs/mail-host.md); in Postfix: "

mail_host_spf = _of_cause(
    "mail_host_spf",
    SENDER_POLICY,
    "the mail host judges this host by the sender policy (SPF) of other people's domains",
    _TRUST + "{permit} before check_policy_service",
)
mail_host_greylists = _of_cause(
    "mail_host_greylists",
    GREYLISTING,
    "the mail host greylists this host",
    _TRUST + "{permit} before check_policy_service",
)
mail_host_block_list = _of_cause(
    "mail_host_block_list",
    BLOCK_LIST,
    "the mail host refuses this host by a DNS block list",
    _TRUST + "{unlisted}; then ask the list why {client} is on it",
)
mail_host_name = _of_cause(
    "mail_host_name",
    NAME,
    "the mail host does not like this host's name: its HELO name, or the name of its address",
    "give {client} a PTR record and {name} an address record that lead to each other, or "
    + _TRUST
    + "{permit} first in the list of restrictions that refuses it",
)
mail_host_limits = _of_cause(
    "mail_host_limits",
    LIMIT,
    "the mail host limits how much, or how often, this host may send",
    _TRUST + "smtpd_client_event_limit_exceptions = $mynetworks, {client}",
)
mail_host_sender_domain = _of_cause(
    "mail_host_sender_domain",
    SENDER_DOMAIN,
    "the mail host refuses the domain of the sender that asked, which proves nothing of others",
    "let the name servers of the mail host find {sender}, with an MX record, or ask as a sender of another domain "
    "(probe_senders, in the playbook verify_probe_senders)",
)


@check(
    "mail_host_postscreen",
    REMOTE,
    "the mail host tests this host by postscreen (warning if it puts it off, info if it only has it wait)",
    place=MAIL_HOST,
)
def mail_host_postscreen(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    talk = met(domain)
    if talk is None:
        return
    client = seen_as(domain)
    remedy = f"{_TRUST.format(client=client.address)}{_access_list(client)}{_unsure(client)}"
    found = [turn for turn in all_turned_away(domain) if turn.cause == POSTSCREEN]
    if found:
        yield Fault(
            f"its mail host {talk.server} {_said(found[0])}, by {POSTSCREEN}: {_WAITS}", remedy, WARNING, domain.name
        )
    elif _is_postscreen(talk):
        yield Fault(
            f"its mail host {talk.server} has this host wait {talk.held_back:.0f} s for its greeting, by {POSTSCREEN}, "
            "which can refuse it one day",
            remedy,
            INFO,
            domain.name,
        )


@check("mail_host_tls", LOCAL, "the mail host demands TLS, and this host sends without", place=MAIL_HOST)
def mail_host_tls(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    talk = met(domain)
    if talk is None or talk.tls_demanded is None:
        return
    service = sending_service(state, domain.agent)
    if service is None or effective_level(state, service) not in ("", "none"):
        return
    if "yes" in (own_value(state, service, "smtp_use_tls"), own_value(state, service, "smtp_enforce_tls")):
        return
    code, told = talk.tls_demanded
    if not _OF_TLS.search(told.lower()):
        # That answer is also one to a client who did not log in.
        return
    yield Fault(
        f"its mail host {talk.server} demands TLS ({code} {told}), but {service.key} sends without: {_BOUNCES}",
        f"set mail_host_tls to may (in the roles), or add the override smtp_tls_security_level=may to {service.key}",
        ERROR,
        domain.name,
    )


@check(
    "mail_host_certificate",
    LOCAL,
    "this host demands TLS with a certificate that it can verify, and the mail host does not have it",
    place=MAIL_HOST,
)
def mail_host_certificate(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    talk = met(domain)
    service = sending_service(state, domain.agent)
    if talk is None or service is None:
        return
    level = effective_level(state, service)
    problem = domain.untrusted
    if level in TLS_DEMANDED and talk.extensions and "starttls" not in talk.extensions:
        problem = "it offers no TLS"
    if problem:
        yield Fault(
            f"{service.key} demands TLS of the level {level}, which its mail host {talk.server} does not satisfy "
            f"({problem}): its mail waits, then bounces",
            "give the mail host a certificate of its name that this host can verify (smtp_tls_CAfile), or set "
            f"mail_host_tls to may (in the roles; smtp_tls_security_level=may of {service.key})",
            ERROR,
            domain.name,
        )


@check(
    "mail_host_8bitmime",
    REMOTE,
    "the mail host does not offer 8BITMIME, so mail is rewritten on its way",
    place=MAIL_HOST,
)
def mail_host_8bitmime(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    talk = welcome(domain)
    if talk is None or "8bitmime" in talk.extensions:
        return
    if state.value("disable_mime_output_conversion").lower() != "yes":
        yield Fault(
            f"its mail host {talk.server} does not offer 8BITMIME: mail with 8-bit text is rewritten on its way, which "
            "breaks its DKIM signature",
            "let it offer 8BITMIME; in Postfix: remove 8bitmime from smtpd_discard_ehlo_keywords",
            WARNING,
            domain.name,
        )


@check(
    "mail_host_delimiter",
    LOCAL,
    "this host and the mail host differ in the delimiters of recipients (error if what is accepted here bounces)",
    place=RECIPIENTS,
)
def mail_host_delimiter(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    talk = welcome(domain)
    if talk is None or domain.wildcard or not _knows_recipients(domain, talk):
        return
    ours = state.value(DELIMITER)
    special = state.value(OWNER_REQUEST).lower() != "no"
    for delimiter, address in domain.tagged.items():
        answer = talk.recipients.get(address)
        if delimiter in ours and domain.probe_recipient.lower() not in recipient_keys(address, ours, special):
            # It is cut elsewhere, or not at all: the answer tells nothing of this delimiter.
            continue
        if answer is None or defers(answer) or accepts(answer) == (delimiter in ours):
            continue
        if accepts(answer):
            yield Fault(
                f"its mail host {talk.server} takes mail for user{delimiter}tag, which is refused here",
                f"add {delimiter} to recipient_delimiter here",
                WARNING,
                domain.name,
            )
        else:
            yield Fault(
                f"its mail host {talk.server} refuses mail for user{delimiter}tag ({answer[0]} {answer[1]}), which is "
                "accepted here: it bounces",
                f"remove {delimiter} from recipient_delimiter here, or add it on the mail host",
                ERROR,
                domain.name,
            )


def _knows_recipients(domain: DomainEvidence, talk: Talk) -> bool:
    """Whether the mail host tells a recipient that it has from one that nobody has."""
    answers = dict(talk.recipients)
    listed = answers.pop(domain.probe_recipient, None)
    unknown = [answer for address, answer in answers.items() if address not in domain.tagged.values()]
    return listed is not None and accepts(listed) and any(map(rejects, unknown))
