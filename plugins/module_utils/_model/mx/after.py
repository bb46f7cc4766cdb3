# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host as a run would leave it: what the checks then find is why the run is refused before it changes anything."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Iterable, Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import checks_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import DOMAIN, WHOLE_HOST, Check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import ERROR, Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    join_items,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    expand,
    lookup_keys,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import unknown_host, written_value
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import DomainItem, MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.routes import Routes

_NAME = re.compile(r"\$[({]?(\w+)")


def refusals_after(
    request: MxRequest, host: HostState, main_cf: MainCfChange, overrides: Mapping[str, str], routes: Routes
) -> list[Refusal]:
    """What would be wrong with the host, and with the declared domains on it, once all of this is carried out."""
    if not request.present:
        return []
    after = host_after(host, main_cf, overrides)
    found = [finding for check in _refusing(WHOLE_HOST) for finding in check(after, HostFacts())]
    for item in request.present:
        domain = domain_after(item, after, routes)
        found += [finding for check in _refusing(DOMAIN) for finding in check(domain, after)]
    return [Refusal.from_finding(finding) for finding in found if finding.severity == ERROR]


def _refusing(subject: str) -> list[Check]:
    return [check for check in checks_of(subject) if check.refuses]


def host_after(host: HostState, main_cf: MainCfChange, overrides: Mapping[str, str]) -> HostState:
    """The host with main.cf, and the service relay/unix, as they are to be."""
    written = {**main_cf.parameters, **_lists(host, main_cf)}
    # What a plan no longer sets is empty by default.
    written.update(dict.fromkeys(main_cf.absent, ""))
    parameters = {**host.parameters, **written}
    values = {**host.values, **{name: expand(value, host.values) for name, value in written.items()}}
    for name, value in host.parameters.items():
        if name not in written and "?" not in value and written.keys() & set(_NAME.findall(value)):
            values[name] = expand(value, values)
    members = main_cf.add_items.get("relay_domains", ())
    gone = main_cf.remove_items.get("relay_domains", ())
    return replace(
        host,
        parameters=parameters,
        values=values,
        explicit={**{name: value for name, value in host.explicit.items() if name not in main_cf.absent}, **written},
        services=[
            replace(service, overrides={**service.overrides, **overrides}) if service.key == "relay/unix" else service
            for service in host.services
        ],
        relayed={
            **{name: member for name, member in host.relayed.items() if name not in gone},
            **{name: name for name in members},
        },
    )


def _lists(host: HostState, main_cf: MainCfChange) -> dict[str, str]:
    """The parameters of which members come or go, as main.cf then has them."""
    return {
        name: join_items(
            _edited(
                split_items(main_cf.parameters.get(name, written_value(host, name))),
                main_cf.add_items.get(name, ()),
                main_cf.remove_items.get(name, ()),
            )
        )
        for name in [*main_cf.add_items, *main_cf.remove_items]
    }


def _edited(members: Iterable[str], added: Iterable[str], removed: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*(member for member in members if member not in set(removed)), *added]))


def domain_after(item: DomainItem, after: HostState, routes: Routes) -> DomainEvidence:
    """What is known of a declared domain, with the transport rows as they are to be."""
    evidence = DomainEvidence(
        name=item.name,
        relayed=item.name,
        classes=after.classes.get(item.name, {}),
        answer=_answer(item, after, routes),
        relay_transport=after.value("relay_transport"),
        exchangers=after.mx.get(item.name),
        asked=item.name in after.mx,
    )
    nexthop = evidence.nexthop
    evidence.nexthop_addresses = after.host_addresses.get(nexthop, ())
    evidence.nexthop_exchangers = None if evidence.bracketed else after.mx.get(nexthop)
    evidence.nexthop_unknown = unknown_host(nexthop, not evidence.bracketed, after)
    return evidence


def _answer(item: DomainItem, after: HostState, routes: Routes) -> Capture | None:
    """What transport_maps then says for the domain's mail: see docs/domains.md on which row comes before which."""
    ours = after.transport
    capture = after.captures.get(item.name)
    if capture or ours is None:
        return capture or after.weak_captures.get(item.name)
    rows = {key: result for key, result in ours.rows.items() if key not in routes.removed} if ours.member else {}
    rows.update(routes.rows)
    own, *parents = lookup_keys(item.name, False)
    if own in rows:
        return Capture(ours.reference, own, rows[own])
    weak = after.weak_captures.get(item.name)
    key = next((key for key in [*parents, "*"] if key in rows), None)
    return weak or (Capture(ours.reference, key, rows[key]) if key else None)
