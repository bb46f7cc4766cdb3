# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks DNS for the hosts with which this one shares the mail of its domains. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network


class Neighbours(NamedTuple):
    """The mail hosts and MX hosts of the declared domains with their addresses, as HostState has them."""

    neighbours: Mapping[str, Sequence[str]] = {}
    neighbours_unanswered: bool = False


def read_neighbours(network: Network, request: MxRequest) -> Neighbours:
    """Asks about all domains that are declared, changed or not, if limits are asked for; else about none."""
    if not request.settings["limits"]:
        return Neighbours()
    hosts = [host for item in request.present for host in item.nexthops if not item.mx_lookup]
    domains = [item.name for item in request.present]
    domains += [host for item in request.present for host in item.nexthops if item.mx_lookup]
    addresses = network.addresses(dict.fromkeys(hosts))
    found = network.exchangers(dict.fromkeys(domains))
    records = [record for several in found.values() for record in several]
    answered = set(domains) <= found.keys() and set(hosts) <= addresses.keys()
    return Neighbours(
        {**{record.host: record.addresses for record in records}, **addresses},
        not (answered and all(record.resolved for record in records)),
    )
