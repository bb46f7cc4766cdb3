# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the mail that waits in the queue for a domain that this host no longer relays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import best_exchanger
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    BOUNCE,
    FLUSH,
    KEEP,
    REFUSE,
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import first_release, supports

CHECK = "waiting_mail"


@dataclass(frozen=True)
class LeavingDomain:
    """A domain that goes: what of ours goes with it that its mail needs, and whether anything more comes in for it.

    `transport` are patterns of its rows, `reports` those that keep reports of its mail from strangers. Of a domain that
    is `relayed_by_row` the row is also why the host accepts its mail.
    """

    name: str
    transport: Sequence[str]
    reports: Sequence[str]
    relayed: bool
    relayed_by_row: bool = False
    asked: str = REFUSE


@dataclass(frozen=True)
class LeavingMail:
    """What is done with the mail, by the names of the domains, and which of the rows that it needs stay for now.

    `flushed` is tried again before the domain goes, `returned` goes to its senders when all else is done.
    """

    flushed: Sequence[str] = ()
    returned: Sequence[str] = ()
    keeps_routes: bool = False
    keeps_reports: bool = False
    notes: Sequence[str] = ()
    refusals: Sequence[Refusal] = ()


def leaving_mail(leaving: LeavingDomain, request: MxRequest, host: HostState) -> LeavingMail:
    """What becomes of the mail as it waits now; nothing if none does."""
    below = [name for name in host.waiting if name.endswith("." + leaving.name) and name not in request.declared]
    names = [name for name in (leaving.name, *below) if host.waiting.get(name)]
    count = sum(host.waiting[name] for name in names)
    if not count:
        return LeavingMail()
    number = f"{count} message{'s wait' if count > 1 else ' waits'} for it in the queue"
    loops = best_exchanger(host.mx.get(leaving.name, ()), host, request.settings["proxy_interfaces"]) is not None
    if leaving.asked == REFUSE:
        return _refused(leaving, number, loops)
    refusals = _against(leaving, number, loops)
    if refusals:
        return LeavingMail(refusals=refusals)
    if leaving.asked == BOUNCE:
        return _returned(leaving, names, count, number, host)
    # Of a domain that is gone already the mail is tried again as any other.
    if leaving.asked == FLUSH and leaving.relayed:
        note = f"{leaving.name}: {number}, and {_are(count)} tried again first"
        return LeavingMail(flushed=names, keeps_reports=True, notes=[note])
    return _kept(leaving, number)


def _are(count: int) -> str:
    return "are" if count > 1 else "is"


def _kept(leaving: LeavingDomain, number: str) -> LeavingMail:
    note = f"rows of {leaving.name} stay for now: {number}"
    if not leaving.transport and not leaving.reports:
        note = f"{leaving.name}: {number}, for the hosts of its MX records"
    return LeavingMail(keeps_routes=True, keeps_reports=True, notes=[note])


def _refused(leaving: LeavingDomain, number: str, loops: bool) -> LeavingMail:
    """The removal is refused if the mail would lose its way, or its report what keeps it from strangers."""
    lost = bool(leaving.transport or loops)
    if not lost and not leaving.reports:
        return _kept(leaving, number)
    becomes = "no longer find the mail host" if lost else "bounce to strangers if the mail host refuses it"
    cause = f"{number}, and would {becomes}"
    if not leaving.relayed:
        # Nothing more comes in: a row that a run has left for what was on its way.
        return LeavingMail(
            keeps_routes=True, keeps_reports=True, notes=[f"rows of {leaving.name} stay for now: {cause}"]
        )
    remedy = (
        "deliver the mail first (module mxrelay.postfix.queue_flush), or set waiting_mail on the item: flush tries "
        "once more, keep leaves the mail its way to the mail host, bounce returns it to its senders"
    )
    return LeavingMail(refusals=[Refusal(leaving.name, CHECK, cause, remedy)])


def _against(leaving: LeavingDomain, number: str, loops: bool) -> list[Refusal]:
    """Why the mail can't keep its way while the domain goes."""
    if leaving.relayed_by_row:
        cause = f"{number}, and relay_domains has it from the transport row that the mail needs"
        return [Refusal(leaving.name, CHECK, cause, "name it in relay_domains itself, or deliver the mail first")]
    if loops and not leaving.transport and leaving.asked in (KEEP, FLUSH):
        cause = f"{number}, and DNS names no better MX host than this one, so it would bounce"
        return [Refusal(leaving.name, CHECK, cause, "set waiting_mail: bounce on the item, or correct the MX records")]
    return []


def _returned(leaving: LeavingDomain, names: Sequence[str], count: int, number: str, host: HostState) -> LeavingMail:
    """What is not to be returned keeps its way, and so does all of it while it is."""
    staying = sum(host.unreturnable.get(name, 0) for name in names)
    stay = f"; {staying} of them stay{'s' * (staying == 1)}, on hold or also for another domain" if staying else ""
    if staying == count:
        return _kept(leaving, number + stay)
    if not supports(host.version, "forced_expiry"):
        cause = f"{number}, and Postfix before {first_release('forced_expiry')} can't return mail before it expires"
        return LeavingMail(
            refusals=[Refusal(leaving.name, CHECK, cause, "set waiting_mail: keep on the item, or deliver it first")]
        )
    note = f"{leaving.name}: {number}, and {_are(count)} returned to the sender{'s' * (count > 1)}{stay}"
    return LeavingMail(returned=names, keeps_reports=True, notes=[note])
