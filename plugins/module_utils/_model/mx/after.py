# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host as a run would leave it: what the checks then find is why the run is refused before it changes anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.accepted import accept
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import checks_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    DOMAIN,
    TABLE,
    WHOLE_HOST,
    Check,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import ERROR, LOCAL, Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    join_items,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import (
    Service,
    new_service,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    lookup_keys,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import CertificateEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import (
    ABSENT,
    DomainEvidence,
    each_hop,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    has_other_maps,
    service_named,
    unknown_host,
    values_with,
    written_value,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, DomainRows, HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import with_relay_service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts, TableEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange, ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.refused_mail import reports_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    ANY,
    EXTERNAL,
    KEPT,
    VERIFY,
    DomainItem,
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.routes import Routes


def refusals_after(
    request: MxRequest,
    host: HostState,
    tables: Sequence[TableEvidence],
    routes: Routes,
    judged: bool,
    refused: Collection[str] = (),
) -> list[Refusal]:
    """What would be wrong with the host, and with the declared domains on it, once a run has left it as `host` is.

    These are the errors of the checks that are about this host alone. `judged`: the run ends with them, so one that
    finds Postfix not running, and may not start it, does not begin. `refused` are domains of which it is known already
    that they can't be relayed so.
    """
    if not request.present:
        return []
    # Of the certificate the setting that names it was judged, and what is shown now ends with the run.
    after = replace(host, reports=reports_after(request, host), certificates=CertificateEvidence())
    after = _served(request, after, judged)
    facts = HostFacts(unproven=str(request.settings["unproven"]))
    found = [finding for check in _local(WHOLE_HOST) for finding in check(after, facts)]
    found += [finding for table in tables for check in _local(TABLE) for finding in check(table)]
    rows, checks = rows_after(after, routes), _local(DOMAIN)
    for item in (item for item in request.present if item.name not in refused):
        domain = domain_after(item, after, rows)
        found += [finding for check in checks for finding in check(domain, after)]
    accepted = accept(dict.fromkeys(found), request.accepted, host.today)
    return [Refusal.from_finding(finding) for finding in accepted if finding.severity == ERROR]


def _local(subject: str) -> list[Check]:
    return [check for check in checks_of(subject) if check.scope == LOCAL]


def _served(request: MxRequest, host: HostState, judged: bool) -> HostState:
    """The host once its service is started or reloaded, if the run does so."""
    if request.settings["manage_service"]:
        return replace(host, service_active=True, reload_pending=False)
    return host if judged else replace(host, service_active=None)


def host_after(host: HostState, main_cf: MainCfChange, services: Mapping[str, ServiceChange]) -> HostState:
    """The host with main.cf, and these services of master.cf, as they are to be."""
    written = {**main_cf.parameters, **_lists(host, main_cf)}
    # What a plan no longer sets is empty by default.
    written.update(dict.fromkeys(main_cf.absent, ""))
    parameters = {**host.parameters, **written}
    members = main_cf.add_items.get("relay_domains", ())
    gone = set(main_cf.remove_items.get("relay_domains", ()))
    ours = ours_of(host)
    unread = {table: problem for table, problem in host.admission.unread.items() if table not in ours}
    return replace(
        host,
        admission=replace(host.admission, unread=unread),
        parameters=parameters,
        values=values_with(host, parameters, set(written)),
        explicit={name: value for name, value in {**host.explicit, **written}.items() if name not in main_cf.absent},
        services=services_after(with_relay_service(host).services, services),
        relayed={
            **{name: member for name, member in host.relayed.items() if name not in gone},
            **{name: name for name in members},
        },
    )


def services_after(services: Sequence[Service], changes: Mapping[str, ServiceChange]) -> list[Service]:
    """The services as they are to be: of one that comes only what the plan says is known."""
    renamed = {
        key: _named(services, change.renamed_from, key) for key, change in changes.items() if change.renamed_from
    }
    # What is renamed, or made in the place of that, is not what had the name before.
    gone = {*renamed, *(change.renamed_from for change in changes.values())}
    staying = [
        *(service for service in services if service.key not in gone),
        *(found for found in renamed.values() if found),
    ]
    there = {service.key for service in staying}
    new = [new_service(change.request(key)) for key, change in changes.items() if change.command and key not in there]
    return [
        replace(
            service,
            overrides=_set(service.overrides, change.overrides),
            process_limit=change.process_limit or service.process_limit,
        )
        for service in [*staying, *new]
        for change in [changes.get(service.key, ServiceChange())]
        if change.state != ABSENT
    ]


def _named(services: Sequence[Service], source: str, key: str) -> Service | None:
    """The service of the key `source` under another."""
    name, _slash, kind = key.rpartition("/")
    found = service_named(services, source)
    return replace(found, name=name, type=kind, private="n" if kind == "inet" else "-") if found else None


def _set(values: Mapping[str, str], changed: Mapping[str, str | None]) -> dict[str, str]:
    """The values with those that are changed, and without those that are None."""
    return {name: value for name, value in {**values, **changed}.items() if value is not None}


def ours_of(host: HostState) -> set[str]:
    """The tables that a run makes or mends, as main.cf and postmap name them."""
    every = (host.recipients, host.transport, host.subdomains, host.verify, host.refused, host.filters, host.probes)
    tables = [table for table in every if table]
    return {name for table in tables for name in (table.reference, table.member, *table.replaces)}


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
    gone = set(removed)
    return list(dict.fromkeys([*(member for member in members if member not in gone), *added]))


def rows_after(after: HostState, routes: Routes) -> Mapping[str, str]:
    """The rows of our transport table as they are to be."""
    ours = after.transport
    if ours is None:
        return {}
    removed = set(routes.removed)
    rows = {key: result for key, result in ours.rows.items() if key not in removed} if ours.relied_on else {}
    return {**rows, **routes.rows}


def domain_after(item: DomainItem, after: HostState, rows: Mapping[str, str]) -> DomainEvidence:
    """What is known of a declared domain, with the transport rows as they are to be."""
    evidence = DomainEvidence(
        name=item.name,
        relayed=item.name,
        recipients=_recipients(item, after),
        wildcard=_accepts_all(item, after),
        other_maps=has_other_maps(after),
        verified=item.policy == VERIFY,
        classes=after.classes.get(item.name, {}),
        answer=_answer(item, after, rows),
        relay_transport=after.value("relay_transport"),
        exchangers=after.mx.get(item.name),
        asked=item.name in after.mx,
    ).with_others()
    for hop in each_hop([evidence]):
        hop.nexthop_addresses = after.host_addresses.get(hop.nexthop, ())
        hop.nexthop_exchangers = None if hop.bracketed else after.mx.get(hop.nexthop)
        hop.nexthop_unknown = unknown_host(hop.nexthop, not hop.bracketed, after)
    return evidence


def _recipients(item: DomainItem, after: HostState) -> int:
    """How many rows of its recipients there will be, for a domain whose rows others write at least whether any."""
    rows = after.recipient_rows.get(item.name, DomainRows())
    if item.policy not in (EXTERNAL, KEPT):
        return item.listed_count
    known = item.name in after.lookups.listed or after.probed.get(item.probe_recipient or "", False)
    return rows.count or int(known or bool(item.awaits))


def _accepts_all(item: DomainItem, after: HostState) -> bool:
    """Whether every recipient of the domain is to be accepted, as far as a table lists it."""
    if item.policy == EXTERNAL:
        return after.recipient_rows.get(item.name, DomainRows()).wildcard
    return item.policy in (ANY, VERIFY)


def _answer(item: DomainItem, after: HostState, rows: Mapping[str, str]) -> Capture | None:
    """What transport_maps then says for the domain's mail: see docs/domains.md on which row comes before which."""
    ours = after.transport
    capture = after.captures.get(item.name)
    if capture or ours is None:
        return capture or after.weak_captures.get(item.name)
    own, *parents = lookup_keys(item.name, False)
    if own in rows:
        return Capture(ours.reference, own, rows[own])
    weak = after.weak_captures.get(item.name)
    key = next((key for key in [*parents, "*"] if key in rows), None)
    return weak or (Capture(ours.reference, key, rows[key]) if key else None)
