# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses with a word of the user's own, abuse, and limits of clients, on one host with both roles."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from typing import Any

import pytest

from lab import claims, faults, hosts, playbooks
from lab.checkout import ROOT

HOST = "mx1"
NAME = "mx1.lab.example"
CONVERGE = str(playbooks.MOLECULE / "both/converge.yml")
# It imports nothing of the collection, which is not installed here.
recipient_keys = runpy.run_path(str(ROOT / "plugins/module_utils/_model/delimiters.py"))["recipient_keys"]
# At once, from one address; those that are greeted by something else than 220 are the ones too many.
CLIENT = """
import socket, sys
found = []
for _number in range(int(sys.argv[2])):
    link = socket.create_connection((sys.argv[1], 25), 20)
    found.append((link, link.makefile("rb").readline()[:3].decode()))
print(*(code for _link, code in found))
"""
AT_ONCE = 20
ERRORS_AT_ONCE = 5
LIMITS = {
    "connections": AT_ONCE,
    "connections_per_minute": 600,
    "messages_per_minute": 600,
    "recipients_per_minute": 3000,
    "errors": 20,
}
SETTINGS: dict[str, Any] = {
    "secondary_mx_recipient_delimiter": "+-",
    "secondary_mx_abuse": True,
    "secondary_mx_limits": LIMITS,
}


def play(**variables: Any) -> playbooks.Run:
    run = playbooks.play("both", CONVERGE, variables=variables)
    assert run.code == 0, run.said
    return run


@pytest.fixture(scope="module", autouse=True)
def settings() -> Iterator[playbooks.Run]:
    """All three are set in one run."""
    before = hosts.on(HOST, "cat", "/etc/postfix/main.cf")
    yield play(**SETTINGS)
    hosts.on(HOST, "sh", "-c", "cat > /etc/postfix/main.cf", given=before)
    hosts.on(HOST, "postfix", "reload")
    play()
    claims.refuses_unknown(HOST, "abuse@away.example")


def answers(local_parts: list[str]) -> dict[str, int]:
    """What the host says of these recipients at away.example; few in a connection, as it slows down whoever errs."""
    addresses = [f"{local_part}@away.example" for local_part in local_parts]
    orders = [
        {"server": NAME, "sender": hosts.STRANGER, "recipients": addresses[first : first + ERRORS_AT_ONCE]}
        for first in range(0, len(addresses), ERRORS_AT_ONCE)
    ]
    codes = [code for said in hosts.talk_often(orders) for code, _text in said.rcpt]
    return dict(zip(local_parts, codes, strict=True))


def greetings(origin: str, number: int) -> list[str]:
    return hosts.on(origin, "python3", "-c", CLIENT, NAME, str(number)).split()


def test_run_that_sets_a_delimiter_names_mail_hosts_that_lack_it(settings: playbooks.Run) -> None:
    said = " ".join(settings.said.split())
    for domain in ("away.example", "gateway.example"):
        assert f"{domain}: its mail host mail.lab.example refuses mail for user-tag" in said
    assert "refuses mail for user+tag" not in said
    assert "alice" not in settings.output and "ivan" not in settings.output


def test_limits_hold_for_strangers_and_not_for_the_hosts_of_the_domains() -> None:
    assert greetings("tester", AT_ONCE + 2) == ["220"] * AT_ONCE + ["421"] * 2
    assert greetings("mail", AT_ONCE + 2) == ["220"] * (AT_ONCE + 2)
    mail = hosts.on(HOST, "getent", "ahostsv4", "mail.lab.example").split()[0]
    for role in ("primary_mx", "secondary_mx"):
        assert mail in faults.parameter(HOST, f"mxrelay_limit_exceptions_{role}")


def test_abuse_is_accepted_for_the_domains_of_the_role_that_wants_it() -> None:
    claims.accepts(HOST, "abuse@away.example")
    claims.refuses_unknown(HOST, "abuse@gateway.example")


def test_mail_with_a_word_of_the_users_own_arrives() -> None:
    claims.delivers_once(HOST, "ivan+lists@away.example", "ivan@away.example")


def test_second_run_changes_nothing() -> None:
    before = faults.state_of(HOST)
    assert play(**SETTINGS).changed == {NAME: 0}
    assert faults.state_of(HOST) == before


@pytest.mark.parametrize("delimiters", ["", "+", "+-", "-+"])
def test_recipient_is_known_as_the_model_says(delimiters: str) -> None:
    faults.set_parameters(HOST, {"recipient_delimiter": delimiters})
    words = ["", "tag", "a+b", "a-b", "-", "Request"]
    names = ["ivan", "IVAN", "nobody", "owner-ivan", "", "postmaster"]
    local_parts = [f"{name}{mark}{word}" for name in names for mark in "+-" for word in words]
    asked = [local_part for local_part in local_parts if not local_part.startswith("-")]
    known = {f"{name}@away.example" for name in ("ivan", "judy", "postmaster", "abuse")}
    expected = {
        local_part: 250 if known.intersection(recipient_keys(f"{local_part}@away.example", delimiters)) else 550
        for local_part in asked
    }
    assert answers(asked) == expected


def test_limits_that_cut_mail_servers_off_are_refused() -> None:
    before = faults.state_of(HOST)
    run = playbooks.play("both", CONVERGE, variables={"secondary_mx_limits": {"connections": 1}})
    assert run.code != 0
    assert "limits.connections is 1, less than 20" in run.said
    assert faults.state_of(HOST) == before
