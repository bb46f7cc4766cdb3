# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_info tells: the evidence about a host's relay domains, and what it comes to. Nothing is changed."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.admission import read_admission
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.balancers import silent_services
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.bounces import seconds_to_bounces
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.canary_record import (
    outcomes_path,
    read_outcomes,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.certificates import read_trust
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.evidence import gather
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import (
    read_parameters,
    read_service,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host_files import stale_copies
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.list_drift import ask_about_lists
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.list_evidence import (
    ListsRead,
    read_list_evidence,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.logins import read_logins
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.own_certificate import read_own_certificate
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.postscreen import (
    read_postscreen,
    with_greeting,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.probe import (
    SECONDS,
    ask_mail_hosts,
    leave_people_out,
    talk_result,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reception import read_reception
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.recipients import (
    listed_samples,
    read_lookups,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import (
    is_own,
    read_classes,
    read_interfaces,
    read_relay_domains,
    relayed_names,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reports import read_reports
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.standby import ask_standby, read_standby
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.verify_cache import read_verify_cache
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.accepted import read_accepted
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import every_check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import (
    is_number,
    seconds,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import (
    ABSENT,
    DomainEvidence,
    Talk,
    each_hop,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    best_other_exchanger,
    offers_smtputf8,
    own_mail_domain,
    ports_for_strangers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lists import DriftEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import MailVolume, QueueSpace
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.recipients import (
    RECIPIENT_MAPS,
    is_verified,
    told_by,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import (
    CERTIFICATE_DAYS,
    WARN,
    HostFacts,
    TableEvidence,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings import judge, unreadable
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import forms, is_international
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.probe_senders import ProbeSenders, read_senders
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_name, domain_names
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.people import people_of, unnamed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import names_in
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.free_space import free_space
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import Prober

# Of a list, if nobody says what its age may be.
MAX_AGE = "1d"


def inform(
    params: Mapping[str, Any], postfix: Postfix, network: Network, prober: Prober, local: bool = False
) -> Outcome:
    """Evidence and findings as a module's outcome. Raises InvalidInput for a name that is no domain.

    `local`: what DNS or a table on another host would tell is left open.
    """
    wanted = domain_names(names_in(params.get("domains"), "domains"), "domains")
    outage = str(params.get("outage") or "")
    max_age = str(params.get("list_max_age") or MAX_AGE)
    show_recipients = bool(params.get("show_recipients"))
    declared = _declared(params.get("declared"))
    accepted = read_accepted(params.get("accepted") or [], every_check())
    for option, value in {"outage": outage, "list_max_age": max_age}.items():
        if value and seconds(value) is None:
            raise InvalidInput(
                f'mx_info: "{value}" ({option}) is not a Postfix time value; use a value such as 5d or 12h'
            )
    reader = MapReader(postfix, local)
    try:
        state = read_parameters(postfix, reader) if postfix.installed() else None
    except HostError as error:
        return _nothing_but(error)
    if state is None:
        raise HostError(
            f"no Postfix with its configuration in {postfix.config_directory}; install it, or correct config_directory"
        )
    state = state.having(read_relay_domains([*wanted, *declared.kinds], state, reader))
    names = list(dict.fromkeys(wanted)) or sorted({*declared.required, *relayed_names(state)})
    classes = read_classes(names, state, reader)
    if not wanted:
        # relay_domains is $mydestination where nobody set it: names that come from there alone are not relayed.
        names = [name for name in names if not (is_own(name, state, classes) and name not in declared.required)]
    state = replace(
        state,
        classes=classes,
        own_addresses=network.own_addresses(),
        dns_lacks=network.lacks(),
        called=str(params.get("host_name") or ""),
    )
    state = state.having(read_interfaces(network, state)).having(read_service(postfix, state))
    state = state.having(read_admission(postfix, state, reader, names, {}))
    state = replace(state, lookups=read_lookups(names, state, reader))
    state = state.having(read_reception(names, state, reader, network))
    state = replace(state, reports=read_reports(names, state, reader, ()), standby=read_standby(postfix, state))
    state = with_greeting(state.having(read_postscreen(postfix, network, state, reader, names, False)), network)
    kinds = None if params.get("declared") is None else declared.kinds
    tables, domains = gather(names, postfix, state, reader, None if local else network, kinds)
    state = state.having(read_own_certificate(state, domains, network))
    lists = read_list_evidence(state, max_age, show_recipients)
    tables = [_with_record(table, lists) for table in tables]
    for hop in each_hop(domains):
        hop.followed = lists.of(hop.name) if hop.relayed else None
    verifies = any(is_verified(domain, state) for domain in domains)
    state = state.having(read_verify_cache(postfix, state, verifies))
    outcomes = read_outcomes(outcomes_path(postfix.config_directory)) if params.get("canary") else {}
    bounces = seconds_to_bounces(names, postfix, state, time.time())
    for domain in domains:
        domain.canary = outcomes.get(domain.name)
        domain.to_first_bounce = bounces.get(domain.name)
    own = own_mail_domain(state)
    senders = read_senders(params.get("probe_senders") or {}, own)
    if params.get("probe"):
        samples = listed_samples(state, reader)
        hops = each_hop(domains)
        for hop in hops:
            hop.probe_recipient = samples.get(hop.name, "")
        read_logins(hops, state, reader)
        deadline = time.monotonic() + SECONDS
        reader.notes += ask_mail_hosts(hops, state, prober, senders, deadline)
        reader.notes += ask_about_lists(domains, state, reader, prober, deadline)
        reader.notes += read_trust(hops, state, postfix)
        state = replace(state, standby=ask_standby(state, names))
        if not show_recipients:
            leave_people_out(hops, state)
    facts = HostFacts(
        stale_copies=stale_copies(state),
        outage=outage,
        unproven=str(params.get("unproven") or WARN),
        silent_balancers=silent_services(state, prober),
        certificate_days=int(params.get("certificate_days", CERTIFICATE_DAYS)),
        space=free_space(state.value("queue_directory")),
        volume=_volume(params.get("outage_volume")),
    )
    people = frozenset() if show_recipients else people_of(state.lookups, domains)
    findings = [finding.as_result() for finding in judge(state, tables, domains, facts, accepted)]
    return Outcome(
        results={
            "domains": {
                domain.name: {**_evidence(domain, state, people), **_list_result(domain, show_recipients)}
                for domain in domains
            },
            "findings": unnamed(findings, people),
            "tables": [_table(table) for table in tables],
            "relay_restrictions": state.value("smtpd_relay_restrictions"),
            "message_size_limit": _size_limit(state),
            "smtputf8": offers_smtputf8(state),
            "addresses": sorted(state.own_addresses),
            "dns": not (local or state.dns_lacks),
            "ports": _numbered(ports_for_strangers(state), network),
            "own_mail_domain": own,
            "tried": _tried(senders) if params.get("probe") else [],
            "queue_space": _space(facts.space),
            "notes": reader.notes,
        },
        warnings=reader.notes,
    )


def _volume(given: Mapping[str, Any] | None) -> MailVolume | None:
    """A day's mail, as mx_outage returns it; a part of it that is not known is None."""
    if not given:
        return None
    size, messages = (given.get(name) for name in ("size", "messages"))
    return MailVolume(None if size is None else int(size), None if messages is None else int(messages))


def _with_record(table: TableEvidence, lists: ListsRead) -> TableEvidence:
    problem = lists.problems.get(table.reference, "") if table.parameter == RECIPIENT_MAPS else ""
    return replace(table, record_problem=problem)


class _Declared(NamedTuple):
    """What each domain is declared as, and those that have to be relayed."""

    kinds: dict[str, str]
    required: frozenset[str]


def _declared(items: Sequence[Mapping[str, Any]] | None) -> _Declared:
    """The option `declared`. Mail can name an internationalised domain in two forms. Raises InvalidInput."""
    kinds: dict[str, str] = {}
    required: set[str] = set()
    for index, item in enumerate(items or []):
        name = domain_name(item["name"], f"declared[{index}].name")
        kind = ABSENT if item.get("state") == ABSENT else str(item.get("role") or "")
        others = forms(name, idna2008.a_label).spellings if is_international(name) and idna2008.has_idna() else ()
        kinds.update(dict.fromkeys([name, *others], kind))
        if kind != ABSENT and item.get("required", True):
            required.add(name)
    return _Declared(kinds, frozenset(required))


def _nothing_but(error: HostError) -> Outcome:
    """What can be told of a host whose parameters Postfix can't read."""
    return Outcome(
        results={
            "domains": {},
            "findings": [unreadable(error).as_result()],
            "tables": [],
            "relay_restrictions": "",
            "message_size_limit": None,
            "smtputf8": False,
            "addresses": [],
            "dns": False,
            "ports": [],
            "own_mail_domain": "",
            "tried": [],
            "queue_space": None,
            "notes": [],
        }
    )


def _numbered(ports: Mapping[str, bool], network: Network) -> list[dict[str, Any]]:
    """The ports by number; one that this host does not know by its name can't be listened on either."""
    numbers = {name: network.port(name) for name in ports}
    return [{"port": number, "tls": ports[name]} for name, number in numbers.items() if number]


def _tried(senders: ProbeSenders) -> list[str]:
    """As whom the mail hosts were asked, and as whom not."""
    missing = (
        "" if senders.ordinary else "; not from an ordinary sender: give probe_senders.ordinary, a domain of yours"
    )
    if not senders.spf_fail:
        missing += "; not about SPF: give probe_senders.spf_fail, a domain of yours whose SPF record excludes this host"
    return [f"mail hosts: {senders.told}{missing}"]


def _space(space: QueueSpace | None) -> dict[str, int | None] | None:
    return {"bytes": space.free, "inodes": space.inodes} if space else None


def _table(table: TableEvidence) -> dict[str, Any]:
    return {
        "parameter": table.parameter,
        "reference": table.reference,
        "index": table.index,
        "entries": table.entries,
        "modified": table.modified,
    }


def _evidence(domain: DomainEvidence, state: HostState, people: Collection[str]) -> dict[str, Any]:
    return {
        "relayed": domain.relayed,
        "declared": domain.declared,
        "role": domain.role,
        "classes": dict(domain.classes),
        "recipients": domain.recipients,
        "recipients_digest": domain.recipients_digest,
        "recipients_policy": told_by(domain, state),
        "wildcard": domain.wildcard,
        "other_maps": domain.other_maps,
        "verified": domain.verified,
        "transport": vars(domain.answer) if domain.answer else None,
        # Without one its mail goes to the best MX host that is not this one, if that is known.
        "nexthop": domain.nexthop or best_other_exchanger(domain.exchangers or (), state),
        "nexthop_addresses": list(domain.nexthop_addresses),
        "probe_recipient": domain.probe_recipient,
        "canary": vars(domain.canary) if domain.canary else None,
        "mail_host": unnamed(_mail_host(domain, domain.talk), people) if domain.talk else None,
        "other_mail_hosts": [
            unnamed(_mail_host(other, other.talk), people) for other in domain.others if other.talk is not None
        ],
        "mx": (
            [
                {
                    "preference": record.preference,
                    "host": record.host,
                    "addresses": list(record.addresses),
                    "alias": record.alias,
                    "this_host": state.is_self(record.host, record.addresses, ()),
                }
                for record in domain.exchangers
            ]
            if domain.exchangers is not None
            else None
        ),
    }


def _list_result(domain: DomainEvidence, show_recipients: bool) -> dict[str, Any]:
    """What is known of the list of a domain that follows sources."""
    followed = domain.followed
    drifts = [hop.drift for hop in each_hop([domain]) if hop.drift is not None]
    return {
        "listed_at": followed.listed_at if followed else "",
        "list_kept": followed.kept if followed else "",
        "sources": [dict(vars(source)) for source in followed.sources] if followed else [],
        "list_drift": _drift_result(drifts[0], show_recipients) if drifts else None,
    }


def _drift_result(drift: DriftEvidence, show_recipients: bool) -> dict[str, Any]:
    unknown, known = list(drift.unknown), list(drift.known)
    named = {"unknown_recipients": unknown, "known_recipients": known} if show_recipients else {}
    counts = {"listed": drift.listed, "unknown": len(unknown), "vanished": drift.vanished, "known": len(known)}
    return {"server": drift.server, **counts, **named}


def _size_limit(state: HostState) -> int | None:
    """message_size_limit, 0 for no limit; None where its value is not a number."""
    value = state.value("message_size_limit")
    return int(value) if is_number(value) else None


def _mail_host(domain: DomainEvidence, talk: Talk) -> dict[str, Any]:
    said = talk_result(talk)
    answers: dict[str, Any] = said["recipients"]
    delimiters = {delimiter: answers.pop(address, None) for delimiter, address in domain.tagged.items()}
    return {**said, "delimiters": delimiters, "extensions": sorted(talk.extensions), "client": talk.client}
