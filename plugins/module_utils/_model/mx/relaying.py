# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may relay: smtpd's restrictions as a run leaves them, with 554 instead of 454 for a relay attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    RECIPIENT_RESTRICTIONS,
    RELAY_RESTRICTIONS,
    written_value,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.destinations import destinations
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.passage import Client, passage


@dataclass(frozen=True)
class RelayLists:
    """The restriction lists to set, and why not."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    refusals: Sequence[Refusal] = ()


def relay_lists(request: MxRequest, host: HostState, planned: Mapping[str, str], check: str) -> RelayLists:
    """The two lists that decide on relaying.

    `planned` are parameters that other parts of the plan set, `check` the restriction by which recipients are
    verified, "" if none is.
    """
    before = {
        name: planned.get(name, written_value(host, name)) for name in (RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS)
    }
    own = RELAY_RESTRICTIONS if host.knows(RELAY_RESTRICTIONS) else RECIPIENT_RESTRICTIONS
    wanted = ", ".join(map(str, request.settings["relay_restrictions"]))
    lists = dict(before)
    if wanted:
        lists[own] = wanted if own == RELAY_RESTRICTIONS else _in_one_list(wanted, before[own], check, host)
    elif _lacks_any(lists, host):
        lists[own] = restrictions.SAFE_LIST
    after = {name: _rejecting(value, host) for name, value in lists.items()}
    changed = {name: value for name, value in after.items() if value != before[name] or (wanted and name == own)}
    return RelayLists(changed, _opened_by(wanted, request, host) if wanted else [])


def _in_one_list(wanted: str, present: str, check: str, host: HostState) -> str:
    """What is wanted of relaying, and what main.cf asks of recipients besides, for releases that have one list."""
    own = present if RECIPIENT_RESTRICTIONS in host.explicit else ""
    whole = restrictions.with_others(wanted, restrictions.without_check(own, check))
    return restrictions.with_check(whole, check) if check else whole


def _lacks_any(lists: Mapping[str, str], host: HostState) -> bool:
    """Whether nothing decides on relaying, or only a list of recipients that lets nobody pass by itself."""
    relay, recipient = (expand(lists[name], host.values) for name in (RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS))
    if relay:
        return False
    if not recipient:
        return True
    judged = passage(RECIPIENT_RESTRICTIONS, recipient, _clients(host))
    return (
        host.knows(RELAY_RESTRICTIONS)
        and not judged.closed
        and not any(doubt.proven and doubt.member for doubt in judged.doubts)
    )


def _clients(host: HostState) -> Client:
    return Client(host.value, host.contents, destinations(host).is_ours)


def _rejecting(value: str, host: HostState) -> str:
    """The list with its final deferral as a rejection, also of one that a $name stands for."""
    after, whole = restrictions.rejecting(value), expand(value, host.values)
    return restrictions.rejecting(whole) if after == value and restrictions.rejecting(whole) != whole else after


def _opened_by(wanted: str, request: MxRequest, host: HostState) -> list[Refusal]:
    """A list that is asked for has to close by itself."""
    if not passage(RELAY_RESTRICTIONS, expand(wanted, host.values), _clients(host)).open:
        return []
    return [
        Refusal(
            "",
            "relay_restrictions",
            f"{request.role or 'mx'}_relay_restrictions ({wanted}) would let a stranger relay",
            "end them with reject_unauth_destination, after the restrictions that permit only your own clients",
        )
    ]
