# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the services for load balancers on this host as a balancer does, for a connection of this host's own."""

from __future__ import annotations

import time

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import program, takes_proxy_protocol
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.listeners import listeners
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.listening import port_number
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import (
    BOUNCES,
    PROXY,
    READY,
    Approach,
    Prober,
)

SECONDS = 10.0
_HERE = "127.0.0.1"


def silent_services(state: HostState, prober: Prober) -> dict[str, str]:
    """The services of smtpd with the PROXY protocol that do not greet a balancer, with what they do instead.

    Nothing is asked of a Postfix that does not run, or of one that does not listen on the loopback interface.
    """
    proxied = [
        service for service in state.services if program(service) == "smtpd" and takes_proxy_protocol(state, service)
    ]
    found: dict[str, str] = {}
    for listener in listeners(proxied, state.values) if state.service_active else ():
        if {"", _HERE}.intersection(listener.hosts):
            approach = Approach(_HERE, port_number(listener.port), state.value("myhostname"), guise=PROXY)
            talk = prober.talk(approach, [(BOUNCES, [])], time.monotonic() + SECONDS)[0]
            if talk.banner is None:
                found[listener.key] = talk.failure
            elif talk.banner[0] != READY:
                found[listener.key] = f"it says {talk.banner[0]} {talk.banner[1]}"
    return found
