# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards against lists of recipients that were cut, such as by an export that broke off.

A domain that is removed, or that gets another policy, loses its rows on purpose and is not looked at here. One that
follows sources is guarded for itself, when the table is written: it keeps its rows while others change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import DomainRows, HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    LISTED,
    DomainItem,
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.removals import USUAL, Limit, read_limit

# Where nobody sets a limit, so many people may always leave.
ALWAYS = 10
SHOWN = 20


class Cut(NamedTuple):
    """A list that has fewer addresses than the table has of its domain."""

    domain: str
    before: int
    after: int

    @property
    def lost(self) -> int:
        return self.before - self.after


def cut_lists(request: MxRequest, host: HostState) -> list[Refusal]:
    """The refusal of lists that together, or each for itself, would lose more addresses than max_removals allows."""
    if request.settings["recipient_check"] != "table":
        return []
    cuts = sorted(_cuts(request, host), key=lambda cut: cut.lost, reverse=True)
    limit, total = _limit(request), _entries(host)
    lost = sum(cut.lost for cut in cuts)
    own = {item.name for item in request.present if not item.form_of}
    deep = [cut for cut in cuts if limit.percent and cut.lost > _allowed(limit, cut.before, request)]
    if not deep and lost <= _allowed(limit, total, request):
        return []
    shown = [cut for cut in deep or cuts if cut.domain in own]
    counts = [f"{cut.domain} from {cut.before} to {cut.after}" for cut in shown[:SHOWN]]
    more = [f"{len(shown) - SHOWN} more domains"] if len(shown) > SHOWN else []
    setting = request.settings["max_removals"] or USUAL
    return [
        Refusal(
            shown[0].domain if len(shown) == 1 else "",
            "max_removals",
            f"{lost} of the {total} recipients in the table would be removed, more than max_removals ({setting}) "
            f"allows: {', '.join([*counts, *more])}",
            f"check that the lists are complete, and if so run once with -e {request.role or 'mx'}_max_removals=100%",
        )
    ]


def removals_allowed(request: MxRequest, host: HostState) -> str:
    """The max_removals of the task that writes the lists: a list whose addresses were exchanged is seen there alone.

    "" if all may go. What goes on purpose is not counted against the limit.
    """
    limit = _limit(request)
    if limit.none:
        return ""
    return str(_allowed(limit, _entries(host), request) + sum(_on_purpose(request, host)))


def _limit(request: MxRequest) -> Limit:
    return read_limit(str(request.settings["max_removals"] or USUAL))


def _allowed(limit: Limit, total: int, request: MxRequest) -> int:
    allowed = limit.allowed(total)
    return allowed if request.settings["max_removals"] else max(ALWAYS, allowed)


def _cuts(request: MxRequest, host: HostState) -> Iterator[Cut]:
    for item in request.present:
        before, after = _rows(item, host).count, item.listed_count - item.lists_postmaster - item.lists_abuse
        if item.policy == LISTED and not item.follows and after < before:
            yield Cut(item.name, before, after)


def _on_purpose(request: MxRequest, host: HostState) -> Iterator[int]:
    """For each declared domain the entries that go although its list is not cut."""
    for item in request.present:
        rows = DomainRows() if item.follows else _rows(item, host)
        yield rows.of_roles + (rows.wildcard if item.policy == LISTED else rows.count)


def _rows(item: DomainItem, host: HostState) -> DomainRows:
    return host.recipient_rows.get(item.name, DomainRows())


def _entries(host: HostState) -> int:
    return sum(rows.addresses + rows.wildcard for rows in host.recipient_rows.values())
