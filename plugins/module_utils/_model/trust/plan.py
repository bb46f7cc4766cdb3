# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mail host needs to trust its MX hosts for its own recipients and nothing else, or to do so no longer.

Its means are the smallest ones: one cidr table, which is first in each restriction list that may refuse an MX host and
in what postscreen lets pass, and exceptions from the limits of clients. mynetworks is never one: it would let them
relay anywhere. So that nothing relays, smtpd_relay_restrictions must refuse foreign destinations by itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import plain_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand, is_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    RECIPIENT_RESTRICTIONS,
    RELAY_RESTRICTIONS,
    depending_on,
    effective,
    program,
    servers_that_strangers_reach,
    stranger_services,
    values_with,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.destinations import (
    PARAMETERS,
    destinations,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.passage import Passage, passage
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.servers import client_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.hosts import MxHost
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.lists import (
    LISTS,
    before_and_behind,
    inserted,
    place_in_list,
    removed,
    why_not_first,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.reading import list_reading_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.trust_table import TrustTable
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.untouched import untouched

POSTSCREEN_LIST = "postscreen_access_list"
LIMITS = "smtpd_client_event_limit_exceptions"
_MYNETWORKS = "permit_mynetworks"
_OF_THE_HOST = ("localhost", "localhost.localdomain")


@dataclass(frozen=True)
class TrustRequest:
    """`hosts` are to be trusted, none with `present` false. `path` is where the table is, `domains` are those that the
    MX hosts relay, as far as the inventory says. `own_addresses` are those of the mail host."""

    hosts: Sequence[MxHost] = ()
    path: str = "/etc/postfix/trusted_mx"
    present: bool = True
    domains: Sequence[str] = ()
    own_addresses: frozenset[str] = frozenset()

    @property
    def table(self) -> str:
        return f"cidr:{self.path}"

    @property
    def element(self) -> str:
        return f"check_client_access {self.table}"

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(address for host in self.hosts for address in host.addresses))


@dataclass(frozen=True)
class TrustPlan:
    """The change, and what it means.

    `inserted` has the element and its place by the parameter of main.cf, `removed` and `added` members by parameter,
    `absent` parameters to remove. `overrides` are the new values by service and parameter, `table` is the new text of
    the table (None: no file). `exempts` says what the MX hosts are exempt from then, `untouched` what may still refuse
    them, and `domains` which of their domains this host takes mail for.
    """

    refusals: list[Refusal] = field(default_factory=list)
    inserted: dict[str, tuple[str, int]] = field(default_factory=dict)
    removed: dict[str, list[str]] = field(default_factory=dict)
    added: dict[str, list[str]] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    overrides: dict[str, dict[str, str]] = field(default_factory=dict)
    table: str | None = None
    exempts: list[str] = field(default_factory=list)
    untouched: list[str] = field(default_factory=list)
    domains: list[str] = field(default_factory=list)


def decide_trust(state: HostState, request: TrustRequest, known: TrustTable | None) -> TrustPlan:
    """The plan for a host in this state, whose table is `known`, None if another file is in its place.

    A plan with refusals changes nothing.
    """
    if known is None:
        cause = f"{request.path} was not written by trust_mx"
        return TrustPlan(refusals=[Refusal("", "table", cause, "move it away, and what names it with it")])
    # What the table is to say; it need not be there yet.
    results = {**state.admission.results, request.table: ("permit",)}
    state = replace(state, admission=replace(state.admission, results=results))
    draft = _Draft(state, request, known)
    if not request.present:
        return draft.taken_back()
    refusals = [*_no_mail_host(state, request), *_own_host(request)]
    if refusals:
        return TrustPlan(refusals=refusals)
    plan = draft.trusting()
    opened = [*_relays(draft.state, request), *_relay_lists_changed(state, draft.state)]
    return replace(plan, refusals=opened) if opened else plan


class _Draft:
    """The configuration as the plan makes it, step by step."""

    def __init__(self, state: HostState, request: TrustRequest, known: TrustTable) -> None:
        self.state = state
        self._before = state
        self._request = request
        self._known = known
        self._plan = TrustPlan(table=known.text)

    def taken_back(self) -> TrustPlan:
        """The element, and the addresses that are in lists for it, go wherever they are; all else stays."""
        element, table = self._request.element, self._request.table
        for name, value in self._before.explicit.items():
            gone = [element] if removed(value, element) != value else []
            gone += [table] if name == POSTSCREEN_LIST and table in split_items(value) else []
            gone += [address for address in self._known.limits if name == LIMITS and address in split_items(value)]
            if not gone:
                continue
            left = value
            for member in gone:
                left = removed(left, member)
            if name in self._known.set and self._is_default(name, left):
                self._plan.absent.append(name)
            else:
                self._plan.removed[name] = gone
            self._write(name, left)
        for service in self._before.services:
            for name, value in service.overrides.items():
                gone = [element, *([table] if name == POSTSCREEN_LIST else ())]
                left = value
                for member in [*gone, *(self._known.limits if name == LIMITS else ())]:
                    left = removed(left, member)
                if left != value:
                    self._override(service, name, left)
        still = [name for name, value in self.state.explicit.items() if self._request.path in value]
        still += [service.key for service in self.state.services if self._request.path in str(service.overrides)]
        if not still:
            return replace(self._plan, table=None)
        told = f"{self._request.path} stays, since {', '.join(still)} still names it"
        return replace(self._plan, untouched=[told])

    def _is_default(self, name: str, left: str) -> bool:
        default = self._before.admission.defaults.get(name, "")
        return split_items(expand(left, self.state.parameters)) == split_items(expand(default, self.state.parameters))

    def trusting(self) -> TrustPlan:
        """Each list that may refuse the MX hosts gets the element, first those that others refer to."""
        services = stranger_services(self._before)
        referring = [depending_on({name}, self._before.parameters) for name in LISTS]
        for name in sorted(LISTS, key=lambda name: sum(name in found for found in referring)):
            for service in services:
                self._exempt(service, name)
        for service in self._before.services:
            if program(service) == "postscreen":
                self._pass(service)
        limits = self._limits(services)
        explicit = self._before.explicit
        new = [name for name in self._known.set if name in explicit]
        new += [name for name in self._plan.added if name not in explicit]
        table = TrustTable(self._request.addresses, limits, tuple(new))
        kept, exempts = self._judged(services)
        told = untouched(self.state, services, kept)
        domains = _domains_of(self._before, self._request)
        return replace(self._plan, table=table.text, exempts=exempts, untouched=told, domains=domains)

    def _exempt(self, service: Service, name: str) -> None:
        """Puts the element in the list by which the service goes, if it exempts from more there than it does now."""
        service = self._now(service)
        own = name in service.overrides
        if not own and name not in self.state.explicit:
            return
        element, reading = self._request.element, list_reading_of(self.state, service)
        value = service.overrides[name] if own else self.state.parameters.get(name, "")
        bare = removed(value, element)
        place = place_in_list(name, bare, element, reading)
        new = inserted(bare, element, place)
        result = before_and_behind(name, new, element, reading)
        if not result[1]:
            # Where it would exempt from nothing it must not stay in front of a check of recipients that came since.
            new = bare
        elif result == before_and_behind(name, value, element, reading):
            return
        if new == value:
            return
        if own:
            self._override(service, name, new)
            return
        if bare != value:
            self._plan.removed[name] = [element]
        if new != bare:
            self._plan.inserted[name] = (element, place)
        self._write(name, new)

    def _pass(self, service: Service) -> None:
        """Lets the MX hosts pass postscreen, behind its own networks and before anybody is denied."""
        table = self._request.table
        own = POSTSCREEN_LIST in service.overrides
        explicit = own or POSTSCREEN_LIST in self.state.explicit
        value = service.overrides[POSTSCREEN_LIST] if own else self.state.parameters.get(POSTSCREEN_LIST, "")
        members = split_items(expand(value, self.state.parameters))
        if table in members:
            return
        place = 1 if split_items(value)[:1] == [_MYNETWORKS] else 0
        if own:
            self._override(service, POSTSCREEN_LIST, inserted(value, table, place))
            return
        if explicit and value:
            self._plan.inserted[POSTSCREEN_LIST] = (table, place)
        else:
            self._plan.added[POSTSCREEN_LIST] = [table]
        self._write(POSTSCREEN_LIST, inserted(value, table, place))

    def _limits(self, services: Sequence[Service]) -> tuple[str, ...]:
        """Excepts the addresses from the limits of clients; returns the members that are there for them."""
        wanted = [f"[{address}]" if ":" in address else address for address in self._request.addresses]
        value = self.state.parameters.get(LIMITS, "")
        present = split_items(value)
        stale = [address for address in self._known.limits if address not in wanted]
        added = [address for address in wanted if address not in present]
        if set(stale).intersection(present):
            self._plan.removed[LIMITS] = stale
        if added:
            self._plan.added[LIMITS] = added
        if stale or added:
            self._write(LIMITS, ", ".join([*(address for address in present if address not in stale), *added]))
        for service in services:
            own = service.overrides.get(LIMITS)
            if own is not None:
                new = own
                for address in stale:
                    new = removed(new, address)
                for address in wanted:
                    new = new if address in split_items(new) else inserted(new, address, len(split_items(new)))
                if new != own:
                    self._override(self._now(service), LIMITS, new)
        return tuple(address for address in wanted if address in added or address in self._known.limits)

    def _judged(self, services: Sequence[Service]) -> tuple[list[str], list[str]]:
        """What of the lists may still refuse the MX hosts, and from what they are exempt, a line for each."""
        kept: list[str] = []
        exempts: list[str] = []
        for service in map(self._now, services):
            reading = list_reading_of(self.state, service)
            for name in LISTS:
                value = effective(self.state, service, name)
                before, behind = before_and_behind(name, value, self._request.element, reading)
                where = f"{name} of {service.key}" if name in service.overrides else name
                if before:
                    why = why_not_first(name, value, self._request.element, reading)
                    kept.append(f"{where}: {', '.join(before)}{why}")
                if behind:
                    exempts.append(f"{where}: {', '.join(behind)}")
        if any(program(service) == "postscreen" for service in self._before.services):
            exempts.append("postscreen")
        exempts.append("the limits of clients (smtpd_client_*_limit)")
        return list(dict.fromkeys(kept)), list(dict.fromkeys(exempts))

    def _now(self, service: Service) -> Service:
        return next((other for other in self.state.services if other.key == service.key), service)

    def _write(self, name: str, value: str) -> None:
        parameters = {**self.state.parameters, name: value}
        self.state = replace(
            self.state,
            parameters=parameters,
            explicit={**self.state.explicit, name: value},
            values=values_with(self.state, parameters, {name}),
        )

    def _override(self, service: Service, name: str, value: str) -> None:
        self._plan.overrides.setdefault(service.key, {})[name] = value
        self.state = replace(
            self.state,
            services=[
                replace(other, overrides={**other.overrides, name: value}) if other.key == service.key else other
                for other in self.state.services
            ],
        )


def _domains_of(state: HostState, request: TrustRequest) -> list[str]:
    """Those of the MX hosts' domains that this host lists; all of them if none is listed and there are tables."""
    known = destinations(state).names
    listed = [name for name in request.domains if name.lower() in known]
    return listed or (list(request.domains) if _has_tables(state) else [])


def _has_tables(state: HostState) -> bool:
    return any(is_table(member) for name in PARAMETERS for member in split_items(state.value(name)))


def _no_mail_host(state: HostState, request: TrustRequest) -> Iterator[Refusal]:
    if not stranger_services(state):
        yield Refusal(
            "",
            "mail_host",
            "no service of master.cf takes mail from other hosts on port 25",
            "run trust_mx on the hosts where the mailboxes are",
        )
        return
    if not state.knows(RELAY_RESTRICTIONS):
        yield Refusal(
            "",
            "relay_restrictions",
            "this Postfix has no smtpd_relay_restrictions (2.10 and later), without which a trusted host could relay",
            "update Postfix",
        )
    known = destinations(state)
    own = {*_OF_THE_HOST, state.value("myhostname").lower(), f"localhost.{state.value('mydomain').lower()}"}
    relayed = {name.lower() for name in request.domains}
    if not _has_tables(state) and not (known.names - own) and not (known.names & relayed):
        yield Refusal(
            "",
            "mail_host",
            "this host takes mail for no domain: mydestination, virtual_mailbox_domains, virtual_alias_domains and "
            "relay_domains name nothing but the host itself",
            "run trust_mx on the hosts where the mailboxes are",
        )


def _own_host(request: TrustRequest) -> Iterator[Refusal]:
    own = {plain_address(address) for address in request.own_addresses}
    for host in request.hosts:
        ours = [address for address in host.addresses if address in own]
        if ours:
            yield Refusal(
                "",
                "own_host",
                f"{host.name} ({', '.join(ours)}) is this host itself",
                "take it out of trust_mx_hosts, or do not run trust_mx on an MX host",
            )


def _relays(state: HostState, request: TrustRequest) -> Iterator[Refusal]:
    """Refusals for each service by which an MX host could relay, or of which it cannot be shown that it can't."""
    known = destinations(state)
    for doubt in known.doubts:
        if doubt.proven:
            yield Refusal(
                "",
                "relay_restrictions",
                f"{doubt.member} in {doubt.where}: {doubt.why}, so everybody can relay through this host",
                "list the domains of this host there",
            )
    usual = {service.key for service in stranger_services(state)}
    for service in servers_that_strangers_reach(state):
        client = client_of(state, service, known)
        lists = {name: client.value(name) for name in (RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS)}
        where = f" of {service.key}" if lists[RELAY_RESTRICTIONS] != state.value(RELAY_RESTRICTIONS) else ""
        if not lists[RELAY_RESTRICTIONS] and service.key in usual:
            yield Refusal(
                "",
                "relay_restrictions",
                f"{RELAY_RESTRICTIONS}{where} is empty, so a permit in {RECIPIENT_RESTRICTIONS} would let MX hosts "
                "relay anywhere",
                f"set {RELAY_RESTRICTIONS} to permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
            )
            continue
        passages = {name: passage(name, value, client) for name, value in lists.items() if value}
        if service.key in usual:
            passages = {RELAY_RESTRICTIONS: passages[RELAY_RESTRICTIONS]}
        reasons = [reason for name, found in passages.items() for reason in _reasons(name, found, request)[:1]]
        if len(reasons) == len(passages) and reasons:
            cause, remedy = reasons[0]
            yield Refusal("", "relay_restrictions", f"{cause} ({service.key})", remedy)


def _reasons(name: str, found: Passage, request: TrustRequest) -> list[tuple[str, str]]:
    """Why it is not sure that the list refuses foreign destinations to the MX hosts."""
    reasons = []
    for address in request.addresses:
        inside = [network for network in found.networks if ipaddress.ip_address(address) in network]
        if inside:
            reasons.append(
                (
                    f"{address} may relay anywhere through this host, as {name} permits {inside[0]}",
                    "take it out of mynetworks, or of what else permits it there; trust_mx exempts it from the rest",
                )
            )
    for doubt in sorted(found.doubts, key=lambda found_doubt: not found_doubt.proven):
        member = f"{doubt.member} in {doubt.where}" if doubt.member else doubt.where
        reasons.append(
            (
                f"it is not sure that {name} refuses foreign destinations: {member}: {doubt.why}",
                "end it with reject_unauth_destination, and put what is in doubt behind that",
            )
        )
    return reasons


def _relay_lists_changed(before: HostState, after: HostState) -> Iterator[Refusal]:
    """A list that is also part of smtpd_relay_restrictions must not get a permit."""
    now = {service.key: service for service in after.services}
    for service in servers_that_strangers_reach(before):
        if effective(before, service, RELAY_RESTRICTIONS) != effective(after, now[service.key], RELAY_RESTRICTIONS):
            yield Refusal(
                "",
                "relay_restrictions",
                f"{RELAY_RESTRICTIONS} of {service.key} refers to a list that needs a permit for the MX hosts, by "
                "which they could relay",
                f"write the members of {RELAY_RESTRICTIONS} out",
            )
