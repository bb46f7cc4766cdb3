# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.load_balancers import (
    probe_load_balancers,
    silent_load_balancers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.stranger import StrangerEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts


def test_service_that_does_not_greet_a_balancer_is_told() -> None:
    facts = HostFacts(silent_balancers={"2525/inet": "it says 421 4.3.2 All server ports are busy"})
    (finding,) = silent_load_balancers(HostState(), facts)
    assert (finding.check, finding.severity, finding.subject) == ("load_balancers", "warning", "2525/inet")
    assert finding.message == "2525/inet does not greet a load balancer: it says 421 4.3.2 All server ports are busy"
    assert list(silent_load_balancers(HostState(), HostFacts())) == []


def told(*talks: Talk) -> StrangerEvidence:
    return StrangerEvidence("mx.example", {}, {}, {}, [], others=talks)


def talk(**fields: Any) -> Talk:
    answered = {"banner": (220, "ready"), "mail": (250, "2.1.0 Ok"), "client": "192.0.2.66"}
    return Talk(**{"server": "mx.example", "port": 2525, "guise": "PROXY", **answered, **fields})


def test_port_that_believes_a_stranger_is_told_once_with_the_rule_that_closes_it() -> None:
    (finding,) = probe_load_balancers(told(talk(), talk(sender="s@o.example")))
    assert (finding.check, finding.severity, finding.subject) == ("probe_load_balancers", "warning", "port 2525")
    assert finding.message == (
        "port 2525 of mx.example believes 192.0.2.66, by the PROXY protocol, to be another client; so block lists, "
        "limits and the log go by what it says"
    )
    assert "nft add rule inet filter input tcp dport 2525 ip saddr != '{ BALANCERS }' drop" in finding.remedy


@pytest.mark.parametrize(
    "heard", [talk(guise=""), talk(guise="XCLIENT"), talk(banner=None, mail=None), talk(banner=(421, "no"), mail=None)]
)
def test_port_that_a_stranger_does_not_get_through_to_is_fine(heard: Talk) -> None:
    assert list(probe_load_balancers(told(heard))) == []
