# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks mail hosts about some addresses of the lists that follow sources: some that are listed, some that have gone."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.probe import unknown_recipient
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.recipients import listed_people
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.drift import (
    DriftSample,
    drift_in,
    knows_nobody,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import (
    DomainEvidence,
    Talk,
    each_hop,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refusals import welcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import BOUNCES, Approach, Prober

# Of each kind. It is another sample each time, so what differs is found in the end.
MOST_ASKED = 5


def ask_about_lists(
    domains: Sequence[DomainEvidence], state: HostState, reader: MapReader, prober: Prober, deadline: float
) -> list[str]:
    """Gives each domain whose list follows sources what its mail host says of it. Returns what was left out.

    Each is asked by a connection of its own, once it has been asked the rest: a server that counts unknown recipients
    spoils nothing else. One that turned this host away, or that takes everybody, is not asked.
    """
    asked = [found for domain in domains if domain.followed for found in _telling(domain)]
    listed = _listed(frozenset(hop.name for hop, _talk in asked), state, reader) if asked else {}
    left = 0
    for hop, talk in asked:
        sample = _sample(hop, listed.get(hop.name, []))
        if time.monotonic() >= deadline:
            left += 1
        elif sample.listed or sample.vanished:
            approach = Approach(talk.server, talk.port, state.value("myhostname"))
            hop.drift = drift_in(sample, prober.talk(approach, [(BOUNCES, sample.recipients)], deadline)[0])
    if not left:
        return []
    return [f"the lists of {left} more domains were not compared with their mail hosts; name these domains to do so"]


def _telling(domain: DomainEvidence) -> list[tuple[DomainEvidence, Talk]]:
    """The first of its mail hosts that takes mail from here and tells good recipients from bad, if there is one."""
    talks = [(hop, talk) for hop in each_hop([domain]) for talk in [welcome(hop)] if talk and not talk.failure]
    return [(hop, talk) for hop, talk in talks if not knows_nobody(talk)][:1]


def _sample(domain: DomainEvidence, listed: Sequence[str]) -> DriftSample:
    gone = set(domain.followed.vanished if domain.followed else ()) - set(listed)
    return DriftSample(_some(listed), _some(sorted(gone)), unknown_recipient(domain.name))


def _some(addresses: Sequence[str]) -> tuple[str, ...]:
    return tuple(secrets.SystemRandom().sample(addresses, min(MOST_ASKED, len(addresses))))


def _listed(names: Collection[str], state: HostState, reader: MapReader) -> dict[str, list[str]]:
    """The recipients that are listed for these domains."""
    found: dict[str, list[str]] = {}
    for address in listed_people(state, reader):
        if domain_of(address) in names:
            found.setdefault(domain_of(address), []).append(address)
    return found
