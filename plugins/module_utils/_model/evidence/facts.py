# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the evidence about a host means, whoever asks: the planner or the findings."""

from __future__ import annotations

from typing import Iterable, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand, references
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, MxRecord

# Members of master_service_disable without which smtpd does not listen.
NO_SMTP = frozenset({"inet", "smtp.inet", "smtp/inet"})
LOOPBACK = frozenset({"loopback-only", "localhost", "127.0.0.1", "::1", "[::1]"})
RELAY_RESTRICTIONS = "smtpd_relay_restrictions"
RECIPIENT_RESTRICTIONS = "smtpd_recipient_restrictions"


def best_exchanger(records: Sequence[MxRecord], host: HostState, proxies: Sequence[str]) -> MxRecord | None:
    """This host's own record where no other exchanger is better than it, so that relayed mail has nowhere to go."""
    own = [record for record in records if host.is_self(record.host, record.addresses, proxies)]
    if not own:
        return None
    best = min(record.preference for record in own)
    others = [record for record in records if record not in own]
    if any(record.preference < best for record in others):
        return None
    return min(own, key=lambda record: record.preference)


def best_other_exchanger(records: Sequence[MxRecord], host: HostState) -> str:
    """The name of the first of these records that does not name this host, "" if there is none."""
    others = (record.host for record in records if not host.is_self(record.host, record.addresses, ()))
    return next(others, "")


def unknown_host(name: str, mx_lookup: bool, host: HostState) -> bool:
    """Whether DNS answered, and what it said leaves mail for this nexthop nowhere to go."""
    if not name or host.host_addresses.get(name) or name not in host.mx:
        return False
    return not (mx_lookup and host.mx[name])


def effective(host: HostState, service: Service, name: str) -> str:
    """The value by which a service of master.cf goes, expanded: its overrides count, also through a $name.

    Text that cannot be expanded here, such as `${name?value}` of an overridden name, stays as it is.
    """
    if not service.overrides:
        return host.value(name)
    affected = {other: host.parameters[other] for other in depending_on(service.overrides, host.parameters)}
    written = {**host.values, **affected, **service.overrides}
    return expand(written.get(name, ""), written)


def depending_on(names: Iterable[str], parameters: Mapping[str, str]) -> set[str]:
    """The parameters that refer to one of `names`, directly or through others."""
    referring = {name: set(references(value)) for name, value in parameters.items() if "$" in value}
    found: set[str] = set()
    changed = set(names)
    while changed:
        changed = {name for name, named in referring.items() if named & changed} - found
        found |= changed
    return found


def written_value(host: HostState, name: str) -> str:
    """The value as main.cf has it, else the effective default."""
    return host.explicit.get(name, host.value(name))
