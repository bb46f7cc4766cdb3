# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what a host needs for its declared relay domains, and every reason not to change it.

Follows "Configuring Postfix as primary or backup MX host for a remote site" of STANDARD_CONFIGURATION_README.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import ABSENT
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    NEW_RELAY,
    find_relay_service,
    with_relay_service,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import CLASSES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import services_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.cut_lists import cut_lists
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.etrn import decide_etrn
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.host_wide import (
    HostSettings,
    host_settings,
    overrides_to_take_back,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.leaving import Leaving, domains_that_leave
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.load_balancers import load_balancers
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.membership import (
    items_change,
    pattern_maps,
    recipient_maps,
    relay_domains,
    transport_table,
    unset_if_emptied,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import (
    RELAY_SERVICE,
    MainCfChange,
    RecipientsItem,
    ServiceChange,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.postscreen import (
    postscreen_plan,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.raised_lifetime import raised_lifetime
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_rows import (
    Recipients,
    declared_patterns,
    declared_recipients,
    needs_table,
    patterns_no_longer_wanted,
    recipients_left_at_subdomains,
    undeclared_domains,
    undeclared_recipients,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.refused_mail import refused_mail
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.refused_retry import refused_retry
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.relaying import relay_lists
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import LISTED, MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.routes import (
    Routes,
    primary_routes,
    secondary_routes,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.standby import decide_standby
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.standby_files import StandbyRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.verification import verification


@dataclass(frozen=True)
class Decision:
    """What is to be changed, whatever of it is there already. Removals of rows come after main.cf has let go.

    `waiting` are the domains whose rows must stay until then; mail for the `routed` goes by transport rows that go,
    that of the `flushed` is tried again first, and that of the `returned` goes to its senders in the end.
    """

    refusals: Sequence[Refusal] = ()
    notes: Sequence[str] = ()
    recipients: Sequence[RecipientsItem] = ()
    recipients_removed: Sequence[RecipientsItem] = ()
    routes: Routes = field(default_factory=Routes)
    # Patterns for the addresses of subdomains, where no row of an indexed table matches them.
    patterns: Mapping[str, str] = field(default_factory=dict)
    patterns_removed: Sequence[str] = ()
    verify: Mapping[str, str] = field(default_factory=dict)
    verify_removed: Sequence[str] = ()
    main_cf: MainCfChange = field(default_factory=MainCfChange)
    refused: Mapping[str, str] = field(default_factory=dict)
    refused_removed: Sequence[str] = ()
    filters: Mapping[str, str] = field(default_factory=dict)
    filters_removed: Sequence[str] = ()
    probes: Mapping[str, str] = field(default_factory=dict)
    probes_removed: Sequence[str] = ()
    standby: StandbyRequest = field(default_factory=StandbyRequest)
    # Whether the record of a raised maximal_queue_lifetime is to be forgotten.
    raise_over: bool = False
    # Of master.cf, by name and type.
    services: Mapping[str, ServiceChange] = field(default_factory=dict)
    undeclared: Sequence[str] = ()
    waiting: Sequence[str] = ()
    routed: Sequence[str] = ()
    flushed: Sequence[str] = ()
    returned: Sequence[str] = ()


def decide(request: MxRequest, host: HostState) -> Decision:
    """The decision for `request` on a host with Postfix. Without Postfix only what the values say can be decided."""
    if not host.installed:
        return _without_postfix(request, host)
    relay_command = NEW_RELAY.command if request.present and find_relay_service(host) is None else ""
    host = with_relay_service(host) if relay_command else host
    undeclared = undeclared_domains(request, host)
    leaving = domains_that_leave(request, host, undeclared)
    declared = declared_recipients(request, host)
    tabled = needs_table(request, host, declared.items)
    removed = bool(request.settings["remove_undeclared"])
    staying = [name for name in undeclared if not (removed and host.relayed[name] == name)]
    others = undeclared_recipients(request, host, staying) if tabled else Recipients()
    primary = primary_routes(request, host)
    secondary = secondary_routes(request, host, primary, leaving.transport)
    routes = Routes(
        {**primary.rows, **secondary.rows},
        [*primary.removed, *leaving.transport, *secondary.removed],
        [*primary.notes, *secondary.notes],
    )
    patterns = {**(others.patterns or {}), **(declared_patterns(request, host) if host.subdomains else {})}
    patterns_removed = [*leaving.patterns, *patterns_no_longer_wanted(request, host, patterns)]
    left = recipients_left_at_subdomains(request, host)
    verified = verification(request, host, leaving.verify)
    screen = postscreen_plan(request, host)
    # What else is set for the server of strangers is set where that then is.
    screened = replace(host, services=services_after(host.services, screen.services))
    refused = refused_mail(request, screened, leaving.reports)
    members = relay_domains(request, host, leaving, routes.removed)
    maps = recipient_maps(request, host, tabled)
    settings = host_settings(request, host) if request.present else HostSettings()

    main_cf = members.main_cf.joined(maps.main_cf)
    main_cf = main_cf.joined(pattern_maps(request, host, patterns, patterns_removed))
    main_cf = main_cf.joined(transport_table(host, bool(routes.rows)))
    main_cf = main_cf.joined(verified.main_cf)
    overrides = settings.overrides or _no_longer_needed(request, host, leaving)
    retried = refused_retry(request, host, leaving.names, overrides, settings.parameters, routes.rows)
    main_cf = main_cf.joined(retried.main_cf)
    lists = relay_lists(request, host, main_cf.parameters, verified.check)
    if request.present:
        main_cf = main_cf.joined(MainCfChange(lists.parameters))
        main_cf = main_cf.joined(MainCfChange(settings.parameters, add_items=settings.items))
    stands = decide_standby(request, screened, leaving.names, main_cf)
    asked = decide_etrn(request, screened, leaving.names, stands.main_cf)
    services = joined_services(
        _relay_service(overrides, relay_command),
        screen.services,
        refused.services,
        retried.services,
        stands.services,
        asked.services,
    )
    balanced = load_balancers(request, host, services, asked.kept)
    unset = unset_if_emptied(CLASSES, host, asked.main_cf)
    raised = raised_lifetime(host, unset_if_emptied("transport_maps", host, unset))

    refusals = [
        *request.refusals,
        *declared.refusals,
        *cut_lists(request, host),
        *_captured(request, host),
        *others.refusals,
        *leaving.refusals,
        *members.refusals,
        *maps.refusals,
        *verified.refusals,
        *screen.refusals,
        *refused.refusals,
        *retried.refusals,
        *stands.refusals,
        *asked.refusals,
        *(lists.refusals if request.present else ()),
        *settings.refusals,
        *balanced.refusals,
    ]
    return Decision(
        refusals=refusals,
        notes=[
            *routes.notes,
            *leaving.notes,
            *declared.notes,
            *others.notes,
            *maps.notes,
            *screen.notes,
            *refused.notes,
            *retried.notes,
            *balanced.notes,
            *raised.notes,
            *_neighbours(host, raised.main_cf),
        ],
        recipients=[*declared.items, *others.items],
        recipients_removed=[
            *leaving.recipients,
            *(RecipientsItem(name=name, policy=LISTED, state=ABSENT, changed=True) for name in left),
        ],
        routes=routes,
        patterns=patterns,
        patterns_removed=patterns_removed,
        verify=verified.rows,
        verify_removed=verified.removed,
        main_cf=raised.main_cf,
        raise_over=raised.over,
        refused=refused.rows,
        refused_removed=refused.removed,
        filters=retried.filters,
        filters_removed=retried.filters_removed,
        probes=retried.probes,
        probes_removed=retried.probes_removed,
        standby=stands.wanted,
        services=balanced.services,
        undeclared=undeclared,
        waiting=[*leaving.names, *left],
        routed=leaving.routed,
        flushed=leaving.flushed,
        returned=leaving.returned,
    )


def _neighbours(host: HostState, main_cf: MainCfChange) -> list[str]:
    """What is to be said of the tables of others that main.cf from now on names one of ours beside."""
    tables = {"transport_maps": host.transport, "relay_recipient_maps": host.recipients}
    return [
        note
        for parameter, table in tables.items()
        if table and table.reference in main_cf.add_items.get(parameter, ())
        for note in table.beside
    ]


def _no_longer_needed(request: MxRequest, host: HostState, leaving: Leaving) -> dict[str, None]:
    """Our overrides of the relay service, once this run leaves no domain relayed."""
    gone = {*leaving.relay_domains, *leaving.names}
    left = [name for name in host.relayed if name not in gone and "mydestination" not in host.classes.get(name, {})]
    if request.present or not request.absent or left or leaving.queued or host.unlisted_relay_members:
        return {}
    return overrides_to_take_back(request, host)


def _without_postfix(request: MxRequest, host: HostState) -> Decision:
    declared = declared_recipients(request, host)
    settings = host_settings(request, host) if request.present else HostSettings()
    stands = decide_standby(request, host, (), MainCfChange())
    members = items_change({"relay_domains": [item.name for item in request.present]}, {})
    return Decision(
        refusals=[*request.refusals, *declared.refusals, *settings.refusals],
        notes=declared.notes,
        recipients=declared.items,
        routes=primary_routes(request, host),
        main_cf=members.joined(MainCfChange(settings.parameters)),
        services=_relay_service(settings.overrides),
        standby=stands.wanted,
    )


def _relay_service(overrides: Mapping[str, str | None], command: str = "") -> dict[str, ServiceChange]:
    return {RELAY_SERVICE: ServiceChange(overrides, command)} if overrides or command else {}


def joined_services(*parts: Mapping[str, ServiceChange]) -> dict[str, ServiceChange]:
    """What all parts make of the services; of one that several change, with the overrides of each."""
    found: dict[str, ServiceChange] = {}
    for part in parts:
        for key, change in part.items():
            before = found.get(key)
            found[key] = replace(before, overrides={**before.overrides, **change.overrides}) if before else change
    return found


def _captured(request: MxRequest, host: HostState) -> list[Refusal]:
    """Another map that sends the mail elsewhere than to the declared mail host, whatever rows we add."""
    return [
        Refusal(
            item.name,
            "captured",
            f"{capture.member} in transport_maps answers {capture.result} for {capture.key} "
            "before this role's table is asked",
            # Postfix asks all members for the whole address before it asks any for the domain.
            (
                "leave the domain out of that entry"
                if capture.key.startswith("any address")
                else "remove that entry, or put the member after this role's table"
            ),
        )
        for item in request.present
        for capture in [host.captures.get(item.name)]
        if capture
    ]
