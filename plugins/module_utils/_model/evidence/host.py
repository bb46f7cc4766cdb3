# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known about a host when its MX plan is made: facts only, no judgement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Callable, NamedTuple, TypeVar

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import (
    is_address,
    plain_address,
    stays_here,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.admission import AdmissionEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import CertificateEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import Content
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lookups import RecipientLookups
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import RaiseEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.postscreen import PostscreenEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reports import ReportEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import StandbyState

Worked = TypeVar("Worked")

# The classes of which a relay domain must be in none. See ADDRESS_CLASS_README.
OTHER_CLASSES = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains")
# The table in which the roles keep the patterns of domains that have all their subdomains.
SUBDOMAINS_NAME = "relay_recipients_subdomains"


@dataclass(frozen=True)
class Capture:
    """An answer of transport_maps: which member said what, to which key."""

    member: str
    key: str
    result: str


@dataclass(frozen=True)
class DomainRows:
    """A domain's rows in the recipients table; the digest covers all but those of roles and the wildcard."""

    count: int = 0
    digest: str = ""
    postmaster: bool = False
    wildcard: bool = False
    tidy: bool = True
    abuse: bool = False

    @property
    def of_roles(self) -> int:
        """How many of them are addresses of roles."""
        return self.postmaster + self.abuse

    @property
    def addresses(self) -> int:
        """How many addresses they are, those of roles included."""
        return self.count + self.of_roles


@dataclass(frozen=True)
class TableState:
    """A lookup table: `member` is how main.cf names it ("" where it does not), `rows` are its source's."""

    reference: str
    path: str
    type: str
    exists: bool = False
    member: str = ""
    # Whether the next change of the table would mend something though no entry differs: an index, a leftover.
    repair: bool = False
    rows: Mapping[str, str] = field(default_factory=dict)
    replaces: tuple[str, ...] = ()
    # What is to be said once it is named beside tables that others write.
    beside: tuple[str, ...] = ()

    @property
    def relied_on(self) -> bool:
        """Whether main.cf names it, or what it takes the place of: its source as a table of another type."""
        return bool(self.member or (self.exists and self.replaces))


@dataclass(frozen=True)
class MxRecord:
    """One mail exchanger of a domain, with the addresses that its name has.

    `alias`: its name is that of a CNAME record. `resolved`: DNS answered about its addresses.
    """

    preference: int
    host: str
    addresses: tuple[str, ...] = ()
    alias: bool = False
    resolved: bool = True


@dataclass(frozen=True)
class Rules:
    """What a table says that decides what becomes of a message or an address.

    `listed` are its results, None where its type can't list them; `answers` those for the keys it was asked.
    """

    listed: Sequence[str] | None = None
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HostState:
    """The evidence. `parameters` are effective values as written, `values` the same with $names expanded.

    `own_names` are those of the parameters that the administrator chose, and Postfix does not know by itself.
    """

    installed: bool = False
    version: tuple[int, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    explicit: Mapping[str, str] = field(default_factory=dict)
    services: Sequence[Service] = ()
    # domain -> class parameter -> the member that matches it
    classes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # domains that relay_domains names itself -> the member that does (the domain, or a table or file)
    relayed: Mapping[str, str] = field(default_factory=dict)
    unlisted_relay_members: Sequence[str] = ()
    relay_parents: bool = True
    recipients: TableState | None = None
    recipient_rows: Mapping[str, DomainRows] = field(default_factory=dict)
    transport: TableState | None = None
    verify: TableState | None = None
    # Patterns that accept every address of a domain's subdomains.
    subdomains: TableState | None = None
    # Patterns by which the reports of refused mail are kept from strangers.
    refused: TableState | None = None
    # What makes of a final refusal one for now, and the ways of probes past it.
    filters: TableState | None = None
    probes: TableState | None = None
    # domain -> an answer of another member of transport_maps that no row of ours comes before
    captures: Mapping[str, Capture] = field(default_factory=dict)
    # domain -> an answer of another member that a row of ours comes before: a parent's, a wildcard's, a later one's
    weak_captures: Mapping[str, Capture] = field(default_factory=dict)
    # probe recipient -> whether relay_recipient_maps knows it
    probed: Mapping[str, bool] = field(default_factory=dict)
    # What the tables and files hold that decide who may relay.
    contents: Mapping[str, Content] = field(default_factory=dict)
    # what the tables and servers that smtpd's restriction lists name say to strangers
    admission: AdmissionEvidence = field(default_factory=AdmissionEvidence)
    lookups: RecipientLookups = RecipientLookups()
    # what becomes of the reports of refused mail
    reports: ReportEvidence = field(default_factory=ReportEvidence)
    # this host's own certificate, as far as anybody looked
    certificates: CertificateEvidence = field(default_factory=CertificateEvidence)
    # the service that puts strangers off while a better MX host answers
    standby: StandbyState = field(default_factory=StandbyState)
    # Parameters that limit deliveries for a while, whose values here are those from before; whether that while is over.
    limited: frozenset[str] = frozenset()
    limits_over: bool = False
    # the raise of maximal_queue_lifetime for the length of outages
    raised: RaiseEvidence = field(default_factory=RaiseEvidence)
    own_addresses: frozenset[str] = frozenset()
    # name in inet_interfaces or proxy_interfaces -> its addresses, none if it does not resolve; None: not looked up
    interface_addresses: Mapping[str, Sequence[str]] | None = None
    host_addresses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # domain -> its exchangers; a domain whose answer did not come is not in it
    mx: Mapping[str, Sequence[MxRecord]] = field(default_factory=dict)
    # The domains, mail hosts and MX hosts that DNS was asked about and did not answer.
    unanswered: Sequence[str] = ()
    # mail host, or MX host of a declared domain -> its addresses; read where they are excepted from limits
    neighbours: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # Whether DNS did not answer about all of them.
    neighbours_unanswered: bool = False
    # table that what strangers send comes by -> what it says
    rules: Mapping[str, Rules] = field(default_factory=dict)
    # where a filter, milter or policy service is (`inet:host:port`, `unix:/path`, `program:/path`) -> why it does not
    # answer, "" if it does
    answering: Mapping[str, str] = field(default_factory=dict)
    postscreen: PostscreenEvidence = field(default_factory=PostscreenEvidence)
    # Why verify(8) can't remember what mail hosts say, "" if it can or nobody asks it; and a type in which it could.
    verify_cache_problem: str = ""
    verify_cache_type: str = ""
    own_names: frozenset[str] = frozenset()
    # domain -> how many messages wait for it; read only where a domain leaves
    waiting: Mapping[str, int] = field(default_factory=dict)
    # Of these, those that can't be returned for the domain alone: on hold, or also for another one.
    unreturnable: Mapping[str, int] = field(default_factory=dict)
    service_active: bool | None = None
    service_enabled: bool | None = None
    service_name: str = "postfix"
    reload_pending: bool = False
    # Whether the master that runs is no longer the installed one.
    service_replaced: bool = False
    # The name by which the inventory, or the world, calls the host; "" where nobody said.
    called: str = ""
    # Whether systemd has a unit of that name, as far as it is known.
    service_unit: bool = True
    # The day, like 2026-12-31, up to which findings are accepted.
    today: str = ""
    missing_packages: Sequence[str] = ()
    # The package without which nothing can be asked of DNS; "" where it is there.
    dns_lacks: str = ""
    notes: Sequence[str] = ()
    # What was worked out of the rest, so that it is worked out once; a changed copy of the state begins anew.
    worked_out: dict[tuple[str, str], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, key: tuple[str, str], work: Callable[[], Worked]) -> Worked:
        """What `work` makes of the state, by a key of its own; it is asked once."""
        if key not in self.worked_out:
            self.worked_out[key] = work()
        found: Worked = self.worked_out[key]
        return found

    def having(self, part: NamedTuple) -> HostState:
        """The state with a part that was read of it; the part's fields are fields of the state."""
        return replace(self, **part._asdict())

    def value(self, name: str) -> str:
        """The effective value with $names expanded, "" where there is none."""
        return self.values.get(name, "")

    def knows(self, name: str) -> bool:
        """Whether this release of Postfix has the parameter."""
        return name in self.parameters and name not in self.own_names

    @property
    def full_name(self) -> str:
        """The host's full name, such as DNS has it: what it is called, else myhostname; "" if neither is one."""
        names = [name.rstrip(".") for name in (self.called, self.value("myhostname"))]
        return next((name for name in names if "." in name and not is_address(name)), "")

    def is_self(self, host: str, addresses: Sequence[str], proxies: Sequence[str]) -> bool:
        """Whether a host of that name and those addresses is this one, also as seen through NAT.

        So is one at an address that leads no further than the host that connects to it.
        """
        name = host.rstrip(".").lower()
        if name in (self.value("myhostname").lower(), "localhost") or name.endswith(".localhost"):
            return True
        own = self.once(("own", "addresses"), self._own)
        seen = {plain_address(address) for address in (host, *addresses)}
        return bool(seen & own) or bool(seen.intersection(map(plain_address, proxies))) or any(map(stays_here, seen))

    def _own(self) -> frozenset[str]:
        """The addresses of this host's interfaces, and those at which the world reaches it."""
        configured = split_items(self.value("proxy_interfaces"))
        known = self.interface_addresses or {}
        resolved = [address for name in configured for address in known.get(name, ())]
        return frozenset(plain_address(address) for address in [*self.own_addresses, *configured, *resolved])
