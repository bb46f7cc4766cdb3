# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may relay through this host: each service that takes mail from strangers, judged by what it goes by.

A recipient has to pass smtpd_relay_restrictions and smtpd_recipient_restrictions, so one closed list is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    RECIPIENT_RESTRICTIONS,
    RELAY_RESTRICTIONS,
    effective,
    pass_name,
    program,
    reaches_strangers,
    restriction_classes,
    takes_proxy_protocol,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.destinations import (
    Destinations,
    destinations,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.networks import (
    takes_in_strangers,
    widest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.passage import (
    Client,
    Doubt,
    Passage,
    networks_of,
    passage,
)

MAIN_CF = "main.cf"
# Programs of Postfix that listen to others than mail clients, or hand a client on to a service that is judged.
_NO_MAIL = frozenset({"anvil", "dnsblog", "postscreen", "proxymap", "scache", "tlsproxy", "verify"})
# By what a service decides who may relay.
_DECIDING = (
    RELAY_RESTRICTIONS,
    RECIPIENT_RESTRICTIONS,
    "allow_untrusted_routing",
    "mynetworks",
    "qmqpd_authorized_clients",
    "relay_clientcerts",
    "smtpd_authorized_xclient_hosts",
    "smtpd_authorized_xforward_hosts",
    "smtpd_command_filter",
    "smtpd_restriction_classes",
    "smtpd_sasl_auth_enable",
    "smtpd_sasl_security_options",
    "smtpd_sasl_tls_security_options",
    "smtpd_upstream_proxy_protocol",
)


@dataclass(frozen=True)
class Server:
    """What strangers may do through one service, or through all that go by main.cf (`key` is MAIN_CF).

    `own_lists`: its restrictions are its own. `everybody`: the networks by which its mynetworks takes in strangers.
    """

    key: str
    own_lists: bool = False
    everybody: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def openings(self) -> list[Doubt]:
        return [doubt for doubt in self.doubts if doubt.proven]


@dataclass(frozen=True)
class Relaying:
    """Each server, where mail goes that this host takes for its own, and what has to be read to tell more."""

    servers: tuple[Server, ...] = ()
    destinations: Destinations = field(default_factory=Destinations)
    needed: frozenset[str] = frozenset()


def relaying(state: HostState) -> Relaying:
    """Who may relay through a host with this configuration. It is worked out once."""
    return state.once(("relaying", ""), lambda: _relaying(state))


def _relaying(state: HostState) -> Relaying:
    known = destinations(state)
    general = Service("", "", "-", "-", "-", "-", "-", "smtpd", {})
    found = [_smtpd(MAIN_CF, general, state, known)]
    for service in state.services:
        if not reaches_strangers(service, state):
            continue
        runs = program(service)
        if runs == "smtpd":
            own = any(effective(state, service, name) != state.value(name) for name in _deciding(state))
            if own or claims(state, service) != claims(state, general):
                found.append(_smtpd(service.key, service, state, known))
        elif runs == "qmqpd":
            found.append(_qmqpd(service, state, known))
        elif runs not in _NO_MAIL:
            why = f"what {runs or 'its program'} does with mail is not known here"
            found.append((Server(service.key, True, (), (Doubt(service.key, service.command, why),)), set()))
    needed = known.needed.union(*(more for _server, more in found))
    return Relaying(tuple(server for server, _more in found), known, frozenset(needed))


def _deciding(state: HostState) -> list[str]:
    return [*_DECIDING, *restriction_classes(state)]


def client_of(state: HostState, service: Service, known: Destinations) -> Client:
    claimed = claims(state, service)
    return Client(lambda name: effective(state, service, name), state.contents, known.is_ours, claimed)


def claims(state: HostState, service: Service) -> bool:
    """Whether clients of an smtpd say themselves, by the PROXY protocol, which address they have.

    To a service of type pass they have said so to the postscreen before it.
    """
    if service.type != "pass":
        return takes_proxy_protocol(state, service)
    return any(
        program(before) == "postscreen"
        and reaches_strangers(before, state)
        and pass_name(state, before) == service.name
        and takes_proxy_protocol(state, before)
        for before in state.services
    )


def _smtpd(key: str, service: Service, state: HostState, known: Destinations) -> tuple[Server, set[str]]:
    client = client_of(state, service, known)
    names = (RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS)
    lists = {name: client.value(name) for name in names}
    passages = [passage(name, value, client) for name, value in lists.items() if value]
    needed = {table for found in passages for table in found.needed}
    decides = _decides(lists, passages, state)
    doubts = list(decides.doubts)
    everybody = tuple(map(str, widest(networks_of("mynetworks", client).networks)))
    if not everybody and takes_in_strangers(decides.networks):
        why = "the addresses that it permits, with those of mynetworks, are more than anybody's own"
        doubts.append(Doubt(RELAY_RESTRICTIONS, "check_client_access", why, True))
    handed = _handed_in(client)
    needed |= handed.needed
    own_lists = any(lists[name] != state.value(name) for name in names)
    return Server(key, own_lists, everybody, (*doubts, *handed.doubts)), needed


def _decides(lists: Mapping[str, str], passages: Sequence[Passage], state: HostState) -> Passage:
    """The list that keeps most strangers out. Where none decides, smtpd does not start, or lets everybody through."""
    closest = sorted(passages, key=lambda found: (found.open, takes_in_strangers(found.networks), len(found.doubts)))
    if closest and (lists[RELAY_RESTRICTIONS] or not closest[0].open or not state.knows(RELAY_RESTRICTIONS)):
        return closest[0]
    own = RELAY_RESTRICTIONS if state.knows(RELAY_RESTRICTIONS) else RECIPIENT_RESTRICTIONS
    recipient = f", and {RECIPIENT_RESTRICTIONS} is {lists[RECIPIENT_RESTRICTIONS] or 'empty'}"
    why = f"it is empty{recipient if own == RELAY_RESTRICTIONS else ''}"
    return Passage(doubts=[Doubt(own, "", why, True)])


def _handed_in(client: Client) -> Passage:
    """Ways to be taken for somebody else, or to ask for something else than what was said."""
    found = Passage()
    for name in ("smtpd_authorized_xclient_hosts", "smtpd_authorized_xforward_hosts"):
        hosts = networks_of(name, client)
        wide = takes_in_strangers(hosts.networks) or bool(client.claimed and hosts.networks)
        found.take(replace(hosts, doubts=[replace(doubt, where=name) for doubt in hosts.doubts]))
        if wide:
            why = "strangers may say that they are another client"
            found.doubts.append(Doubt(name, client.value(name), why, name.endswith("xclient_hosts")))
    if client.value("smtpd_command_filter"):
        why = "it can turn one recipient into another"
        found.doubts.append(Doubt("smtpd_command_filter", client.value("smtpd_command_filter"), why))
    if client.value("allow_untrusted_routing").lower() == "yes":
        why = "a recipient such as user%elsewhere@ours is taken as ours, and the mail host may pass it on"
        found.doubts.append(Doubt("allow_untrusted_routing", "yes", why))
    return found


def _qmqpd(service: Service, state: HostState, known: Destinations) -> tuple[Server, set[str]]:
    """qmqpd(8) relays to anywhere for the clients that it knows."""
    client = client_of(state, service, known)
    hosts = networks_of("qmqpd_authorized_clients", client)
    doubts = list(hosts.doubts)
    if takes_in_strangers(hosts.networks):
        doubts.append(
            Doubt("qmqpd_authorized_clients", "", "it takes in strangers, for whom qmqpd relays anywhere", True)
        )
    return Server(service.key, True, (), tuple(doubts)), set(hosts.needed)


def doubtful(servers: Iterable[Server]) -> list[tuple[Server, Doubt]]:
    """Each doubt of each server that is not a proven opening."""
    return [(server, doubt) for server in servers for doubt in server.doubts if not doubt.proven]
