# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What postscreen(8) can keep its cache in, whom it is to let in at once, and whether it greets. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import cache_problem
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import reaching_others, stays_here
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import type_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    address_of,
    effective,
    port_of,
    screens_for_strangers,
    takes_proxy_protocol,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.postscreen import (
    ACCESS_LIST,
    POSTSCREEN_CACHE,
    PostscreenEvidence,
    is_ours,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

# Types of local files that it can add to and remove from, in the order in which they are tried.
_TYPES = ("btree", "lmdb")


class Screens(NamedTuple):
    """What is known of postscreen, as HostState has it."""

    postscreen: PostscreenEvidence


def read_postscreen(
    postfix: Postfix, network: Network, state: HostState, reader: MapReader, domains: Iterable[str], wanted: bool
) -> Screens:
    """What is to be known of a host that has a postscreen, or is to get one: of others nothing is asked.

    `domains` are those whose other MX hosts it is to let in.
    """
    screens = screens_for_strangers(state)
    if not screens and not wanted:
        return Screens(PostscreenEvidence())
    # Each question takes two commands.
    why = lru_cache(maxsize=None)(partial(cache_problem, postfix))
    kinds = [type_of(effective(state, screen, POSTSCREEN_CACHE)) for screen in sorted(screens, key=is_ours)]
    problem = next((found for found in map(why, filter(None, kinds)) if found), "")
    # Before a postscreen is there the release's own choice comes first.
    tried = dict.fromkeys([*reversed(kinds), type_of(state.value(POSTSCREEN_CACHE)), *_TYPES])
    works = (kind for kind in tried if kind in _TYPES and not why(kind))
    exchangers = _exchangers(network, state, domains)
    addresses = [address for found in exchangers.values() for address in found]
    return Screens(
        PostscreenEvidence(
            exchangers=exchangers,
            cache_type=next(works, "") if wanted or problem else "",
            cache_problem=problem,
            let_in=frozenset(_let_in(state, reader, addresses)),
        )
    )


def _exchangers(network: Network, state: HostState, domains: Iterable[str]) -> dict[str, list[str]]:
    """The other MX hosts of the domains, with those of their addresses that others reach them at."""
    return {
        record.host: reaching_others(record.addresses)
        for records in network.exchangers(dict.fromkeys(domains)).values()
        for record in records
        if record.addresses and not state.is_self(record.host, record.addresses, ())
    }


def _let_in(state: HostState, reader: MapReader, addresses: Sequence[str]) -> set[str]:
    """The addresses that a table in the lists of exceptions lets in."""
    members = {
        member
        for screen in screens_for_strangers(state)
        for member in split_items(effective(state, screen, ACCESS_LIST))
        if ":" in member
    }
    return {
        address
        for table in sorted(members)
        for address, result in reader.ask(table, addresses).items()
        if result.strip().lower() == "permit"
    }


def with_greeting(state: HostState, network: Network) -> HostState:
    """The state with how port 25 answers at this host's own outside address, if a postscreen is there and runs."""
    screens = [screen for screen in screens_for_strangers(state) if not takes_proxy_protocol(state, screen)]
    outside = sorted(address for address in state.own_addresses if not stays_here(address))
    if not screens or not outside or not state.service_active:
        return state
    address = address_of(screens[0]) or next((found for found in outside if ":" not in found), outside[0])
    silent = network.greeting(address, network.port(port_of(screens[0])))
    return replace(state, postscreen=replace(state.postscreen, asked=address, silent=silent))
