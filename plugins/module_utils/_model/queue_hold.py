# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mail of some domains is put on hold or released, and what is told of it: counts, never an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Collection, Iterable, Mapping, Sequence

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
            if (message.queue == HOLD) is (self.state == HELD):
                continue
            concerned = [self._concerns(address) for address, _reason in message.recipients]
            if all(concerned) or (self.mixed and any(concerned)):
                wanted.append(message)
            elif any(concerned):
                left += 1
        return wanted, left

    def _concerns(self, address: str) -> bool:
        return not self.domains or domain_of(address).lower() in self.domains


_DONE = {SHOWN: "on hold", HELD: "put on hold", RELEASED: "released"}


def hold_result(
    request: HoldRequest, done: Sequence[Message], left: int, ours: Collection[str], before: int
) -> dict[str, Any]:
    """What queue_hold returns of the messages with which it was done. `ours` are the ids of those that queue_hold had
    put on hold; `before` counts those that were on hold already."""
    mine = sum(1 for message in done if message.queue_id in ours)
    by_whom = {} if request.state == HELD else {"by_queue_hold": mine, "by_others": len(done) - mine}
    domains = held_by_domain(request, done)
    return {
        "state": request.state,
        "count": len(done),
        "domains": domains,
        **by_whom,
        "left": left,
        "lines": [
            *[f"{domain}: {_messages(count)} {_DONE[request.state]}" for domain, count in domains.items()],
            *([] if domains else [f"no message {'is on hold' if request.state != HELD else 'is to be put on hold'}"]),
            *_origins(by_whom),
            *([f"{_messages(before)} on hold already"] if before and request.state == HELD else []),
            *([f"{_messages(left)} left, since they also go to other domains; set mixed for these"] if left else []),
        ],
    }


def held_by_domain(request: HoldRequest, messages: Iterable[Message]) -> dict[str, int]:
    """How many of the messages there are for each domain; each of those that were named."""
    counts = {domain: len(found) for domain, found in waiting_for(messages, request.domains).items()}
    return {domain: counts[domain] for domain in sorted(counts)}


def hold_table(counts: Mapping[str, int]) -> str:
    """How many are on hold, as a diff shows it."""
    return "".join(f"{domain}: {count}\n" for domain, count in counts.items())


def _origins(by_whom: Mapping[str, int]) -> list[str]:
    if not by_whom.get("by_others"):
        return []
    return [f"{by_whom['by_queue_hold']} of them put on hold by queue_hold, {by_whom['by_others']} by others"]


def _messages(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"
