# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    ServedCertificate,
    TlsaRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import network, os_release, served_certificate
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.dns_records import Question, Replies, Reply
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import SystemNetwork
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import Approach, SmtpProber

FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.7
           /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
Local:
        |-- 127.0.0.1
           /32 host LOCAL
"""
IF_INET6 = """\
00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000007 02 40 00 80     eth0
"""


def address(text: str) -> SimpleNamespace:
    return SimpleNamespace(address=text)


def exchanger(preference: int, host: str) -> SimpleNamespace:
    return SimpleNamespace(preference=preference, exchange=host)


@pytest.fixture(name="dns")
def _dns(monkeypatch: pytest.MonkeyPatch) -> Replies:
    """What DNS answers; a question that is not in it gets no answer. Only 192.0.2.53 is asked."""
    replies: Replies = {}

    def ask(questions: Sequence[Question], servers: Sequence[str]) -> Replies:
        assert tuple(servers) == ("192.0.2.53",)
        return {question: replies[question] for question in questions if question in replies}

    monkeypatch.setattr(network, "ask", ask)
    return replies


def system() -> SystemNetwork:
    return SystemNetwork(["192.0.2.53"])


def test_own_addresses_are_those_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"/proc/net/fib_trie": FIB_TRIE, "/proc/net/if_inet6": IF_INET6}
    monkeypatch.setattr(network, "_read_text", files.__getitem__)
    assert system().own_addresses() == {"192.0.2.7", "127.0.0.1", "::1", "2001:db8::7"}


def test_own_addresses_are_those_of_the_host_name_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_read_text", lambda _path: "")
    monkeypatch.setattr(socket, "gethostname", lambda: "127.0.0.1")
    assert system().own_addresses() == {"127.0.0.1"}


def test_name_without_an_address_is_left_out() -> None:
    assert system().addresses(["127.0.0.1", "::1", "a..b"]) == {"127.0.0.1": ("127.0.0.1",), "::1": ("::1",)}


def test_name_that_takes_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()

    def resolve(name: str) -> tuple[str, ...]:
        if name == "slow.example":
            never.wait()
        return ("192.0.2.1",)

    monkeypatch.setattr(network, "_resolve", resolve)
    monkeypatch.setattr(network, "NAME_SECONDS", 0.2)
    assert system().addresses(["slow.example", "mx.example"]) == {"mx.example": ("192.0.2.1",)}
    never.set()


def test_exchangers_are_sorted_and_have_their_addresses(dns: Replies) -> None:
    dns["x.example", "MX"] = Reply([exchanger(20, "MX2.example."), exchanger(10, "mx1.example.")])
    dns["mx1.example", "A"] = Reply([address("192.0.2.1")])
    dns["mx1.example", "AAAA"] = Reply([address("2001:db8::1")])
    dns["mx2.example", "A"] = Reply([address("192.0.2.2")], alias=True)
    assert system().exchangers(["x.example", "silent.example"]) == {
        "x.example": (
            MxRecord(10, "mx1.example", ("192.0.2.1", "2001:db8::1"), alias=False, resolved=True),
            MxRecord(20, "mx2.example", ("192.0.2.2",), alias=True, resolved=False),
        )
    }


def test_hosts_of_a_domain_with_many_are_behind_the_first_of_the_others(
    dns: Replies, monkeypatch: pytest.MonkeyPatch
) -> None:
    dns["many.example", "MX"] = Reply([exchanger(10, f"a{number}.many.example.") for number in range(40)])
    dns["x.example", "MX"] = Reply([exchanger(10, "z.example."), exchanger(20, "a0.many.example.")])
    asked: list[Question] = []
    answer = network.ask

    def ask(questions: Sequence[Question], servers: Sequence[str]) -> Replies:
        asked.extend(questions)
        return answer(questions, servers)

    monkeypatch.setattr(network, "ask", ask)
    system().exchangers(["many.example", "x.example"])
    hosts = [name for name, kind in asked if kind == "AAAA"]
    assert hosts[:3] == ["a0.many.example", "z.example", "a1.many.example"]
    assert len(hosts) == 41


def test_domain_without_mx_is_its_own_exchanger_if_it_has_an_address(dns: Replies) -> None:
    for name, records in (("x.example", [address("192.0.2.1")]), ("y.example", [])):
        dns[name, "MX"] = Reply()
        dns[name, "A"] = Reply(records)
        dns[name, "AAAA"] = Reply()
    assert system().exchangers(["x.example", "y.example"]) == {
        "x.example": (MxRecord(0, "x.example", ("192.0.2.1",), alias=False, resolved=True),),
        "y.example": (),
    }


def test_null_mx_is_no_exchanger(dns: Replies) -> None:
    dns["x.example", "MX"] = Reply([exchanger(0, ".")])
    assert system().exchangers(["x.example"]) == {"x.example": ()}


def test_policy_is_fetched_for_domains_that_announce_one(dns: Replies, monkeypatch: pytest.MonkeyPatch) -> None:
    dns["_mta-sts.x.example", "TXT"] = Reply([SimpleNamespace(strings=(b"v=STS", b"v1; id=1;"))])
    dns["_mta-sts.y.example", "TXT"] = Reply([SimpleNamespace(strings=(b"v=spf1 -all",))])
    dns["_mta-sts.z.example", "TXT"] = Reply([SimpleNamespace(strings=(b"v=STSv1; id=2;",))])
    policies = {"x.example": "version: STSv1\nmode: enforce\n", "z.example": ""}
    monkeypatch.setattr(network, "_policy", policies.__getitem__)
    assert system().policies(["x.example", "y.example", "z.example", "silent.example"]) == policies


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_policy_that_can_not_be_fetched_is_empty(dns: Replies, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_call: object, **_how: object) -> None:
        raise ConnectionRefusedError

    dns["_mta-sts.x.example", "TXT"] = Reply([SimpleNamespace(strings=(b"v=STSv1; id=1;",))])
    monkeypatch.setattr("http.client.HTTPSConnection.request", refuse)
    assert system().policies(["x.example"]) == {"x.example": ""}


def test_missing_library_has_the_name_of_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "os-release").write_text("ID=fedora\n")
    monkeypatch.setattr(os_release, "OS_RELEASE", str(tmp_path / "os-release"))
    monkeypatch.setattr(network, "has_dnspython", lambda: False)
    assert SystemNetwork().lacks() == "python3-dns"


@pytest.mark.parametrize(("there", "lacks"), [(True, ""), (False, "python3-dnspython")])
def test_package_that_dns_needs_is_named_if_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, there: bool, lacks: str
) -> None:
    monkeypatch.setattr(network, "has_dnspython", lambda: there)
    assert system().lacks() == lacks


def test_records_of_a_certificate_are_those_of_the_port_of_mail(dns: Replies) -> None:
    dns["_25._tcp.mx.example", "TLSA"] = Reply([SimpleNamespace(usage=3, selector=1, mtype=1, cert=b"digest")])
    dns["_25._tcp.bare.example", "TLSA"] = Reply()
    records = {"mx.example": (TlsaRecord(3, 1, 1, b"digest"),)}
    assert system().tlsa(["mx.example", "bare.example", "silent.example"]) == records


def test_certificate_is_asked_for_with_the_patience_that_the_way_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def look(*place: object, **how: object) -> ServedCertificate:
        asked.append((*place, how))
        return ServedCertificate("seen")

    monkeypatch.setattr(served_certificate, "served_certificate", look)
    assert system().certificate("127.0.0.1", 25, "mx.example") == ServedCertificate("seen")
    system().certificate("mx.example", 25, "mx.example", away=True)
    assert asked == [
        ("127.0.0.1", 25, "mx.example", {"helo": "mx.example"}),
        ("mx.example", 25, "mx.example", {"seconds": 15.0}),
    ]


@pytest.mark.parametrize(
    ("banner", "failure", "expected"),
    [
        ((220, "mx.example ESMTP"), "", ""),
        # Somebody is there, who likes this client not.
        ((554, "5.7.1 go away"), "", ""),
        ((421, "4.3.2 All server ports are busy"), "", "it answers 421 4.3.2 All server ports are busy"),
        (None, "it does not answer the connection within 15 s", "it does not answer the connection within 15 s"),
    ],
)
def test_greeting_is_whatever_a_server_says(
    banner: tuple[int, str] | None, failure: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def talk(_self: object, approach: Approach, transactions: object, _deadline: float) -> list[Talk]:
        assert (approach.server, approach.port, transactions) == ("192.0.2.9", 25, [("", ())])
        return [Talk(approach.server, banner=banner, failure=failure)]

    monkeypatch.setattr(SmtpProber, "talk", talk)
    assert SystemNetwork().greeting("192.0.2.9", 25) == expected


def test_port_is_known_by_number_or_name() -> None:
    ports = SystemNetwork()
    assert [ports.port(name) for name in ("2525", "smtp", "no-such-service")] == [2525, 25, 0]
