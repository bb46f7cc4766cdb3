# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ETRN for a domain from its mail host alone: for some domains only, by a class in front of who else may use ETRN."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.admission import ETRN_RESTRICTIONS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import lookup_keys
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.etrn import (
    CLASS,
    CLASSES,
    FLUSHED,
    NOBODYS,
    clients_class,
    etrn_class,
    etrn_clients,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    services_for_strangers,
    takes_proxy_protocol,
    written_value,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.membership import PARENTS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange, ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import DomainItem, MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import first_release, supports

CHECK = "etrn"
_TABLES = "inline_tables"
_NETWORKS = "inline_patterns"
Clients = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class EtrnDecision:
    """All of what main.cf is to say, what services are to, and reasons against it.

    `kept`: some clients alone may then ask for a domain's queue.
    """

    main_cf: MainCfChange
    services: Mapping[str, ServiceChange] = field(default_factory=dict)
    refusals: Sequence[Refusal] = ()
    kept: bool = False


def decide_etrn(request: MxRequest, host: HostState, leaving: Collection[str], main_cf: MainCfChange) -> EtrnDecision:
    """What the declared domains need; `leaving` are domains that go, `main_cf` is what else is planned of it."""
    asking = [item for item in request.present if item.etrn_from]
    clients = _clients(request, host, leaving)
    refusals = [refusal for item in asking for refusal in _against(item, host)]
    if refusals or not (clients or _ours(host)):
        return EtrnDecision(main_cf, refusals=refusals)
    classes = _classes(request, host, clients) if clients else {}
    return EtrnDecision(_main_cf(host, main_cf, classes), _services(host, bool(clients)), kept=bool(clients))


def _clients(request: MxRequest, host: HostState, leaving: Collection[str]) -> Clients:
    """The domains of this request, and those that main.cf has already and nobody takes from it, with their clients."""
    declared = {item.name for item in request.items}
    staying = {
        name: clients
        for name, clients in etrn_clients(host).items()
        if name not in declared and name not in leaving and name in host.relayed
    }
    found = {**staying, **{item.name: item.etrn_from for item in request.present if item.etrn_from}}
    # ETRN takes no other form of a name (smtpd answers 501).
    return {name: found[name] for name in sorted(found) if name.isascii()}


def _ours(host: HostState) -> list[str]:
    """The classes of ours that main.cf has."""
    named = [*host.explicit, *split_items(host.value(CLASSES))]
    return [name for name in dict.fromkeys(named) if name == CLASS or name.startswith(CLASS + "_")]


def _classes(request: MxRequest, host: HostState, clients: Clients) -> dict[str, str]:
    """Our classes by name: that which smtpd asks first, and one of each set of clients."""
    sets = list(dict.fromkeys(map(tuple, clients.values())))
    names = {several: f"{CLASS}_{number}" for number, several in enumerate(sets, 1)}
    rows = {name: names[tuple(several)] for name, several in clients.items()}
    others = {item.name for item in request.present}.union(name.lstrip(".") for name in host.relayed) - rows.keys()
    below = [name for name in sorted(others) if any(key in rows for key in lookup_keys(name, True))]
    rows.update(dict.fromkeys(below, NOBODYS))
    if "smtpd_access_maps" not in split_items(host.value(PARENTS)):
        rows = {**rows, **{f".{name}": result for name, result in rows.items()}}
    patterns = supports(host.version, _NETWORKS)
    return {CLASS: etrn_class(rows), **{names[several]: clients_class(several, patterns) for several in sets}}


def _main_cf(host: HostState, main_cf: MainCfChange, classes: Mapping[str, str]) -> MainCfChange:
    """What is planned of main.cf, with these classes and no others of ours."""
    written = written_value(host, ETRN_RESTRICTIONS)
    after = _asking(main_cf.parameters.get(ETRN_RESTRICTIONS, written), bool(classes))
    gone = [name for name in _ours(host) if name not in classes]
    parameters = {**main_cf.parameters, **classes}
    if after != written or ETRN_RESTRICTIONS in parameters:
        parameters[ETRN_RESTRICTIONS] = after
    added = [*main_cf.add_items.get(CLASSES, ()), *classes]
    removed = [*main_cf.remove_items.get(CLASSES, ()), *gone]
    absent = [name for name in gone if name in host.explicit]
    return replace(
        main_cf,
        parameters=parameters,
        absent=[*main_cf.absent, *absent],
        add_items=_with(main_cf.add_items, added),
        remove_items=_with(main_cf.remove_items, removed),
    )


def _with(items: Mapping[str, list[str]], members: list[str]) -> dict[str, list[str]]:
    """The members of lists that come or go, with these of the list of classes."""
    others = {name: several for name, several in items.items() if name != CLASSES}
    return {**others, CLASSES: members} if members else others


def _asking(value: str, asks: bool) -> str:
    """The list with our class in front, or without it; the rest is as it was written."""
    members = split_items(value)
    if members[:1] == [CLASS]:
        value = value.lstrip()[len(CLASS) :].lstrip(", \t\n")
    return ", ".join([CLASS, *([value] if value else [])]) if asks else value


def _services(host: HostState, asks: bool) -> dict[str, ServiceChange]:
    """The services with a list of their own, as they are to be. What a balancer says of an address is worth nothing."""
    found = {}
    for service in services_for_strangers(host) if asks else host.services:
        own = service.overrides.get(ETRN_RESTRICTIONS)
        if own is not None and _asking(own, asks) != own and not takes_proxy_protocol(host, service):
            found[service.key] = ServiceChange({ETRN_RESTRICTIONS: _asking(own, asks)})
    return found


def _against(item: DomainItem, host: HostState) -> list[Refusal]:
    """What keeps this host from doing what the domain asks for."""
    if not supports(host.version, _TABLES):
        cause = f"Postfix before {first_release(_TABLES)} has no inline tables, by which etrn_from holds"
        return [Refusal(item.name, CHECK, cause, "leave etrn_from out, or use a later Postfix")]
    wide = [client for client in item.etrn_from if ":" in client and "/" in client]
    if wide and not supports(host.version, _NETWORKS):
        cause = f"Postfix before {first_release(_NETWORKS)} takes no IPv6 network ({wide[0]}) in etrn_from"
        return [Refusal(item.name, CHECK, cause, "give addresses instead, or use a later Postfix")]
    if not _is_flushed(item.name, host):
        cause = f"{FLUSHED} does not have it, so smtpd answers 459 whoever asks for its queue"
        return [Refusal(item.name, CHECK, cause, f"remove {FLUSHED} from main.cf, or add $relay_domains to it")]
    return []


def _is_flushed(name: str, host: HostState) -> bool:
    """Whether the flush service keeps a list of the domain's mail, as far as main.cf itself tells."""
    if FLUSHED not in host.explicit:
        return True
    members = split_items(host.explicit[FLUSHED])
    keys = lookup_keys(name, True)
    return any(set("$/:").intersection(member) or member.lower() in keys for member in members)
