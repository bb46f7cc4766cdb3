# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secondary that is a standby: it puts strangers off while a better MX host answers, by a service that smtpd asks.

smtpd asks it at the end of its list of recipient restrictions, after all that can refuse. See SMTPD_POLICY_README.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    RECIPIENT_RESTRICTIONS,
    services_for_strangers,
    written_value,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import (
    CLASS,
    CLASSES,
    RESTRICTIONS,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange, ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.standby_files import StandbyRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import first_release, supports

CHECK = "standby"
FEATURE = "policy_attributes"


@dataclass(frozen=True)
class StandbyDecision:
    """The service that is to be, what main.cf and services are to say, and reasons against it."""

    wanted: StandbyRequest = field(default_factory=StandbyRequest)
    main_cf: MainCfChange = field(default_factory=MainCfChange)
    services: Mapping[str, ServiceChange] = field(default_factory=dict)
    refusals: Sequence[Refusal] = ()


def decide_standby(
    request: MxRequest, host: HostState, leaving: Collection[str], main_cf: MainCfChange
) -> StandbyDecision:
    """What the declared domains need; `leaving` are domains that go, `main_cf` is what else is planned of it.

    The result has all of main.cf.
    """
    wanted = _wanted(request, host, leaving)
    if not wanted.domains:
        return StandbyDecision(main_cf=_taken_back(host, main_cf), services=_services(host, False))
    present = [item.name for item in request.present if item.standby]
    if not host.installed:
        return StandbyDecision(wanted, main_cf)
    changed = _with_list(host, main_cf, _asking(_main_list(host, main_cf), host))
    changed = replace(
        changed,
        parameters={**changed.parameters, CLASS: RESTRICTIONS},
        add_items={**changed.add_items, CLASSES: [*changed.add_items.get(CLASSES, ()), CLASS]},
    )
    refusals = _against(present[0], host, main_cf) if present else []
    return StandbyDecision(wanted, changed, _services(host, True), refusals)


def _wanted(request: MxRequest, host: HostState, leaving: Collection[str]) -> StandbyRequest:
    """The domains of this request, and those that the service has already and nobody takes from it."""
    declared = {item.name for item in request.items}
    staying = [
        name for name in host.standby.domains if name not in declared and name not in leaving and name in host.relayed
    ]
    ours = [item for item in request.present if item.standby]
    if not ours and not staying:
        return StandbyRequest()
    wide = [item.name for item in ours if item.subdomains]
    wide += [name for name in staying if name in host.standby.subdomains]
    own = [host.value("myhostname"), host.full_name, *split_items(host.value("proxy_interfaces"))]
    return StandbyRequest(
        tuple(sorted({*(item.name for item in ours), *staying})),
        tuple(sorted(wide)),
        tuple(sorted({name.rstrip(".").lower() for name in own if name})),
        host.value("myhostname") or host.full_name,
    )


def _main_list(host: HostState, main_cf: MainCfChange) -> str:
    """The recipient restrictions of main.cf as they are otherwise to be."""
    if RECIPIENT_RESTRICTIONS in main_cf.absent:
        return ""
    return main_cf.parameters.get(RECIPIENT_RESTRICTIONS, written_value(host, RECIPIENT_RESTRICTIONS))


def _with_list(host: HostState, main_cf: MainCfChange, value: str) -> MainCfChange:
    """What is planned of main.cf, with that value of its recipient restrictions."""
    parameters = {name: text for name, text in main_cf.parameters.items() if name != RECIPIENT_RESTRICTIONS}
    absent = [name for name in main_cf.absent if name != RECIPIENT_RESTRICTIONS]
    if value:
        changed = value != written_value(host, RECIPIENT_RESTRICTIONS)
        return replace(
            main_cf, parameters={**parameters, **({RECIPIENT_RESTRICTIONS: value} if changed else {})}, absent=absent
        )
    gone = RECIPIENT_RESTRICTIONS in host.explicit
    return replace(main_cf, parameters=parameters, absent=[*absent, *([RECIPIENT_RESTRICTIONS] if gone else ())])


def _asking(value: str, host: HostState) -> str:
    """The list with our class at its end, where nothing else comes that own clients could be asked."""
    others = restrictions.without_check(value, CLASS)
    as_written, asking = (restrictions.with_last(members, CLASS) for members in (others, _expanded(others, host)))
    # A `$name` stays unless the end of the list is in what it stands for.
    return as_written if split_items(_expanded(as_written, host)) == split_items(asking) else asking


def _expanded(value: str, host: HostState) -> str:
    """The members of a list are known only without a `$name`."""
    return expand(value, host.values) if "$" in value else value


def _taken_back(host: HostState, main_cf: MainCfChange) -> MainCfChange:
    """main.cf without what standby needs, if it has any of that."""
    if CLASS not in split_items(host.value(CLASSES)) and CLASS not in host.explicit:
        return main_cf
    before = _main_list(host, main_cf)
    after = restrictions.without_check(before, CLASS)
    changed = _with_list(host, main_cf, after) if after != before else main_cf
    return replace(
        changed,
        absent=[*changed.absent, CLASS],
        remove_items={**changed.remove_items, CLASSES: [*changed.remove_items.get(CLASSES, ()), CLASS]},
    )


def _services(host: HostState, asks: bool) -> dict[str, ServiceChange]:
    """The services with recipient restrictions of their own, as they are to be."""
    found = {}
    for service in services_for_strangers(host) if asks else host.services:
        own = service.overrides.get(RECIPIENT_RESTRICTIONS)
        if own is None:
            continue
        after = _asking(own, host) if asks else restrictions.without_check(own, CLASS)
        if after != own:
            found[service.key] = ServiceChange({RECIPIENT_RESTRICTIONS: after})
    return found


def _against(name: str, host: HostState, main_cf: MainCfChange) -> list[Refusal]:
    """What keeps this host from being a standby; `name` is a domain that asks for it."""
    if not host.standby.supervised:
        cause = "this host is not run by systemd, which is to run the service that a standby needs"
        return [Refusal(name, CHECK, cause, "leave standby out")]
    if host.standby.confined:
        cause = "SELinux is enforcing on this host, and its policy lets smtpd ask no service of a standby"
        return [Refusal(name, CHECK, cause, "leave standby out")]
    if not supports(host.version, FEATURE):
        cause = f"Postfix before {first_release(FEATURE)} refuses mail while a policy service has a fault"
        return [Refusal(name, CHECK, cause, "leave standby out, or use a later Postfix")]
    lists = {RECIPIENT_RESTRICTIONS: _main_list(host, main_cf)}
    for service in services_for_strangers(host):
        if RECIPIENT_RESTRICTIONS in service.overrides:
            lists[f"{RECIPIENT_RESTRICTIONS} of {service.key}"] = service.overrides[RECIPIENT_RESTRICTIONS]
    return [
        Refusal(
            name,
            CHECK,
            f"{place} does not permit your own networks before it ends in {end}, so they would be put off as strangers",
            f"put permit_mynetworks before {end} in {place}",
        )
        for place, value in lists.items()
        for end in [restrictions.end_of(_expanded(value, host))]
        if end not in ("", "permit") and "permit_mynetworks" not in restrictions.names(_expanded(value, host))
    ]
