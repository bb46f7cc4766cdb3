# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
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


def test_domain_without_an_answer_is_left_to_its_mx_records() -> None:
    domain = DomainEvidence("x.example")
    assert (domain.transport, domain.nexthop, domain.bracketed) == ("", "", False)
