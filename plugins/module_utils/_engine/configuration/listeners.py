# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether master(8) could have the ports of services that master.cf does not have yet.

If it can't, a reload ends it without a word: port 25 is gone, and `postfix check` has nothing to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.listeners import (
    PARAMETERS,
    Listener,
    listeners,
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

    `planned` are parameters that main.cf is to have by then. What the running master itself listens at it may have for
    the same service, of which the file does not know any more. For another it can only share it, as later releases do.
    """
    old, new = MasterCf(before, path).effective, MasterCf(after, path).effective
    if not {service.key for service in new if service.type == "inet"} - {service.key for service in old}:
        return []
    values = {**postfix.parameters([*PARAMETERS, _QUEUE], ["-x"]), **(planned or {})}
    master, present = master_process(values.get(_QUEUE, "")), listeners(old, values)
    places = {_place(listener) for listener in present}
    return [
        TakenPort(listener.key, found.place, found.why)
        for listener in listeners(new, values)
        if _place(listener) not in places
        for found in _hindrances(listener, values)
        if not (_is_own(found, master) if _has_port(present, listener) else master in found.holders)
    ]


def refuse_taken_ports(postfix: Postfix, before: str, after: str, path: str) -> None:
    """Raises Refused if a service that is new in master.cf could not listen."""
    for taken in taken_ports(postfix, before, after, path):
        raise Refused(f"{path}: {taken.cause}; {taken.remedy}; nothing was changed")


def _hindrances(listener: Listener, values: Mapping[str, str]) -> list[Hindrance]:
    return [found for host in listener.hosts for found in hindrances(host, listener.port, protocols(values))]


def _place(listener: Listener) -> tuple[tuple[str, ...], int]:
    """What master knows a service by: smtp and 25 are one."""
    return listener.hosts, port_number(listener.port)


def _is_own(found: Hindrance, master: int) -> bool:
    """Whether master can have another socket there. In a container its sockets may not be shown to be its own."""
    return found.shared and (master in found.holders or not found.holders)


def _has_port(present: Sequence[Listener], listener: Listener) -> bool:
    return any(port_number(other.port) == port_number(listener.port) for other in present)
