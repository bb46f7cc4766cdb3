# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks mail hosts about the delimiters that a run is about to set here. Nothing is changed, and no message is sent."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.evidence import gather
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.logins import read_logins
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.probe import (
    DOMAINS,
    ask_mail_hosts,
    leave_people_out,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.recipients import listed_samples
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import relayed_names
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.distrust import mail_host_delimiter
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import ERROR
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import each_hop
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import domain_after, rows_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.probe_senders import ProbeSenders
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.routes import Routes
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import Prober


class Sources(NamedTuple):
    """Whom to ask what the host has, and where its mail goes."""

    postfix: Postfix
    reader: MapReader
    network: Network


def delimiter_warnings(
    request: MxRequest, after: HostState, routes: Routes, evidence: Sources, prober: Prober
) -> list[str]:
    """A line for each domain of which mail with a word of the user's own would be accepted here, and then bounce.

    `after` is the host as the run leaves it. Delimiters hold for all that it relays, whoever declares it. Only domains
    of which a recipient is listed on the host can be asked about.
    """
    samples = listed_samples(after, evidence.reader)
    items = {item.name: item for item in request.present if item.name in samples}
    others = [name for name in relayed_names(after) if name in samples and name not in items]
    rows = rows_after(after, routes)
    _tables, relayed = gather(others, evidence.postfix, after, evidence.reader, None)
    every = [*(domain_after(item, after, rows) for item in items.values()), *relayed]
    domains = [domain for domain in every if not domain.wildcard][:DOMAINS]
    records = evidence.network.exchangers(domain.name for domain in domains if not domain.nexthop)
    hops = each_hop(domains)
    for hop in hops:
        hop.exchangers = records.get(hop.name, hop.exchangers)
        hop.probe_recipient = samples[hop.name]
    read_logins(hops, after, evidence.reader)
    ask_mail_hosts(hops, after, prober, ProbeSenders())
    leave_people_out(hops, after)
    found = [finding for hop in hops for finding in mail_host_delimiter(hop, after)]
    return [f"{finding.domain}: {finding.message}; {finding.remedy}" for finding in found if finding.severity == ERROR]
