# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, each_hop
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture


@pytest.mark.parametrize(
    ("result", "transport", "nexthop", "bracketed"),
    [
        ("relay:[Mail.example]:2525", "relay", "mail.example", True),
        ("relay:mail.example", "relay", "mail.example", False),
        ("relay:", "relay", "", False),
        (":[192.0.2.1]", "", "192.0.2.1", True),
        ("smtp: [mail.example]", "smtp", "mail.example", True),
        ("relay:[2001:db8::1]:25", "relay", "2001:db8::1", True),
        ("error", "error", "", False),
    ],
)
def test_answer_of_transport_maps_has_an_agent_and_a_nexthop(
    result: str, transport: str, nexthop: str, bracketed: bool
) -> None:
    domain = DomainEvidence("x.example", answer=Capture("hash:/t", "x.example", result))
    assert (domain.transport, domain.nexthop, domain.bracketed) == (transport, nexthop, bracketed)


def test_route_with_several_hosts_has_evidence_about_each() -> None:
    answer = Capture("hash:/t", "x.example", "relay:[a.example]:25, b.example")
    domain = DomainEvidence("x.example", answer=answer).with_others()
    found = [(hop.nexthop, hop.bracketed, hop.hop_text) for hop in each_hop([domain])]
    assert found == [("a.example", True, "[a.example]:25"), ("b.example", False, "b.example")]
    assert domain.role == "primary"
    assert DomainEvidence("x.example").with_others().others == ()


def test_domain_without_an_answer_is_left_to_its_mx_records() -> None:
    domain = DomainEvidence("x.example")
    assert (domain.transport, domain.nexthop, domain.bracketed) == ("", "", False)
