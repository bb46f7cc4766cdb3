# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of postscreen(8), which meets strangers at port 25: does mail get through it, and at what cost."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.admission import parameter_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    ARRIVAL,
    WHOLE_HOST,
    Register,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import LOCAL, WARNING, Fault
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import type_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import is_number
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    effective,
    pass_name,
    screens_for_strangers,
    service_named,
    takes_proxy_protocol,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.postscreen import (
    ACCESS_LIST,
    POSTSCREEN_CACHE,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.networks import network_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.words import some_of

# What they find out they find out after a whole dialogue, in which nobody can hand in a message.
_DEEP_TESTS = ("postscreen_pipelining_enable", "postscreen_non_smtp_command_enable", "postscreen_bare_newline_enable")

check = Register(WHOLE_HOST)


@check(
    "postscreen",
    LOCAL,
    "postscreen greets nobody, or has nobody to hand clients to (warning: it has clients wait without need, or lets in "
    "some that it is to refuse)",
    mark=ARRIVAL,
)
def postscreen(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for screen in screens_for_strangers(state):
        broken = list(_broken(state, screen))
        yield from broken
        if not broken:
            yield from _silent(state, screen)
            yield from _helpers(state, screen)
            yield from _cache(state, screen)
            yield from _puts_off(state, screen)


def _broken(state: HostState, screen: Service) -> Iterator[Fault]:
    limit = state.value("default_process_limit") if screen.process_limit == "-" else screen.process_limit
    behind = pass_name(state, screen)
    if is_number(limit) and int(limit) != 1:
        yield Fault(
            f"postscreen ({screen.key}) has the process limit {limit}: it takes connections and says nothing",
            f"set the process limit of {screen.key} to 1",
        )
    elif not service_named(state.services, f"{behind}/pass"):
        yield Fault(
            f"master.cf has no service {behind}/pass for postscreen to hand clients to: they get 421",
            f"add the service {behind}, type pass, command smtpd",
        )


def _silent(state: HostState, screen: Service) -> Iterator[Fault]:
    """Whatever the files say: what somebody sees who comes from outside."""
    if state.postscreen.silent:
        yield Fault(
            f"postscreen ({screen.key}) greets nobody at {state.postscreen.asked}: {state.postscreen.silent}",
            "see what the mail log says of postscreen, and correct that",
        )


def _helpers(state: HostState, screen: Service) -> Iterator[Fault]:
    sites = split_items(effective(state, screen, "postscreen_dnsbl_sites"))
    asked = effective(state, screen, "dnsblog_service_name") or "dnsblog"
    if sites and not service_named(state.services, f"{asked}/unix"):
        yield Fault(
            f"postscreen ({screen.key}) is to ask {some_of(sites)}, but master.cf has no service {asked}/unix by which "
            "it asks: clients that are listed get in",
            f"add the service {asked}, type unix, command dnsblog, process limit 0",
            WARNING,
        )
    tls = effective(state, screen, "tlsproxy_service_name") or "tlsproxy"
    level = effective(state, screen, "postscreen_tls_security_level").lower()
    if level in ("may", "encrypt") and not service_named(state.services, f"{tls}/unix"):
        yield Fault(
            f"postscreen ({screen.key}) offers TLS, but master.cf has no service {tls}/unix that speaks it for clients "
            "that are refused",
            f"add the service {tls}, type unix, command tlsproxy, process limit 0",
            WARNING,
        )


def _cache(state: HostState, screen: Service) -> Iterator[Fault]:
    if not state.postscreen.cache_problem:
        return
    where = parameter_place(state, screen, POSTSCREEN_CACHE)
    kind = type_of(effective(state, screen, POSTSCREEN_CACHE))
    works = state.postscreen.cache_type
    yield Fault(
        f"{where} is of type {kind}, in which postscreen can keep nothing ({state.postscreen.cache_problem}): each "
        "client waits at each connection",
        f"set {where} to {works}:$data_directory/postscreen_cache" if works else "install Postfix's support for lmdb",
        WARNING,
    )


def _puts_off(state: HostState, screen: Service) -> Iterator[Fault]:
    for name in _DEEP_TESTS:
        if effective(state, screen, name).lower() == "yes":
            where = parameter_place(state, screen, name)
            yield Fault(
                f"{where} is yes: every client that is new is told 450 and has to come again",
                f"set {where} to no",
                WARNING,
            )
    waiting = [host for host, addresses in state.postscreen.exchangers.items() if not _let_in(state, screen, addresses)]
    if waiting and not takes_proxy_protocol(state, screen):
        where = parameter_place(state, screen, ACCESS_LIST)
        addresses = [f"{address}=permit" for host in waiting for address in state.postscreen.exchangers[host]]
        yield Fault(
            f"postscreen ({screen.key}) tests {some_of(waiting)}, which is an MX host of the same domains, and has it "
            "wait",
            f"add inline:{{{','.join(addresses)}}} to {where}, behind permit_mynetworks",
            WARNING,
        )


def _let_in(state: HostState, screen: Service, addresses: Sequence[str]) -> bool:
    """Whether one of the addresses is let in: a host may have many in turn. Tables in mynetworks may hold any."""
    members = split_items(effective(state, screen, ACCESS_LIST))
    named = split_items(effective(state, screen, "mynetworks")) if "permit_mynetworks" in members else []
    networks = [network for network in map(network_of, named) if network is not None]
    return len(networks) < len(named) or any(
        address in state.postscreen.let_in or any(ipaddress.ip_address(address) in network for network in networks)
        for address in addresses
    )
