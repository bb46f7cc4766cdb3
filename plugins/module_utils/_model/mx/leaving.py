# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of ours goes with the domains that this host no longer relays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import ABSENT
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.leaving_mail import LeavingDomain, leaving_mail
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import RecipientsItem
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    EXTERNAL,
    LISTED,
    REFUSE,
    DomainItem,
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.routes import (
    foreign_row_stays,
    foreign_rows,
    others_routed_by,
    row_stays,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.subdomain_patterns import (
    domain_of_pattern,
    domain_of_report_pattern,
    patterns_by_domain,
)


@dataclass(frozen=True)
class Leaving:
    """Rows to remove by table, members of relay_domains, and the names whose rows wait until main.cf lets go.

    `routed` are those among them whose mail goes by a row that goes, `queued` those for which mail by such a row
    waits; that of the `flushed` is tried again first, that of the `returned` goes to its senders.
    """

    recipients: Sequence[RecipientsItem] = ()
    transport: Sequence[str] = ()
    verify: Sequence[str] = ()
    patterns: Sequence[str] = ()
    reports: Sequence[str] = ()
    relay_domains: Sequence[str] = ()
    names: Sequence[str] = ()
    routed: Sequence[str] = ()
    queued: Sequence[str] = ()
    flushed: Sequence[str] = ()
    returned: Sequence[str] = ()
    notes: Sequence[str] = ()
    refusals: Sequence[Refusal] = ()

    @classmethod
    def joined(cls, parts: Iterable[Leaving]) -> Leaving:
        """All of the parts as one."""
        every: list[Leaving] = list(parts)
        return cls(**{part.name: _all(getattr(leaving, part.name) for leaving in every) for part in fields(cls)})


def _all(several: Iterable[Sequence[Any]]) -> list[Any]:
    return list(dict.fromkeys(value for values in several for value in values))


def domains_that_leave(request: MxRequest, host: HostState, undeclared: Sequence[str]) -> Leaving:
    """All that goes: with domains that are absent, and with undeclared ones if those are to be removed."""
    removed = undeclared if request.settings["remove_undeclared"] else ()
    elsewhere = [name for name in removed if host.relayed[name] != name]
    notes = [f"{name} is relayed through {host.relayed[name]}, which this role does not manage" for name in elsewhere]
    ours = [_left_behind(name, None, request, host) for name in removed if name not in elsewhere]
    absent = [_left_behind(item.name, item, request, host) for item in request.absent]
    return Leaving.joined([*ours, Leaving(notes=notes), *absent])


def _left_behind(name: str, item: DomainItem | None, request: MxRequest, host: HostState) -> Leaving:
    """Everything of ours that one domain leaves behind. What is not there needs no removal."""
    names = (name, "." + name)
    rows = host.recipient_rows.get(name)
    foreign = foreign_rows(names, host)
    transport = [
        pattern for pattern in names if host.transport and pattern in host.transport.rows and pattern not in foreign
    ]
    others = others_routed_by("." + name, request, host) if "." + name in transport else []
    transport = [pattern for pattern in transport if not (others and pattern == "." + name)]
    notes = [foreign_row_stays(pattern, result) for pattern, result in foreign.items()]
    notes += [row_stays("." + name, others)] if others else []
    relayed = [member for member in names if member in host.relayed]
    verified = [key for key in names if host.verify and key in host.verify.rows]
    patterns = _patterns(host).get(name, [])
    reports = _report_patterns(host).get(name, [])
    if not (rows or transport or relayed or verified or patterns or reports):
        return Leaving(notes=notes)
    still_mx = [] if item and item.force else _still_mx(name, request, host)
    by_row = [member for member in relayed if member in transport and is_own_row(member, host)]
    asked = item.waiting_mail if item else REFUSE
    mail = leaving_mail(LeavingDomain(name, transport, reports, bool(relayed), bool(by_row), asked), request, host)
    if still_mx or mail.refusals:
        return Leaving(notes=notes, refusals=[*still_mx, *mail.refusals])
    notes += mail.notes
    queued = mail.keeps_reports and bool(transport or reports)
    transport = [] if mail.keeps_routes else transport
    reports = [] if mail.keeps_reports else reports
    elsewhere = [member for member in relayed if host.relayed[member] != member and member not in by_row]
    recipients = RecipientsItem(
        name=name,
        policy=LISTED,
        state=ABSENT,
        index=item.index if item else None,
        subdomains=bool(item and item.subdomains),
        changed=True,
    )
    return Leaving(
        recipients=[recipients] if rows and not (item and item.policy == EXTERNAL) else [],
        transport=transport,
        verify=verified,
        patterns=patterns,
        reports=reports,
        relay_domains=[member for member in relayed if host.relayed[member] == member],
        names=[name],
        routed=[name] if transport and not mail.returned else [],
        queued=[name] if queued else [],
        flushed=mail.flushed,
        returned=mail.returned,
        notes=notes,
        refusals=[
            Refusal(
                name,
                "relay_domains",
                f"it is in relay_domains through {host.relayed[member]}, which this role does not manage",
                "remove it there",
            )
            for member in elsewhere
        ],
    )


def _still_mx(name: str, request: MxRequest, host: HostState) -> list[Refusal]:
    records = host.mx.get(name, ())
    named = [record for record in records if host.is_self(record.host, record.addresses, _proxies(request))]
    return [
        Refusal(
            name,
            "still_mx",
            f"DNS still names this host ({record.host}) as its MX, so its mail would be refused",
            "remove the MX record first, or declare the domain with state: absent and force: true",
        )
        for record in named[:1]
    ]


def leaving_with_mail(request: MxRequest, host: HostState) -> bool:
    """Whether a domain leaves that mail may wait for, so the queue is to be read."""
    names = {item.name for item in request.absent}
    if request.settings["remove_undeclared"]:
        names |= {name.lstrip(".") for name in host.relayed} - request.declared
    rows = host.transport.rows if host.transport else {}
    there = {name.lstrip(".") for name in (*rows, *host.relayed)}
    return not names.isdisjoint(there)


def _proxies(request: MxRequest) -> list[str]:
    return [str(address) for address in request.settings["proxy_interfaces"]]


def is_own_row(name: str, host: HostState) -> bool:
    """Whether relay_domains has the domain from our transport table."""
    return host.transport is not None and host.relayed.get(name, "").endswith(host.transport.reference)


def _patterns(host: HostState) -> Mapping[str, list[str]]:
    """The patterns of ours that the host has, by their domains."""
    rows = host.subdomains.rows if host.subdomains else {}
    return host.once(("patterns", "by domain"), lambda: patterns_by_domain(rows, domain_of_pattern))


def _report_patterns(host: HostState) -> Mapping[str, list[str]]:
    """The same of those by which reports of refused mail are known."""
    rows = host.refused.rows if host.refused else {}
    return host.once(("reports", "by domain"), lambda: patterns_by_domain(rows, domain_of_report_pattern))
