# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restrictions, tables, networks, domains and clients drawn at random: what smtpd lets a stranger do is always told.

`MXRELAY_DRAWS=2000 ./run molecule verify` draws more.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import pytest

from lab import hosts, mx_faults, remote

HOST = "mx1"
NAME = "mx1.lab.example"
FOREIGN = "stranger@elsewhere.test"
DRAWS = int(os.environ.get("MXRELAY_DRAWS", "60"))
AT_ONCE = 20
NEIGHBOUR = mx_faults.NOWHERE
FIRST_PORT = 3000
TABLES = 10
# What every service that was asked has answered, as it was asked.
CODES: dict[str, list[int]] = {"as he is": [], "by XCLIENT": [], "as a role was told": []}
TELLING = ("open_relay", "mynetworks", "foreign_domains", "relay_unproven")
TYPES = ("hash", "texthash", "cidr", "regexp", "pcre")
RESULTS = (
    "OK",
    "ok known",
    "RELAY",
    "12345",
    "550 5.7.1 no",
    "REJECT",
    "DUNNO",
    "permit",
    "reject_unlisted_recipient, permit",
    "permit_mynetworks",
    "DEFER_IF_PERMIT later",
    "WARN seen",
    "HOLD",
    "DISCARD",
    "FILTER smtp:[127.0.0.1]:9",
    "REDIRECT alice@gateway.example",
    "PREPEND X-Seen: yes",
    "friends",
    "static:OK",
)
# A restriction that smtpd does not know: no role takes a list with it.
UNKNOWN = "permit_somebody"
# What smtpd logs of mail that it takes and throws away; the services are told apart by their syslog_name.
DISCARDED = re.compile(r"drawn/(\d+)/smtpd\[\d+\]: NOQUEUE: discard: RCPT ")
# Who may say by XCLIENT for whom he speaks; and what he then says.
SPEAKERS = ("static:all", "0.0.0.0/0", "tester.lab.example", "lab.example", "cidr:/etc/postfix/nets", "192.0.2.1", "")
CLAIM = "ADDR=127.0.0.1 NAME=localhost"
# By which parameter the host takes a domain for its own, and what takes in domains that nobody listed.
DESTINATIONS = (
    "relay_domains",
    "mydestination",
    "virtual_alias_domains",
    "virtual_alias_maps",
    "virtual_mailbox_domains",
)
WIDE = (
    "static:all",
    "randmap:{elsewhere.test,other.example}",
    "regexp:/etc/postfix/wide",
    "pcre:/etc/postfix/wide",
    "!gateway.example, static:all",
    "texthash:/etc/postfix/narrow",
    "inline:{other.example=x}",
    "test",
    ".test",
)
CLOSING = ("reject_unauth_destination", "defer_unauth_destination", "reject", "defer")
PLAIN = (
    "permit_mynetworks",
    "permit_sasl_authenticated",
    "permit_auth_destination",
    "permit_inet_interfaces",
    "permit_tls_clientcerts",
    "reject_unlisted_recipient",
    "reject_unauth_pipelining",
    "warn_if_reject reject_unauth_destination",
    "warn_if_reject reject",
    "defer_if_permit",
    "friends",
    "circle",
    "permit",
    UNKNOWN,
    "check_sender_access static:OK",
    "check_client_access static:{OK}",
    "check_helo_access static:REJECT",
    "check_recipient_access randmap:{OK,DUNNO}",
    "check_sender_access inline:{other.example=OK}",
    "static:OK",
)
ACTIONS = (
    "check_client_access",
    "check_reverse_client_hostname_access",
    "check_helo_access",
    "check_sender_access",
    "check_recipient_access",
    "check_recipient_mx_access",
    "check_client_a_access",
    "check_sasl_access",
    "",
)


class Draw:
    """What one host gets: tables that all its services share, and the overrides of each service.

    An address that is listed by itself is that of a neighbour: who is listed himself is no stranger.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.kinds = [self.random.choice(TYPES) for _table in range(TABLES)]

    def keys(self, kind: str) -> tuple[str, ...]:
        if kind == "cidr":
            return (NEIGHBOUR, "0.0.0.0/1", "0.0.0.0/0", "192.0.2.0/24", "!192.0.2.0/24", "::/0")
        if kind in ("regexp", "pcre"):
            return ("/./", "/example$/", "/elsewhere/", "/^nobody/", "!/nobody/")
        prefix = "192.0.2"
        names = ("tester.lab.example", "lab.example", ".lab.example", "unknown", "elsewhere.test", FOREIGN, "stranger@")
        return (NEIGHBOUR, prefix, *names, hosts.STRANGER, "gateway.example", "other.example")

    def tables(self) -> Iterator[str]:
        """The scripts that write the tables."""
        for number, kind in enumerate(self.kinds):
            rows = [
                f"{self.random.choice(self.keys(kind))} {self.random.choice(RESULTS)}"
                for _row in range(self.random.randint(1, 3))
            ]
            path = f"/etc/postfix/drawn{number}"
            yield "\n".join([f"cat > {path} <<'end'", *rows, "end"])
            if kind == "hash":
                yield f"postmap -w hash:{path}"

    def member(self) -> str:
        if self.random.random() < 0.5:
            return self.random.choice(PLAIN)
        number = self.random.randrange(TABLES)
        return f"{self.random.choice(ACTIONS)} {self.kinds[number]}:/etc/postfix/drawn{number}".strip()

    def restrictions(self) -> str:
        """A list that some member closes in the end: smtpd does not start without one."""
        members = [self.member() for _member in range(self.random.randint(1, 3))]
        return ", ".join([*members, self.random.choice(CLOSING)])

    def destination(self) -> tuple[str, str]:
        """A parameter of main.cf and its value; the domains that the roles have written are among its members."""
        name = self.random.choice(DESTINATIONS)
        ours = "gateway.example, away.example, " if name == "relay_domains" else ""
        return name, ours + self.random.choice(WIDE)

    def overrides(self) -> dict[str, str]:
        found = {"smtpd_relay_restrictions": self.restrictions()}
        if self.random.random() < 0.3:
            found["smtpd_recipient_restrictions"] = self.restrictions()
            if self.random.random() < 0.5:
                found["smtpd_relay_restrictions"] = ""
        if self.random.random() < 0.2:
            networks = ("0.0.0.0/1", "lab.example", "0.0.0.0/1 128.0.0.0/1", NEIGHBOUR, "cidr:/etc/postfix/nets")
            found["mynetworks"] = f"127.0.0.0/8 {self.random.choice(networks)}"
        if self.random.random() < 0.3:
            found["smtpd_authorized_xclient_hosts"] = self.random.choice(SPEAKERS)
        return found


@pytest.fixture(scope="module")
def inside() -> Iterator[remote.Remote]:
    host = remote.Remote(HOST)
    host.shell("cp -p /etc/postfix/main.cf /root/main.cf.drawn; cp -p /etc/postfix/master.cf /root/master.cf.drawn")
    yield host
    host.shell("cp -p /root/main.cf.drawn /etc/postfix/main.cf; cp -p /root/master.cf.drawn /etc/postfix/master.cf")
    host.shell("postfix reload")
    host.close()


def configured(inside: remote.Remote, services: dict[int, dict[str, str]], *script: str) -> None:
    """Give the host these services, each with its overrides, besides what the script does to it."""
    lines = []
    for port, overrides in services.items():
        lines += [f"{port} inet n - n - - smtpd", f"  -o syslog_name=drawn/{port}"]
        lines += [f"  -o {{ {name} = {value} }}" for name, value in overrides.items()]
    inside.shell(
        "\n".join(
            [
                "cp -p /root/main.cf.drawn /etc/postfix/main.cf",
                "cp -p /root/master.cf.drawn /etc/postfix/master.cf",
                "echo '0.0.0.0/1 x' > /etc/postfix/nets",
                "echo '/./ x' > /etc/postfix/wide",
                "echo 'other.example x' > /etc/postfix/narrow",
                "postconf -e 'smtpd_restriction_classes = friends, circle' 'friends = permit_mynetworks, permit' "
                "'circle = reject_unlisted_recipient, circle'",
                *script,
                "cat >> /etc/postfix/master.cf <<'end'",
                *lines,
                "end",
                "touch --date=2020-01-01 /etc/postfix/main.cf /etc/postfix/master.cf",
                "postfix reload",
            ]
        )
    )


def asked(ports: Iterable[int], xclient: str = "") -> dict[int, int]:
    """What each service answers a stranger about a foreign recipient; 0 for one that hung up before."""
    orders = [
        {"server": NAME, "port": port, "sender": hosts.STRANGER, "recipients": [FOREIGN], "xclient": xclient}
        for port in ports
    ]
    heard = hosts.talk_often(orders)
    return {port: said.rcpt[0][0] if said.rcpt else 0 for port, said in zip(ports, heard, strict=True)}


def accepted(code: int) -> bool:
    return 200 <= code < 300


def discarded(inside: remote.Remote) -> Counter[int]:
    """How often each service has thrown away what it took, as the host's journal has it."""
    said = inside.shell("journalctl --sync; journalctl --no-pager --quiet | grep -F drawn/ || true")
    return Counter(int(port) for port in DISCARDED.findall(said))


def answers_of(inside: remote.Remote, services: Iterable[int], xclient: str = "") -> dict[int, tuple[int, bool]]:
    """What each service answers a stranger, and whether it throws the mail away."""
    before = discarded(inside)
    codes = asked(services, xclient)
    thrown = discarded(inside) - before
    return {port: (code, port in thrown) for port, code in codes.items()}


def told_of(findings: Iterable[Mapping[str, Any]], port: int, thrown: bool, telling: Collection[str] = TELLING) -> bool:
    """Whether a finding says that the service relays, or of one that throws the mail away, that it does that."""
    return any(
        finding["check"] in telling
        and finding["subject"].split(" ")[0] in ("main.cf", f"{port}/inet")
        or thrown
        and finding["check"] == "diverted"
        and f" of {port}/inet" in finding["message"]
        for finding in findings
    )


@pytest.mark.parametrize("seed", range(DRAWS // AT_ONCE))
def test_whoever_relays_for_a_stranger_is_told_of(inside: remote.Remote, seed: int) -> None:
    draw = Draw(seed)
    services = {FIRST_PORT + number: draw.overrides() for number in range(AT_ONCE)}
    wide = ["postconf -e '{} = {}'".format(*draw.destination())] if seed % 3 == 2 else []
    configured(inside, services, *draw.tables(), *wide)
    heard = {"as he is": answers_of(inside, services), "by XCLIENT": answers_of(inside, services, CLAIM)}
    findings = inside.inform(domains=list(mx_faults.BOTH))["findings"]
    silent = {
        (port, how): (services[port], wide)
        for how, answers in heard.items()
        for port, (code, thrown) in answers.items()
        if accepted(code) and not told_of(findings, port, thrown)
    }
    for how, answers in heard.items():
        CODES[how].extend(code for code, _thrown in answers.values())
    assert silent == {}


def taken_by_role(inside: remote.Remote, wanted: list[str]) -> str:
    """What the role writes for these `relay_restrictions`; "" if it refuses them, or has nothing to write."""
    item = {"name": mx_faults.SECONDARY, "role": "secondary", "recipients_policy": "any"}
    try:
        plan = inside.plan(role="mx", domains=[item], relay_restrictions=wanted)
    except RuntimeError as refused:
        assert UNKNOWN in wanted, refused
        assert f'"{UNKNOWN}" is not a restriction that smtpd knows' in str(refused)
        return ""
    assert UNKNOWN not in wanted or plan["refusals"]
    return "" if plan["refusals"] else str(plan["main_cf"]["parameters"].get("smtpd_relay_restrictions", ""))


@pytest.mark.parametrize("seed", range(max(1, DRAWS // (5 * AT_ONCE))))
def test_no_list_that_a_role_takes_lets_a_stranger_relay(inside: remote.Remote, seed: int) -> None:
    """Lists given as `relay_restrictions`: refused, or told of, or closed."""
    draw = Draw(DRAWS + seed)
    tables = list(draw.tables())
    configured(inside, {}, *tables)
    taken: dict[int, dict[str, str]] = {}
    for port in range(FIRST_PORT, FIRST_PORT + AT_ONCE):
        written = taken_by_role(inside, draw.restrictions().split(", "))
        if written:
            taken[port] = {"smtpd_relay_restrictions": written}
    configured(inside, taken, *tables)
    answers = answers_of(inside, taken)
    findings = inside.inform(domains=list(mx_faults.BOTH))["findings"]
    CODES["as a role was told"].extend(code for code, _thrown in answers.values())
    assert {
        port: taken[port]
        for port, (code, thrown) in answers.items()
        if accepted(code) and not told_of(findings, port, thrown, ["relay_unproven"])
    } == {}


@pytest.mark.parametrize("how", ["as he is", "by XCLIENT"])
def test_some_of_the_draws_were_open_and_some_closed(how: str) -> None:
    """Else they would show nothing."""
    assert any(accepted(code) for code in CODES[how]), CODES
    assert any(code >= 400 for code in CODES[how]), CODES


def test_some_lists_were_taken_by_a_role() -> None:
    assert any(code >= 400 for code in CODES["as a role was told"]), CODES
