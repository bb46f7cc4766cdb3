# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the evidence about a host means, whoever asks: the planner or the findings."""

from __future__ import annotations

from typing import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, MxRecord

# Members of master_service_disable without which smtpd does not listen.
NO_SMTP = frozenset({"inet", "smtp.inet", "smtp/inet"})
LOOPBACK = frozenset({"loopback-only", "localhost", "127.0.0.1", "::1", "[::1]"})
RELAY_RESTRICTIONS = "smtpd_relay_restrictions"
RECIPIENT_RESTRICTIONS = "smtpd_recipient_restrictions"


def best_exchanger(records: Sequence[MxRecord], host: HostState, proxies: Sequence[str]) -> MxRecord | None:
    """This host's own record where no other exchanger is better than it, so that relayed mail has nowhere to go."""
    own = [one for one in records if host.is_self(one.host, one.addresses, proxies)]
    if not own:
        return None
    best = min(one.preference for one in own)
    others = [one for one in records if one not in own]
    return None if any(one.preference < best for one in others) else min(own, key=lambda one: one.preference)


def unknown_host(name: str, mx_lookup: bool, host: HostState) -> bool:
    """Whether DNS answered, and what it said leaves mail for this nexthop nowhere to go."""
    if not name or host.host_addresses.get(name) or name not in host.mx:
        return False
    return not (mx_lookup and host.mx[name])


def open_services(relay: str, recipient: str, host: HostState) -> list[Service]:
    """SMTP services whose own overrides let a stranger relay; `relay` and `recipient` are main.cf's lists."""
    found = []
    for service in host.services:
        overridden = {RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS} & set(service.overrides)
        lists = [
            expand(service.overrides.get(RELAY_RESTRICTIONS, relay), host.values),
            expand(service.overrides.get(RECIPIENT_RESTRICTIONS, recipient), host.values),
        ]
        closed = restrictions.CLOSED in [restrictions.verdict(one, host.permitting) for one in lists]
        if overridden and not closed and faces_strangers(service):
            found.append(service)
    return found


def overrides_for_strangers(host: HostState, parameter: str) -> list[tuple[str, str]]:
    """Where an SMTP service that strangers can reach overrides a parameter, and its value there, expanded."""
    return [
        (f"{parameter} of {service.key}", expand(service.overrides[parameter], host.values))
        for service in host.services
        if parameter in service.overrides and faces_strangers(service)
    ]


def faces_strangers(service: Service) -> bool:
    """Whether it is an SMTP server that more than this host itself can reach."""
    words = service.command.split()
    local = service.name.startswith(("127.", "localhost:", "[::1]:", "::1:"))
    return bool(words) and words[0] == "smtpd" and service.type in ("inet", "pass") and not local


def written_value(host: HostState, name: str) -> str:
    """The value as main.cf has it, else the effective default."""
    return host.explicit.get(name, host.value(name))
