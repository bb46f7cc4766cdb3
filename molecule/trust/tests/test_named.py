# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MX host names each cause for which its mail host does not trust it, and finds nothing once it is trusted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab import distrust, hosts, playbooks, remote

MAIL = "mail.lab.example"
DOMAIN = "gateway.example"
SENDERS = {"ordinary": "elsewhere.test", "spf_fail": distrust.SPF_FAIL.partition("@")[2]}
# As whom to ask where another sender is the point.
ASKED_AS = {
    "own_senders": {"ordinary": DOMAIN},
    "sender_domain": {"ordinary": distrust.NOWHERE.partition("@")[2]},
}
CAUSES = {
    "spf": {"mail_host_spf"},
    "greylisting": {"mail_host_greylists"},
    "dnsbl": {"mail_host_block_list"},
    "connection_rate": {"mail_host_limits"},
    "connection_count": {"mail_host_limits"},
    "message_rate": {"mail_host_limits"},
    "recipient_rate": {"mail_host_limits"},
    # This host encrypts where that is offered.
    "tls": set[str](),
    "reverse_name": {"mail_host_name"},
    "helo": {"mail_host_name"},
    "postscreen": {"mail_host_block_list", "mail_host_postscreen"},
    "postscreen_deep": {"mail_host_postscreen"},
    "own_senders": {"mail_host_sender_policy"},
    "sender_domain": {"mail_host_sender_domain"},
    "no_8bitmime": {"mail_host_8bitmime"},
    "no_smtputf8": {"smtputf8"},
}


@pytest.fixture(name="mx", scope="module")
def _mx() -> Iterator[remote.Remote]:
    mx = remote.Remote("mx1")
    yield mx
    mx.close()


def found(mx: remote.Remote, senders: dict[str, str]) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = mx.inform(domains=[DOMAIN], probe=True, probe_senders=senders)["findings"]
    return [finding for finding in seen if finding["domain"] == DOMAIN]


def test_every_way_has_its_cause() -> None:
    assert set(CAUSES) == set(distrust.WAYS)


@pytest.mark.parametrize("way", CAUSES)
def test_cause_is_named(mx: remote.Remote, way: str) -> None:
    assert found(mx, SENDERS) == []
    with distrust.distrusting(way):
        seen = found(mx, ASKED_AS.get(way, SENDERS))
        assert {finding["check"] for finding in seen} == CAUSES[way], seen


def test_mail_host_that_trusts_this_host_has_no_finding(mx: remote.Remote) -> None:
    with distrust.distrusting(*distrust.EXEMPTING):
        assert found(mx, SENDERS) != []
        assert playbooks.play("trust", "mxrelay.postfix.trust_mx", limit=f"{MAIL},localhost").code == 0
        for senders in (SENDERS, *ASKED_AS.values()):
            assert hosts.wait_for(lambda senders=senders: found(mx, senders) == [], 10), found(mx, senders)
