# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that its mail host refuses for good and that is tried again all the same, by a relay service of its own.

That service turns the refusal into one for now. Who asks the mail host whether it knows a recipient must hear what it
says, and so goes by the relay service. See postconf(5), smtp_delivery_status_filter and address_verify_transport_maps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    join_items,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import (
    DEFAULT,
    as_request,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import ABSENT
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refused_mail import RETRYING
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    RELAY,
    STATUS_FILTER,
    find_relay_service,
    parameter_of,
    sending_service,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange, ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import DomainItem, MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import first_release, supports

CHECK = "refused_mail_retry"
# A final refusal becomes one for now, its reason stays.
FOR_NOW = {r"/^5(\.[0-9]+\.[0-9]+ .*)$/": "4$1"}
PROBES_GO_BY = "address_verify_transport_maps"
_STAYS = f"the service {RETRYING}/unix stays for mail that is on its way; the next run removes it"
# What main.cf asks of deliveries by the relay service, it asks of these.
_LIMITS = ("destination_concurrency_limit", "destination_rate_delay", "destination_recipient_limit")


@dataclass(frozen=True)
class RefusedRetry:
    """Rows of the filter and of the transports for probes to have and to remove, and what goes with them."""

    filters: Mapping[str, str] = field(default_factory=dict)
    filters_removed: Sequence[str] = ()
    probes: Mapping[str, str] = field(default_factory=dict)
    probes_removed: Sequence[str] = ()
    main_cf: MainCfChange = field(default_factory=MainCfChange)
    services: Mapping[str, ServiceChange] = field(default_factory=dict)
    notes: Sequence[str] = ()
    refusals: Sequence[Refusal] = ()


def refused_retry(
    request: MxRequest,
    host: HostState,
    leaving: Sequence[str],
    overrides: Mapping[str, str | None],
    parameters: Mapping[str, str],
    routes: Mapping[str, str],
) -> RefusedRetry:
    """What the declared domains need; `leaving` are names of domains that go.

    `overrides` are those that the relay service gets in this run, `parameters` what main.cf does, and `routes` the rows
    that the transport table does.
    """
    retried = [item for item in request.present if item.refused_mail_retry]
    present = host.probes.rows if host.probes else {}
    rows = {pattern: _unfiltered(item) for item in retried for pattern in item.patterns}
    declared = {name for item in request.items for name in (item.name, "." + item.name)}
    gone = declared.union(leaving, ("." + name for name in leaving))
    removed = [pattern for pattern in present if pattern in gone and pattern not in rows]
    if rows:
        if not supports(host.version, CHECK):
            return RefusedRetry(refusals=[_too_old(item) for item in retried])
        given = {*host.explicit, *parameters}
        limits = {name: value for name, value in _ours().items() if value.lstrip("$") in given}
        asked = {name: value for name, value in limits.items() if host.explicit.get(name) != value}
        # What such a value refers to would be nothing.
        stale = [name for name, value in _ours().items() if name not in limits and host.explicit.get(name) == value]
        main_cf = MainCfChange({**asked, **_probes_first(host)}, stale)
        return RefusedRetry(FOR_NOW, [], rows, removed, main_cf, _service(host, overrides))
    if set(present).difference(removed) or host.filters is None:
        return RefusedRetry(probes_removed=removed)
    if host.probes and host.probes.member and not host.probes.exists:
        return RefusedRetry()
    if _still_routed(host, routes):
        return RefusedRetry(probes_removed=removed, notes=[_STAYS])
    removed_filters = [row for row in FOR_NOW if row in host.filters.rows]
    absent = [name for name, value in _ours().items() if host.explicit.get(name) == value]
    main_cf = MainCfChange(absent=absent).joined(_probes_as_others(host))
    service = sending_service(host, RETRYING)
    known = service is not None and service.overrides.get(STATUS_FILTER) == host.filters.reference
    services = {f"{RETRYING}/unix": ServiceChange(state=ABSENT)} if known else {}
    return RefusedRetry({}, removed_filters, {}, removed, main_cf, services)


def _still_routed(host: HostState, routes: Mapping[str, str]) -> bool:
    """Whether mail that is on its way may still go by the service: rows go at the end of a run, or with a later one."""
    rows = {**(host.transport.rows if host.transport else {}), **routes}
    return any(result.partition(":")[0] == RETRYING for result in rows.values())


def _ours() -> dict[str, str]:
    """The limits of the service, each with the one of the relay service that it follows."""
    return {f"{RETRYING}_{limit}": f"$relay_{limit}" for limit in _LIMITS}


def _unfiltered(item: DomainItem) -> str:
    """The way of the domain's mail by the relay service itself."""
    return f"{RELAY}:{item.result.partition(':')[2] if item.result else ''}"


def _too_old(item: DomainItem) -> Refusal:
    return Refusal(
        item.name,
        CHECK,
        f"Postfix before {first_release(CHECK)} has no {STATUS_FILTER}",
        "leave refused_mail_retry out, or use a later Postfix",
    )


def _service(host: HostState, overrides: Mapping[str, str | None]) -> dict[str, ServiceChange]:
    """A service like the relay service as it is to be, but for the filter."""
    relay = find_relay_service(host)
    if relay is None or host.filters is None:
        return {}
    there = sending_service(host, RETRYING)
    alike = {**relay.overrides, **overrides, parameter_of(relay, STATUS_FILTER): host.filters.reference}
    unlike = dict.fromkeys(name for name in (there.overrides if there else ()) if name not in alike)
    like = as_request(relay)
    change = ServiceChange(
        {**alike, **unlike},
        "" if there else relay.command,
        like.private,
        like.chroot,
        "" if relay.process_limit == DEFAULT else relay.process_limit,
    )
    return {f"{RETRYING}/unix": change}


def _probes_first(host: HostState) -> dict[str, str]:
    """Probes go by our table before any other. Of the same table in another type the place is taken."""
    if host.probes is None:
        return {}
    members = _others(host)
    if _members(host) == [host.probes.reference, *members]:
        return {}
    return {PROBES_GO_BY: join_items([host.probes.reference, *members])}


def _probes_as_others(host: HostState) -> MainCfChange:
    members = _others(host)
    if host.probes is None or members == _members(host):
        return MainCfChange()
    if members in ([], ["$transport_maps"]):
        return MainCfChange(absent=[PROBES_GO_BY])
    return MainCfChange({PROBES_GO_BY: join_items(members)})


def _others(host: HostState) -> list[str]:
    """By what probes go beside our table."""
    ours = {host.probes.reference, *host.probes.replaces} if host.probes else set()
    return [member for member in _members(host) if member not in ours]


def _members(host: HostState) -> list[str]:
    return split_items(host.explicit.get(PROBES_GO_BY, "$transport_maps"))
