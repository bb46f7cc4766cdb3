# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import probe
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.probe import (
    DOMAINS,
    as_stranger,
    ask_mail_hosts,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, HostState, MxRecord
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeProber

HOST = HostState(values={"myhostname": "mx.example"}, own_addresses=frozenset({"192.0.2.9"}))
OWN = MxRecord(10, "mx.example", ("192.0.2.9",))
OTHER = MxRecord(20, "primary.example", ("192.0.2.1",))


def domain(name: str = "x.example", result: str = "", **fields: Any) -> DomainEvidence:
    answer = Capture("hash:/t", name, result) if result else None
    return DomainEvidence(name, name, answer=answer, **fields)


@pytest.mark.parametrize(
    ("evidence", "server", "port"),
    [
        (domain(result="relay:[mail.example]"), "mail.example", 25),
        (domain(result="relay:[mail.example]:2525"), "mail.example", 2525),
        (domain(result="smtp:[2001:db8::1]:26"), "2001:db8::1", 26),
        (domain(result="relay:mail.example", nexthop_exchangers=[OTHER]), "primary.example", 25),
        (domain(result="relay:mail.example:26", nexthop_exchangers=[]), "mail.example", 26),
        (domain(exchangers=[OWN, OTHER]), "primary.example", 25),
    ],
)
def test_mail_host_is_the_one_that_mail_would_go_to(evidence: DomainEvidence, server: str, port: int) -> None:
    prober = FakeProber()
    evidence.probe_recipient = "a@x.example"
    assert ask_mail_hosts([evidence], HOST, prober) == []
    asked = prober.talks[0]
    assert asked[:2] == (server, port)
    assert asked[2][0] == "a@x.example"
    assert asked[2][1].startswith("mxrelay-probe-") and asked[2][1].endswith("@x.example")
    assert evidence.talk is not None and evidence.talk.server == server


@pytest.mark.parametrize(
    "evidence",
    [domain(result="discard:"), domain(exchangers=[OWN]), domain(), DomainEvidence("x.example", exchangers=[OTHER])],
)
def test_nobody_is_asked_where_there_is_no_mail_host(evidence: DomainEvidence) -> None:
    prober = FakeProber()
    assert ask_mail_hosts([evidence], HOST, prober) == []
    assert prober.talks == []


def test_mail_hosts_of_many_domains_are_asked_about_the_first_only() -> None:
    prober = FakeProber()
    many = [domain(f"d{number}.example", "relay:[mail.example]") for number in range(DOMAINS + 5)]
    assert ask_mail_hosts(many, HOST, prober) == [
        "the mail hosts of 5 more domains were not asked; name these domains to ask them"
    ]
    assert len(prober.talks) == DOMAINS


def test_dead_mail_host_is_asked_once() -> None:
    prober = FakeProber()
    prober.dead.add("mail.example")
    domains = [domain("x.example", "relay:[mail.example]"), domain("y.example", "relay:[mail.example]")]
    ask_mail_hosts(domains, HOST, prober)
    assert len(prober.talks) == 1
    assert [domain.talk.failure for domain in domains if domain.talk] == ["Connection refused"] * 2


def test_mail_host_that_breaks_off_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    prober = FakeProber()
    broken = Talk("mail.example", "it does not answer EHLO within 15 s", (220, "ready"))
    monkeypatch.setattr(prober, "talk", lambda *said: [broken, prober.talks.append(said)][0])
    domains = [domain("x.example", "relay:[mail.example]"), domain("y.example", "relay:[mail.example]")]
    assert ask_mail_hosts(domains, HOST, prober) == []
    assert (len(prober.talks), [domain.talk for domain in domains]) == (1, [broken, broken])


def test_mail_host_is_not_blamed_if_our_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    prober = FakeProber()
    prober.dead.add("mail.example")
    moments = iter([0.0, 59.0, 60.0])
    monkeypatch.setattr(probe.time, "monotonic", lambda: next(moments))
    domains = [domain("x.example", "relay:[mail.example]"), domain("y.example", "relay:[mail.example]")]
    assert ask_mail_hosts(domains, HOST, prober) == [
        "the mail hosts of 2 more domains were not asked; name these domains to ask them"
    ]
    assert [domain.talk for domain in domains] == [None, None]


def stranger(prober: FakeProber, **params: Any) -> dict[str, Any]:
    return as_stranger({"probe_server": "mx.example", "domains": ["X.example"], **params}, prober).results


def test_stranger_names_known_and_unknown_recipients_and_those_elsewhere() -> None:
    prober = FakeProber()
    prober.answers = {
        "mxrelay-probe-": (550, "5.1.1 unknown"),
        "a@": (250, "ok"),
        "postmaster@": (250, "ok"),
        "": (554, "no"),
    }
    results = stranger(prober, probe_recipients={"x.example": "a@x.example"}, probe_port=26)
    assert results["findings"] == []
    assert [talk[1] for talk in prober.talks] == [26, 26, 26]
    assert prober.talks[0][2][:2] == ("a@x.example", "postmaster@x.example")
    assert [len(talk[2]) for talk in prober.talks] == [3, 4, 3]


@pytest.mark.parametrize("shown", [False, True])
def test_stranger_names_the_recipient_only_on_demand(shown: bool) -> None:
    prober = FakeProber()
    prober.answers = {"alice@": (550, "5.1.1 <alice@x.example> unknown"), "": (554, "no")}
    results = stranger(prober, probe_recipients={"x.example": "alice@x.example"}, show_recipients=shown)
    name = "alice@x.example" if shown else "[a recipient]"
    assert f"mail for {name} is refused (550 5.1.1 <{name}> unknown)" in [
        finding["message"] for finding in results["findings"]
    ]
    assert name in results["probes"][0]["recipients"]
    assert ("alice@x.example" in str(results)) is shown


def test_silent_server_is_asked_once() -> None:
    prober = FakeProber()
    prober.dead.add("mx.example")
    results = stranger(prober, domains=["x.example", "y.example"])
    assert [finding["check"] for finding in results["findings"]] == ["probe_connect"]
    assert len(prober.talks) == 1


def test_stranger_asks_about_the_first_domains_only() -> None:
    results = stranger(FakeProber(), domains=[f"d{number}.example" for number in range(DOMAINS + 2)])
    assert results["notes"] == ["2 more domains were not asked about; name them to ask about them"]


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"domains": []}, "name at least one"),
        ({"domains": ["a/b"]}, r'"a/b" \(domains\[0\]\)'),
        ({"probe_recipients": {"x.example": "nobody"}}, r"probe_recipients\[x.example\]"),
    ],
)
def test_what_can_not_be_asked_is_refused(params: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        stranger(FakeProber(), **params)
