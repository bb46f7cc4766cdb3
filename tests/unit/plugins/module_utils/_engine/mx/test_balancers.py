# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.balancers import silent_services
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import Approach, Transaction

PROXIED = {"smtpd_upstream_proxy_protocol": "haproxy"}


class OneProber:
    """Hears the same of every server."""

    def __init__(self, **heard: Any) -> None:
        self.heard = heard
        self.met: list[tuple[str, int, str]] = []

    def talk(self, approach: Approach, _transactions: Sequence[Transaction], _deadline: float) -> list[Talk]:
        self.met.append((approach.server, approach.port, approach.guise))
        return [Talk(approach.server, **self.heard)]


def state(name: str = "2525", overrides: dict[str, str] | None = None, **values: str) -> HostState:
    own = PROXIED if overrides is None else overrides
    service = Service(name, "inet", "n", "-", "y", "-", "-", "smtpd", own)
    known = {"inet_interfaces": "all", "myhostname": "mx.example", **values}
    return HostState(values=known, parameters=known, services=[service], service_active=True)


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ({"banner": (220, "ready")}, {}),
        ({"banner": (421, "4.3.2 no")}, {"2525/inet": "it says 421 4.3.2 no"}),
        ({"failure": "connection refused"}, {"2525/inet": "connection refused"}),
    ],
)
def test_service_has_to_greet_a_balancer(heard: dict[str, Any], expected: dict[str, str]) -> None:
    prober = OneProber(**heard)
    assert silent_services(state(), prober) == expected
    assert prober.met == [("127.0.0.1", 2525, "PROXY")]


@pytest.mark.parametrize(
    "on",
    [
        state(overrides={}),
        state("192.0.2.9:2525"),
        state(inet_interfaces="192.0.2.9"),
        HostState(services=state().services, values=state().values, service_active=False),
    ],
)
def test_nothing_else_is_asked(on: HostState) -> None:
    prober = OneProber(failure="no")
    assert (silent_services(on, prober), prober.met) == ({}, [])


def test_service_on_the_loopback_address_is_asked_there() -> None:
    prober = OneProber(banner=(220, "ready"))
    assert silent_services(state("127.0.0.1:2525", inet_interfaces="192.0.2.9"), prober) == {}
    assert prober.met == [("127.0.0.1", 2525, "PROXY")]
