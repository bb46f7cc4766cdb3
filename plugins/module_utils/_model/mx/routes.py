# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the transport table that relay domains need on this host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import lookup_keys
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import PRIMARY
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, TableState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refused_mail import RETRYING
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import RELAY
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import DomainItem, MxRequest

# The results of this role: a relay service, by MX or to a mail host.
_OWN_RESULT = re.compile(rf"({RELAY}|{RETRYING}):\S*$")


@dataclass(frozen=True)
class Routes:
    """Rows to have, patterns of rows to remove, and what is to be said of them."""

    rows: Mapping[str, str] = field(default_factory=dict)
    removed: Sequence[str] = ()
    notes: Sequence[str] = ()


def primary_routes(request: MxRequest, host: HostState) -> Routes:
    """The rows of primaries, and an end to rows for subdomains that are no longer wanted."""
    present = _rows_of(host.transport)
    rows: dict[str, str] = {}
    removed: list[str] = []
    notes: list[str] = []
    for item in request.present:
        if item.result is not None:
            rows.update(dict.fromkeys(item.patterns, item.result))
        dotted = "." + item.name
        if not item.subdomains and dotted in present:
            others = others_routed_by(dotted, request, host)
            if not is_own_result(present[dotted]):
                notes.append(foreign_row_stays(dotted, present[dotted]))
            elif others:
                notes.append(row_stays(dotted, others))
            else:
                removed.append(dotted)
    kept = _routes_beside(rows, request, host)
    return Routes({**rows, **kept.rows}, removed, [*notes, *kept.notes])


def _routes_beside(wanted: Mapping[str, str], request: MxRequest, host: HostState) -> Routes:
    """A primary's row for its subdomains does not capture those for which the other role makes this a secondary."""
    present = _rows_of(host.transport)
    rows: dict[str, str] = {}
    notes: list[str] = []
    for member in host.relayed:
        name = member.lstrip(".")
        captured = next((key for key in lookup_keys(name, False)[1:] if key in wanted or key in rows), None)
        if captured is None or member in present:
            continue
        if name in request.peer_domains:
            rows[member] = "relay:"
        elif name not in request.declared and not request.settings["remove_undeclared"] and captured not in present:
            notes.append(f"the transport row {captured} also routes {member}, which no role declares")
    return Routes(rows, notes=notes)


def secondary_routes(request: MxRequest, host: HostState, primary: Routes, leaving: Sequence[str]) -> Routes:
    """`relay:` if something else would capture the mail of a secondary; its own MX lookup does without a row.

    Mail that is tried again after a refusal goes by a service of its own, and so by a row.

    The row for a domain's subdomains captures the mail of those that are secondaries themselves, so parents come
    first, and what counts are the rows as this plan leaves them: with those of primaries, without those `leaving`.
    A row that this role can't have written is somebody's way to the primary, and stays.
    """
    ours = host.transport
    present = _rows_of(ours)
    found = set(present if ours and (ours.relied_on or primary.rows) else ())
    found = found.difference(primary.removed, leaving).union(primary.rows)
    rows: dict[str, str] = {}
    removed: list[str] = []
    notes: list[str] = []
    for item in sorted(request.present, key=lambda item: item.name.count(".")):
        if item.role == PRIMARY:
            continue
        foreign = foreign_rows(item.patterns, host)
        patterns = [pattern for pattern in item.patterns if pattern not in foreign]
        notes += [foreign_row_stays(pattern, result) for pattern, result in foreign.items()]
        above = [*lookup_keys(item.name, False)[1:], "*"]
        if item.refused_mail_retry or _is_captured(item, host) or found.intersection(above):
            rows.update(dict.fromkeys(patterns, f"{item.agent}:"))
            found.update(patterns)
        else:
            removed += [pattern for pattern in patterns if pattern in present]
            found.difference_update(patterns)
    return Routes(rows, removed, notes)


def is_own_result(result: str) -> bool:
    """Whether this role can have written a row with this result."""
    return bool(_OWN_RESULT.match(result))


def foreign_rows(patterns: Iterable[str], host: HostState) -> dict[str, str]:
    """Those of our transport table's rows for the patterns that this role can't have written."""
    present = _rows_of(host.transport)
    return {key: present[key] for key in patterns if key in present and not is_own_result(present[key])}


def foreign_row_stays(pattern: str, result: str) -> str:
    return (
        f"the transport row {pattern} {result} stays, because this role does not write such rows; remove it by hand "
        "if mail is to go by the domain's MX records"
    )


def _is_captured(item: DomainItem, host: HostState) -> bool:
    """Whether something else than our table sends a secondary's mail elsewhere than to its MX hosts."""
    return bool(
        host.value("relayhost")
        or host.value("sender_dependent_relayhost_maps")
        or host.value("relay_transport") not in ("relay", "")
        or item.name in host.weak_captures
    )


def others_routed_by(dotted: str, request: MxRequest, host: HostState) -> list[str]:
    """The relay domains, that are to stay, which nothing but the transport row for a domain's subdomains routes."""
    present = _rows_of(host.transport)
    return [
        name
        for name, member in host.relayed.items()
        if name.endswith(dotted)
        and name != dotted
        and name not in present
        and name.lstrip(".") not in request.declared
        and not (request.settings["remove_undeclared"] and member == name)
    ]


def row_stays(dotted: str, others: Sequence[str]) -> str:
    return f"the transport row {dotted} stays because it routes {others[0]}, which no role declares"


def _rows_of(table: TableState | None) -> Mapping[str, str]:
    return table.rows if table else {}
