# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether master(8) could have the ports of services that master.cf does not have yet.

If it can't, a reload ends it without a word: port 25 is gone, and `postfix check` has nothing to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.listeners import (
    PARAMETERS,
    Listener,
    new_listeners,
    protocols,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.listening import Hindrance, hindrances, port_number
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.service import master_process

_QUEUE = "queue_directory"


@dataclass(frozen=True)
class TakenPort:
    """A service that can't have an address."""

    key: str
    place: str
    why: str

    @property
    def cause(self) -> str:
        return f"{self.key} of master.cf can't listen at {self.place}: {self.why}, so a reload would end Postfix"

    remedy = "give the service another port, or free this one first"


def taken_ports(
    postfix: Postfix, before: str, after: str, path: str, planned: Mapping[str, str] | None = None
) -> list[TakenPort]:
    """The services of master.cf `after` that `before` has not and that could not listen.

    `planned` are parameters that main.cf is to have by then. What the running master itself listens at is free: on a
    reload it gives up the ports of services that are gone before it takes those of new ones.
    """
    old, new = MasterCf(before, path).effective, MasterCf(after, path).effective
    if not {service.key for service in new if service.type == "inet"} - {service.key for service in old}:
        return []
    values = {**postfix.parameters([*PARAMETERS, _QUEUE], ["-x"]), **(planned or {})}
    fresh, staying = new_listeners(old, new, values)
    twice = [found for place, listener in enumerate(fresh) for found in _twice(listener, [*staying, *fresh[:place]])]
    master = master_process(values.get(_QUEUE, ""))
    return twice or [
        TakenPort(listener.key, found.place, found.why)
        for listener in fresh
        for found in _hindrances(listener, values)
        if master not in found.holders
    ]


def refuse_taken_ports(postfix: Postfix, before: str, after: str, path: str) -> None:
    """Raises Refused if a service that is new in master.cf could not listen."""
    for taken in taken_ports(postfix, before, after, path):
        raise Refused(f"{path}: {taken.cause}; {taken.remedy}; nothing was changed")


def _hindrances(listener: Listener, values: Mapping[str, str]) -> list[Hindrance]:
    return [found for host in listener.hosts for found in hindrances(host, listener.port, protocols(values))]


def _twice(listener: Listener, others: Sequence[Listener]) -> list[TakenPort]:
    """What speaks against one service beside others: two of one file would have the same address."""
    return [
        TakenPort(listener.key, f"port {listener.port}", f"{other.key} listens there as well")
        for other in others
        if port_number(other.port) == port_number(listener.port)
        and ("" in (*other.hosts, *listener.hosts) or set(other.hosts).intersection(listener.hosts))
    ]
