# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mail of some domains is put on hold or released, and what is told of it: counts, never an address."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import (
    HOLD,
    Message,
    waiting_for,
    with_subdomains,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import domains_option

SHOWN = "shown"
HELD = "held"
RELEASED = "released"
STATES = (SHOWN, HELD, RELEASED)


@dataclass(frozen=True)
class HoldRequest:
    """Mail of the domains (of all if none is named) to put on hold, to release, or to count what is on hold of it.

    Unless `mixed`, a message that also has recipients elsewhere is left. With `flush`, what is released is retried.
    """

    state: str = SHOWN
    domains: Sequence[str] = ()
    subdomains: bool = False
    mixed: bool = False
    flush: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> HoldRequest:
        """Raises InvalidInput."""
        domains = domains_option(params)
        if domains and params["all"]:
            raise InvalidInput("domains and all are both given; give one of them")
        if params["state"] != SHOWN and not domains and not params["all"]:
            raise InvalidInput(f"state is {params['state']}, and neither domains nor all is given; name the domains")
        return cls(params["state"], domains, params["subdomains"], params["mixed"], params["flush"])

    def counted(self, messages: Iterable[Message]) -> list[Message]:
        """The messages as they count for the domains."""
        return with_subdomains(messages, self.domains) if self.subdomains else list(messages)

    def chosen(self, messages: Iterable[Message]) -> tuple[list[Message], int]:
        """Those of the messages that the request is about, and how many are left since they also go elsewhere."""
        wanted, left = [], 0
        for message in self.counted(messages):
            if (message.queue == HOLD) is (self.state == HELD) or not message.recipients:
                continue
            concerned = [self._concerns(address) for address, _reason in message.recipients]
            if all(concerned) or (self.mixed and any(concerned)):
                wanted.append(message)
            elif any(concerned):
                left += 1
        return wanted, left

    def _concerns(self, address: str) -> bool:
        return not self.domains or domain_of(address).lower() in self.domains


@dataclass(frozen=True)
class HoldPlan:
    """The messages to act on, how many are left as they also go elsewhere, what is on hold for the domains, the ids of
    what was put on hold by this module, those of it that have arrived, and how many were put on hold while they were
    delivered.
    """

    chosen: Sequence[Message] = ()
    left: int = 0
    held: Sequence[Message] = ()
    ours: frozenset[str] = field(default_factory=frozenset)
    arrived: Sequence[str] = ()
    interrupted: int = 0


_DONE = {SHOWN: "on hold", HELD: "put on hold", RELEASED: "released"}


def arrived(messages: Iterable[Message], ours: Container[str]) -> list[str]:
    """The ids of what queue_hold put on hold while its delivery was under way, and succeeded: no recipient is left."""
    return [each.queue_id for each in messages if each.queue == HOLD and not each.recipients and each.queue_id in ours]


def hold_result(request: HoldRequest, plan: HoldPlan) -> dict[str, Any]:
    """What queue_hold returns of what the plan has: done, or in check mode to do."""
    mine = sum(1 for message in plan.chosen if message.queue_id in plan.ours)
    by_whom = {} if request.state == HELD else {"by_queue_hold": mine, "by_others": len(plan.chosen) - mine}
    domains = held_by_domain(request, plan.chosen)
    return {
        "state": request.state,
        "count": len(plan.chosen),
        "domains": domains,
        **by_whom,
        "left": plan.left,
        "lines": _lines(request, plan, domains, by_whom),
    }


def _lines(request: HoldRequest, plan: HoldPlan, domains: Mapping[str, int], by_whom: Mapping[str, int]) -> list[str]:
    lines = [f"{domain}: {_messages(count)} {_DONE[request.state]}" for domain, count in domains.items()]
    if not domains:
        lines.append(f"no message {'is on hold' if request.state != HELD else 'is to be put on hold'}")
    if by_whom.get("by_others"):
        lines.append(f"{by_whom['by_queue_hold']} of them put on hold by queue_hold, {by_whom['by_others']} by others")
    if plan.held and request.state == HELD:
        lines.append(f"{_messages(len(plan.held))} on hold already")
    if plan.left:
        lines.append(f"{_messages(plan.left)} left, since they also go to other domains; set mixed for these")
    if plan.interrupted:
        lines.append(f"{_messages(plan.interrupted)} put on hold during a delivery, which may still succeed")
    if plan.arrived:
        lines.append(f"{_messages(len(plan.arrived))} put on hold during a delivery that succeeded, removed now")
    return lines


def held_by_domain(request: HoldRequest, messages: Iterable[Message]) -> dict[str, int]:
    """How many of the messages there are for each domain; each of those that were named."""
    counts = {domain: len(found) for domain, found in waiting_for(messages, request.domains).items()}
    return {domain: counts[domain] for domain in sorted(counts)}


def hold_table(counts: Mapping[str, int]) -> str:
    """How many are on hold, as a diff shows it."""
    return "".join(f"{domain}: {count}\n" for domain, count in counts.items())


def _messages(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"
