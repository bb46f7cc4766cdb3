# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is taken out of service is as it was before the roles, but for what others have put there."""

from __future__ import annotations

from typing import Any

import pytest

from lab import claims, faults, hosts, playbooks

HOST = "mx1"
NAME = "mx1.lab.example"
CONVERGE = str(playbooks.MOLECULE / "both/converge.yml")
WITHDRAW = "mxrelay.postfix.withdraw"
FORCED = {"withdraw_force": True}
# Left as the roles leave it: an empty relay_domains, whose default is not empty below compatibility level 2.
STAYS = {"relay_domains", "smtpd_etrn_restrictions"}


@pytest.fixture(autouse=True)
def in_service() -> None:
    """The host is the MX that the inventory declares."""
    run = playbooks.play("both", CONVERGE)
    assert run.code == 0, run.said


def withdrawn(check: bool = False, **variables: Any) -> playbooks.Run:
    run = playbooks.play("both", WITHDRAW, variables={**FORCED, **variables}, check=check)
    assert run.code == 0, run.said
    return run


def test_nothing_is_left_but_what_others_have_put_there() -> None:
    refused = playbooks.play("both", WITHDRAW)
    assert refused.code != 0
    assert "force" in refused.said
    before = faults.state_of(HOST)
    foreseen = withdrawn(check=True)
    assert foreseen.changed[NAME] > 0
    assert "does not foresee which tables of /etc/postfix will be empty" in foreseen.said
    assert "others have rows there" not in foreseen.said
    assert faults.state_of(HOST) == before
    assert withdrawn().changed[NAME] > 0
    for address in ("alice@gateway.example", "ivan@away.example"):
        claims.refuses_relay(HOST, address)
    found = hosts.on(HOST, "sh", "-c", "find / -xdev -iname '*mxrelay*' -not -path '/proc/*' -not -path '/root/*'")
    assert found == ""
    files = hosts.on(HOST, "find", "/etc/postfix", "-maxdepth", "1", "-name", "[rt][er]*").split()
    assert files == []
    explicit = {line.partition("=")[0].strip() for line in hosts.on(HOST, "postconf", "-n").splitlines()}
    named = {"relay_recipient_maps", "transport_maps", *STAYS}
    assert explicit & named == STAYS
    service = "sed -n '/^relay /,/^[^ ]/p' /etc/postfix/master.cf{}"
    assert hosts.on(HOST, "sh", "-c", service.format("")) == hosts.on(HOST, "sh", "-c", service.format(".proto"))
    assert withdrawn().changed == {NAME: 0}


@pytest.mark.long
def test_table_with_rows_of_others_stays() -> None:
    theirs = "theirs.example relay:[mail.lab.example]"
    hosts.on(HOST, "sh", "-c", f"echo '{theirs}' >> /etc/postfix/transport && postmap /etc/postfix/transport")
    run = withdrawn()
    assert "/etc/postfix/transport stays: others have rows there" in run.said
    assert hosts.on(HOST, "cat", "/etc/postfix/transport").splitlines() == [theirs]
    assert "/etc/postfix/transport" in faults.parameter(HOST, "transport_maps")
    assert faults.parameter(HOST, "relay_recipient_maps") == ""
    hosts.on(HOST, "sh", "-c", ": > /etc/postfix/transport && postmap /etc/postfix/transport")
    assert playbooks.play("both", CONVERGE).code == 0
    claims.delivers_once(HOST, "alice@gateway.example")
