# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the ports for load balancers: that they serve those, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    ARRIVAL,
    STRANGER,
    WHOLE_HOST,
    Register,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    LOCAL,
    SENDER,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.stranger import StrangerEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

_PROXY = "PROXY"

of_host = Register(WHOLE_HOST)
of_stranger = Register(STRANGER)


@of_host("load_balancers", LOCAL, "a service for load balancers does not greet them", mark=ARRIVAL)
def silent_load_balancers(_state: HostState, facts: HostFacts) -> Iterator[Fault]:
    for key, instead in facts.silent_balancers.items():
        yield Fault(
            f"{key} does not greet a load balancer: {instead}",
            "see in the mail log which of its overrides smtpd does not take",
            WARNING,
            subject=key,
        )


@of_stranger(
    "probe_load_balancers", LOCAL, "a port for load balancers answers to others, who can claim any address", SENDER
)
def probe_load_balancers(told: StrangerEvidence) -> Iterator[Fault]:
    for port, client in {talk.port: talk.client for talk in told.others if talk.guise == _PROXY and talk.mail}.items():
        yield Fault(
            f"port {port} of {told.server} believes {client}, by the PROXY protocol, to be another client; so block "
            "lists, limits and the log go by what it says",
            f"let a firewall keep all but the load balancers from it: nft add rule inet filter input tcp dport {port} "
            "ip saddr != '{ BALANCERS }' drop; accept the finding if the prober is one",
            WARNING,
            subject=f"port {port}",
        )
