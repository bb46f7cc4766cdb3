# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what becomes of mail that was accepted here and is then refused, or waits: whom this host writes to.

Recipes against bounces go wrong in silence, so what must hold is asked: each service that keeps the record of a
message's failures runs bounce(8), and is the same one for who delivers mail as for who returns it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    DOMAIN,
    WHOLE_HOST,
    Register,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    ERROR,
    INFO,
    LOCAL,
    MAIL_HOST,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    effective,
    program,
    services_for_strangers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refused_mail import (
    DISCARDED,
    DISCARDS,
    DSN,
    bounce_services,
    cleanup_name,
    cleanup_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reports import REDIRECT
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    is_client,
    sending_service,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

_BOUNCE, _DEFER, _TRACE = "bounce_service_name", "defer_service_name", "trace_service_name"
# What each keeps a record of, see bounce(8).
_RECORDS = {
    _BOUNCE: "of refused mail",
    _DEFER: "of mail that waits",
    _TRACE: "of what senders asked to be told",
}
_QUEUE_MANAGERS = ("qmgr", "oqmgr", "nqmgr")
# What keeps a report.
_KEEPING = ("HOLD", REDIRECT)
# More than Postfix can count in one message.
_UNLIMITED = 2000000000
_BY_CLIENT = "smtpd_discard_ehlo_keyword_address_maps"
# Seen: the queue manager of 3.5 waits until the service for traces answers, that of 3.7 and 3.10 goes on.
_GOES_ON = (3, 7)


class _Effect(NamedTuple):
    """What comes of a record that nobody keeps, or reads, and how bad it is."""

    told: str
    severity: str = ERROR


_LOST = _Effect("mail that is refused after it was accepted is lost, or waits for ever, and nobody is told")
_MISREPORTED = "is delivered, yet it stays in the queue until it expires, and its sender is told that it failed"
_ASKED = "mail whose sender asks to be told of its delivery"
_NOT_TOLD = _Effect("senders who ask to be told of the delivery of their mail are not", WARNING)


def _without(name: str, state: HostState) -> _Effect:
    """What comes of it if no bounce(8) keeps this record."""
    if name != _TRACE:
        return _LOST
    if state.version and state.version < _GOES_ON:
        return _Effect(f"from the first {_ASKED} on, nothing is delivered any more")
    return _Effect(f"{_ASKED} {_MISREPORTED}", WARNING)


check = Register(WHOLE_HOST)


@check(
    "bounce_service",
    LOCAL,
    "what keeps the record of refused mail does not run bounce, so such mail is lost or never leaves the queue "
    "(warning if it is only that of what senders asked to be told)",
    place=MAIL_HOST,
)
def bounce_service(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    managers = [service for service in state.services if program(service) in _QUEUE_MANAGERS]
    for name, records in _RECORDS.items() if managers else ():
        used = effective(state, managers[-1], name)
        yield from _of_record(state, used, name, records)
        for service in state.services:
            own = effective(state, service, name)
            if is_client(service) and own != used:
                effect = _NOT_TOLD if name == _TRACE else _LOST
                yield Fault(
                    f"{service.key} keeps its record {records} with {own} ({name}), the queue manager with "
                    f"{used or 'none'}: {effect.told}",
                    f"remove the override {name} of the service {service.key}",
                    effect.severity,
                )


def _of_record(state: HostState, used: str, name: str, records: str) -> Iterator[Fault]:
    if not state.knows(name):
        return
    keeper = sending_service(state, used)
    effect = _without(name, state)
    if keeper is None:
        yield Fault(
            f"{name} is {used or 'empty'}, and master.cf has no service {used}/unix: {effect.told}",
            f"add it to master.cf as Postfix ships it: {used or 'bounce'} unix - - {_chroot(state)} - 0 bounce",
            effect.severity,
        )
    elif program(keeper) != "bounce":
        yield Fault(
            f"{keeper.key} runs {program(keeper)}, but it is to keep the record {records} ({name}): {effect.told}",
            f"let {keeper.key} run bounce; where bounces are not wanted, let recipients be listed, so that mail for "
            "nobody is refused at once",
            effect.severity,
        )


def _chroot(state: HostState) -> str:
    """The entry for the chroot of the services that are there."""
    cleanup: Service | None = sending_service(state, "cleanup")
    return cleanup.chroot if cleanup else "-"


@check(
    "bounce_cleanup",
    LOCAL,
    "reports of refused mail can't be made, so such mail never leaves the queue",
    place=MAIL_HOST,
)
def bounce_cleanup(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for service in bounce_services(state):
        name = cleanup_name(state, service)
        cleanup = cleanup_of(state, service)
        if cleanup is None or program(cleanup) != "cleanup":
            what = f"runs {program(cleanup)}" if cleanup else "is not in master.cf"
            yield Fault(
                f"{service.key} hands its reports to {name}/unix (cleanup_service_name), which {what}: no bounce of "
                "any domain is made, and refused mail waits for ever",
                f"run the role, or remove the override cleanup_service_name of the service {service.key}",
            )
    for table, problem in state.reports.unread.items():
        yield Fault(
            f"reports of refused mail are judged by {table}, which can't be read ({problem}): no bounce of any domain "
            "is made, and refused mail waits for ever",
            f"run the role, or put {table} back",
        )


@check(
    "kept_reports",
    LOCAL,
    "refused mail that is kept here is kept in part only, or a sender can have it thrown away",
    place=MAIL_HOST,
)
def kept_reports(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    if not state.reports.kept:
        return
    for service in bounce_services(state):
        yield from _in_part(state, service)
    for service in services_for_strangers(state):
        keywords = split_items(effective(state, service, DISCARDS).lower())
        if DSN not in keywords:
            yield Fault(
                f"{service.key} offers DSN: refused mail of a sender who asks for no report is thrown away",
                f"run the role, or add {','.join(DISCARDED)} to {DISCARDS} of {service.key}",
            )
        maps = effective(state, service, _BY_CLIENT)
        if maps:
            yield Fault(
                f"{service.key} has {_BY_CLIENT} ({maps}): whether it offers DSN to some clients, who can then have "
                "refused mail thrown away, can't be told",
                f"let each of its entries have {DSN}, and accept this finding",
                WARNING,
            )


def _in_part(state: HostState, service: Service) -> Iterator[Fault]:
    largest = _number(state.value("message_size_limit")) or _UNLIMITED
    remedy = f"run the role, or set {{}} for the service {service.key}"
    if _number(effective(state, service, "bounce_size_limit")) < min(largest, _UNLIMITED):
        limit = effective(state, service, "bounce_size_limit")
        yield Fault(
            f"reports by {service.key} have only the headers of messages larger than {limit} bytes (bounce_size_limit)",
            remedy.format(f"bounce_size_limit={_UNLIMITED}"),
        )
    cleanup = cleanup_of(state, service)
    limit = effective(state, cleanup, "message_size_limit") if cleanup else "0"
    if _number(limit) and _number(limit) < 2 * largest:
        yield Fault(
            f"{cleanup_name(state, service)}/unix takes no report of more than {limit} bytes (message_size_limit), so "
            "larger messages that are refused wait for ever",
            f"run the role, or set message_size_limit=0 for the service {cleanup_name(state, service)}/unix",
        )
    if "2bounce" not in split_items(effective(state, service, "notify_classes").lower()):
        yield Fault(
            f"refused mail without a sender, such as a bounce, is thrown away by {service.key} (notify_classes)",
            f"run the role, or add 2bounce to notify_classes of the service {service.key}",
            WARNING,
        )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


@check("report_address", LOCAL, "an address that gets the reports of refused mail gets no mail", place=MAIL_HOST)
def report_address(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    redirected = state.reports.redirected
    for address, problem in state.reports.addressees.items() if state.reports.kept else ():
        notice = address not in redirected
        if notice and address.rpartition("@")[0] not in state.value("2bounce_notice_recipient"):
            continue
        if problem:
            whose = "what no sender can be told" if notice else "the reports of refused mail"
            yield Fault(
                f"{address} is to get {whose}, but {problem}: refused mail is lost",
                (
                    "let 2bounce_notice_recipient, or the alias of postmaster, lead to somebody"
                    if notice
                    else "let its alias lead to somebody, or name another address (the roles' variable is "
                    "*_refused_mail_to)"
                ),
                WARNING if notice else ERROR,
            )
        elif problem is None and not notice:
            yield Fault(
                f"{address} is to get the reports of refused mail; whether it gets them can't be told here",
                "send it a message through this host",
                INFO,
            )


@check(
    "kept_mailbox",
    LOCAL,
    "the mailbox that gets the reports of refused mail has a limit, beyond which they are lost",
    place=MAIL_HOST,
)
def kept_mailbox(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    limit = state.value("mailbox_size_limit")
    elsewhere = state.value("mailbox_transport") or state.value("mailbox_command")
    if not _number(limit) or elsewhere or state.value("home_mailbox").endswith("/"):
        return
    own = {member.lower() for member in split_items(state.value("mydestination"))}
    for address in sorted(state.reports.redirected):
        if address.rpartition("@")[2].lower() in own:
            yield Fault(
                f"{address} gets the reports of refused mail, with the whole messages, in a mailbox of at most {limit} "
                "bytes (mailbox_size_limit): once it is full, they are lost",
                "set mailbox_size_limit to 0, or name another address (the roles' variable is *_refused_mail_to)",
                WARNING,
            )


of_domain = Register(DOMAIN)


@of_domain(
    "refused_mail",
    LOCAL,
    "reports of mail that the mail host refuses are thrown away, or only some are kept from strangers",
    place=MAIL_HOST,
)
def lost_reports(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    actions = state.reports.actions.get(domain.name, {})
    for action in dict.fromkeys(actions.values()) if domain.relayed else ():
        if action and not action.startswith(_KEEPING):
            services = " and ".join(service for service, met in actions.items() if met == action)
            yield Fault(
                f"the reports of {services} about it meet {action} in body checks: mail that its mail host refuses "
                f"{'is lost' if action == 'DISCARD' else 'never leaves the queue'}",
                "run the role with refused_mail: postmaster or hold, or remove that entry",
                domain=domain.name,
            )
    if domain.relayed and len(set(actions.values())) > 1 and not all(actions.values()):
        open_ = [service for service, action in actions.items() if not action]
        yield Fault(
            f"{' and '.join(open_)} sends its reports to senders, other services keep them",
            "run the role for it",
            WARNING,
            domain.name,
        )


@of_domain(
    "notify_never",
    LOCAL,
    "a filter of SMTP commands asks mail hosts never to report, so refused mail vanishes",
    place=MAIL_HOST,
)
def notify_never(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    table = state.reports.silenced.get(domain.name, "")
    if domain.relayed and table:
        yield Fault(
            f"{table} (smtpd_command_filter) adds NOTIFY=NEVER to its recipients: mail that its mail host refuses is "
            "thrown away, and nobody is told",
            "remove that entry, and set refused_mail to postmaster or hold for it",
            domain=domain.name,
        )


@check("delay_warnings", LOCAL, "senders of mail that waits are written to, who may be forged", place=MAIL_HOST)
def delay_warnings(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    after = state.value("delay_warning_time")
    if seconds(after):
        yield Fault(
            f"delay_warning_time is {after}: in an outage of a mail host every sender is told that mail waits, "
            "and those of spam are forged",
            "set delay_warning_time to 0h",
            WARNING,
        )


@check(
    "bounce_lifetime",
    LOCAL,
    "a report of refused mail is given up before it is tried again, or its lifetime is capped by that of mail",
    place=MAIL_HOST,
)
def bounce_lifetime(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    lifetime, maximal = state.value("bounce_queue_lifetime"), state.value("maximal_queue_lifetime")
    kept, of_mail = seconds(lifetime, "d"), seconds(maximal, "d")
    if kept is not None and kept < (seconds(state.value("minimal_backoff_time"), "s") or 1):
        yield Fault(
            f"bounce_queue_lifetime is {lifetime}: a report of refused mail is given up before it is tried again",
            "set bounce_queue_lifetime to a value such as 5d (the roles' variable is *_bounce_lifetime)",
            WARNING,
        )
    elif "bounce_queue_lifetime" in state.explicit and kept is not None and of_mail is not None and kept > of_mail:
        yield Fault(
            f"bounce_queue_lifetime is {lifetime}, but counts as {maximal}, which maximal_queue_lifetime is",
            f"set bounce_queue_lifetime to {maximal} or less, or raise maximal_queue_lifetime",
            WARNING,
        )
