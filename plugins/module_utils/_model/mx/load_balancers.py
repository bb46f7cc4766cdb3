# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A port for load balancers, which say by the PROXY protocol whose connections they pass on.

smtpd believes whoever comes to that port, and sees no other address than the one that it is told. So nothing is granted
there by a client's address: the service has no networks of its own clients, and relays for nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.admission import ETRN_RESTRICTIONS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service, as_request
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import ABSENT
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    RELAY_RESTRICTIONS,
    is_loopback,
    port_of,
    program,
    service_named,
    stranger_services,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import services_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.front_door import (
    LoadBalancers,
    read_load_balancers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import first_release, supports

CHECK = "load_balancers"
_FEATURE = "proxy_protocol"
# By what a client says of its address it gets nothing.
OURS = {"smtpd_upstream_proxy_protocol": "haproxy", "mynetworks": "", RELAY_RESTRICTIONS: "reject_unauth_destination"}
# Where some clients alone may ask for a domain's queue.
_NO_ETRN = "reject"
# By these it could say more, and be taken for somebody else again.
_MORE_CLAIMS = ("smtpd_authorized_xclient_hosts", "smtpd_authorized_xforward_hosts")


@dataclass(frozen=True)
class BalancerPlan:
    """What services are to be, all that are planned among them, and reasons against it."""

    services: Mapping[str, ServiceChange]
    notes: Sequence[str] = ()
    refusals: Sequence[Refusal] = ()


@dataclass(frozen=True)
class _Place:
    """The service as master.cf is to name it, and those of ours that are at its port already."""

    name: str
    ours: Sequence[Service] = field(default_factory=tuple)

    @property
    def key(self) -> str:
        return f"{self.name}/inet"

    @property
    def there(self) -> bool:
        return self.key in [service.key for service in self.ours]


def load_balancers(
    request: MxRequest, host: HostState, planned: Mapping[str, ServiceChange], kept: bool
) -> BalancerPlan:
    """The services that are `planned`, with what the setting asks of a host with Postfix.

    `kept`: some clients alone may ask for a domain's queue.
    """
    wanted = read_load_balancers(request.settings[CHECK])
    if wanted is None or not host.installed:
        return BalancerPlan(planned)
    place = _place(wanted, host)
    if not wanted.addresses:
        return BalancerPlan({**planned, **{service.key: ServiceChange(state=ABSENT) for service in place.ours}})
    if not request.present:
        return BalancerPlan(planned)
    # As a run leaves them, with or without postscreen before them.
    then = replace(host, services=services_after(host.services, planned))
    models = [service for service in stranger_services(then) if service.key != place.key and not _is_ours(service)]
    refusals = _against(place, models, host)
    if refusals:
        return BalancerPlan(planned, refusals=refusals)
    others = {service.key: ServiceChange(state=ABSENT) for service in place.ours if service.key != place.key}
    own = planned.get(place.key, ServiceChange()).overrides
    services = {**planned, **others, place.key: _service(place, models[0], then, own, kept)}
    return BalancerPlan(services, [] if place.there else [_note(place, wanted)])


def _place(wanted: LoadBalancers, host: HostState) -> _Place:
    """Balancers on this host itself come to a port that nobody else reaches."""
    here = wanted.addresses and all(map(is_loopback, wanted.addresses))
    address = next((address for address in wanted.addresses if here), "")
    front = f"[{address}]:" if ":" in address else f"{address}:" if address else ""
    ours = [service for service in host.services if _is_ours(service) and port_of(service) == str(wanted.port)]
    return _Place(f"{front}{wanted.port}", ours)


def _is_ours(service: Service) -> bool:
    return service.type == "inet" and all(service.overrides.get(name) == value for name, value in OURS.items())


def _against(place: _Place, models: Sequence[Service], host: HostState) -> list[Refusal]:
    theirs = service_named(host.services, place.key)
    if not supports(host.version, _FEATURE):
        cause = f"smtpd of Postfix before {first_release(_FEATURE)} does not know the PROXY protocol"
        return [Refusal("", CHECK, cause, "leave the setting out, or use a later Postfix")]
    if theirs is not None and theirs not in place.ours:
        cause = f"master.cf already has a service {place.key}, which runs {program(theirs)}"
        return [Refusal("", CHECK, cause, "give another port, or remove that service")]
    if not models:
        cause = "master.cf has no smtpd that takes mail from strangers, like which the balancers' would be"
        return [Refusal("", CHECK, cause, "add the service smtp, type inet, command smtpd")]
    return []


def _service(
    place: _Place, model: Service, host: HostState, own: Mapping[str, str | None], kept: bool
) -> ServiceChange:
    """The service like the one that strangers come to, with what our own clients get there left out.

    `own` is what else is planned for it.
    """
    claims = {name: "" for name in _MORE_CLAIMS if host.value(name) or name in model.overrides}
    fields = as_request(model)
    return ServiceChange(
        {**own, **model.overrides, **OURS, **claims, **_etrn(place, model, kept)},
        command="" if place.there else model.command,
        private=False,
        chroot=fields.chroot,
        process_limit=model.process_limit if model.type == "inet" and model.process_limit != "-" else "",
    )


def _etrn(place: _Place, model: Service, kept: bool) -> dict[str, str | None]:
    """The override by which nobody gets a domain's queue there by the address that he says, or that goes again."""
    if kept:
        return {ETRN_RESTRICTIONS: _NO_ETRN}
    there = any(service.overrides.get(ETRN_RESTRICTIONS) == _NO_ETRN for service in place.ours)
    return {ETRN_RESTRICTIONS: None} if there and ETRN_RESTRICTIONS not in model.overrides else {}


def _note(place: _Place, wanted: LoadBalancers) -> str:
    who = ", ".join(wanted.addresses)
    return (
        f"{place.key} believes whoever reaches it about the client's address; let a firewall keep all but {who} "
        f"from port {wanted.port}"
    )
