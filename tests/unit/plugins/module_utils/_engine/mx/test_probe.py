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
    tagged,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import ServedCertificate
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, HostState, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.probe_senders import ProbeSenders
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import Approach
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeNetwork, FakeProber
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.own_clock import set_clock

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
        (domain(result="relay:[mail.example]:submission"), "mail.example", 587),
        (domain(result="relay:[mail.example]:smtp"), "mail.example", 25),
        (domain(exchangers=[OWN, OTHER]), "primary.example", 25),
    ],
)
def test_mail_host_is_the_one_that_mail_would_go_to(evidence: DomainEvidence, server: str, port: int) -> None:
    prober = FakeProber()
    evidence.probe_recipient = "a@x.example"
    assert ask_mail_hosts([evidence], HOST, prober, ProbeSenders()) == []
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
    assert ask_mail_hosts([evidence], HOST, prober, ProbeSenders()) == []
    assert prober.talks == []


def test_mail_hosts_of_many_domains_are_asked_about_the_first_only() -> None:
    prober = FakeProber()
    many = [domain(f"d{number}.example", "relay:[mail.example]") for number in range(DOMAINS + 5)]
    assert ask_mail_hosts(many, HOST, prober, ProbeSenders()) == [
        "the mail hosts of 5 more domains were not asked; name these domains to ask them"
    ]
    assert len(prober.talks) == DOMAINS


def test_dead_mail_host_is_asked_once() -> None:
    prober = FakeProber()
    prober.dead.add("mail.example")
    domains = [domain("x.example", "relay:[mail.example]"), domain("y.example", "relay:[mail.example]")]
    ask_mail_hosts(domains, HOST, prober, ProbeSenders())
    assert len(prober.talks) == 1
    assert [domain.talk.failure for domain in domains if domain.talk] == ["Connection refused"] * 2


def test_mail_host_that_breaks_off_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    prober = FakeProber()
    broken = Talk("mail.example", "it does not answer EHLO within 15 s", (220, "ready"))
    monkeypatch.setattr(prober, "talk", lambda *said: [[broken], prober.talks.append(said)][0])
    domains = [domain("x.example", "relay:[mail.example]"), domain("y.example", "relay:[mail.example]")]
    assert ask_mail_hosts(domains, HOST, prober, ProbeSenders()) == []
    assert (len(prober.talks), [domain.talk for domain in domains]) == (1, [broken, broken])


def test_mail_host_is_not_blamed_if_our_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    prober = FakeProber()
    prober.dead.add("mail.example")
    moments = iter([0.0, 59.0, 60.0])
    set_clock(monkeypatch, probe, monotonic=lambda: next(moments))
    domains = [domain("x.example", "relay:[mail.example]"), domain("y.example", "relay:[mail.example]")]
    assert ask_mail_hosts(domains, HOST, prober, ProbeSenders()) == [
        "the mail hosts of 2 more domains were not asked; name these domains to ask them"
    ]
    assert [domain.talk for domain in domains] == [None, None]


def test_mail_host_is_asked_from_fresh_senders_as_well() -> None:
    prober = FakeProber()
    prober.answers = {"MAIL @policy.example": (550, "5.7.23 SPF fail")}
    evidence = domain(result="relay:[mail.example]")
    for _run in range(2):
        ask_mail_hosts([evidence], HOST, prober, ProbeSenders("mx.example", "policy.example"))
    (_approach, first), (_again, second) = prober.approaches
    assert [sender.rpartition("@")[2] for sender, _recipients in first] == ["", "mx.example", "policy.example"]
    assert [recipients for _sender, recipients in first[1:]] == [["postmaster@x.example"]] * 2
    assert first[1][0] != second[1][0]
    assert [talk.mail for talk in evidence.sender_talks] == [(250, "ok"), (550, "5.7.23 SPF fail")]


@pytest.mark.parametrize(
    ("recipient", "ours", "expected"),
    [
        ("a@x.example", "", {"+": "a+mxrelay-probe@x.example"}),
        ("a@x.example", "-+", {"+": "a+mxrelay-probe@x.example", "-": "a-mxrelay-probe@x.example"}),
        ("a@x.example", "+-_", {"+": "a+mxrelay-probe@x.example", "-": "a-mxrelay-probe@x.example"}),
        ("a+b@x.example", "+", {}),
        ("a-b@x.example", "-", {"+": "a-b+mxrelay-probe@x.example"}),
        ("", "+", {}),
    ],
)
def test_recipient_is_tagged_behind_delimiters_that_it_has_not(
    recipient: str, ours: str, expected: dict[str, str]
) -> None:
    assert tagged(recipient, ours) == expected


def test_mail_host_is_asked_about_a_tagged_recipient_by_bounces_alone() -> None:
    prober = FakeProber()
    evidence = domain(result="relay:[mail.example]", probe_recipient="a@x.example")
    ask_mail_hosts([evidence], HOST, prober, ProbeSenders("mx.example"))
    ((_approach, (bounces, ordinary)),) = prober.approaches
    assert (bounces[1][0], bounces[1][2:]) == ("a@x.example", ["a+mxrelay-probe@x.example"])
    assert ordinary[1] == ["a@x.example"]
    assert evidence.tagged == {"+": "a+mxrelay-probe@x.example"}


def test_mail_host_that_this_host_logs_in_to_is_not_asked() -> None:
    prober = FakeProber()
    evidence = domain(result="relay:[mail.example]:587", logs_in=True)
    assert ask_mail_hosts([evidence], HOST, prober, ProbeSenders()) == [
        "mail.example, a mail host, was not asked: this host logs in there, and a probe does not"
    ]
    assert (prober.talks, evidence.talk) == ([], None)


def test_mail_host_is_met_twice_at_once_for_the_first_of_its_domains(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Talk("mail.example", banner=(421, "4.7.0 too many"), again=True)
    welcome = Talk("mail.example", banner=(220, "ready"), mail=(250, "ok"))
    prober = FakeProber()
    met: list[bool] = []

    def talk(approach: Approach, *_asked: object) -> list[Talk]:
        met.append(approach.twice)
        return [welcome, busy] if approach.twice else [welcome]

    monkeypatch.setattr(prober, "talk", talk)
    domains = [domain(name, "relay:[mail.example]") for name in ("x.example", "y.example")]
    ask_mail_hosts(domains, HOST, prober, ProbeSenders())
    assert met == [True, False]
    assert [(evidence.talk, evidence.talks_again) for evidence in domains] == [(welcome, [busy])] * 2


def stranger(prober: FakeProber, **params: Any) -> dict[str, Any]:
    return as_stranger({"probe_server": "mx.example", "domains": ["X.example"], **params}, prober).results


def test_stranger_names_known_and_unknown_recipients_and_those_elsewhere() -> None:
    prober = FakeProber()
    prober.answers = {
        "mxrelay-probe-": (550, "5.1.1 unknown"),
        "a@": (250, "ok"),
        "postmaster@x": (250, "ok"),
        "": (554, "no"),
    }
    results = stranger(prober, probe_recipients={"x.example": "a@x.example"}, probe_port=26)
    assert results["findings"] == []
    assert [talk[1] for talk in prober.talks] == [26, 26, 26, 26]
    assert prober.talks[0][2][:2] == ("a@x.example", "postmaster@x.example")
    assert [len(talk[2]) for talk in prober.talks] == [3, 4, 4, 4]
    assert results["tried"] == ["port 26: 15 recipients from <>"]


def refusing() -> FakeProber:
    prober = FakeProber()
    prober.answers = {"mxrelay-probe-": (550, "5.1.1"), "a@": (250, "ok"), "postmaster@x": (250, "ok"), "": (554, "no")}
    return prober


def openings(results: dict[str, Any]) -> list[str]:
    return [finding["message"] for finding in results["findings"] if finding["check"] == "probe_open_relay"]


def test_stranger_asks_from_an_ordinary_sender_on_every_port() -> None:
    prober = refusing()
    prober.ports[2525] = {"probe@example.net": (250, "ok")}
    results = stranger(
        prober,
        probe_senders={"ordinary": "mx.example"},
        probe_ports=[{"port": 25, "tls": False}, {"port": 465, "tls": True}, {"port": 2525, "tls": False}],
    )
    assert [(approach.port, approach.tls) for approach, _asked in prober.approaches] == [
        *[(25, False)] * 4,
        *[(465, True)] * 3,
        *[(2525, False)] * 3,
    ]
    assert {len(asked) for _approach, asked in prober.approaches} == {2}
    assert results["tried"] == [
        "port 25: 27 recipients from <> and a sender at mx.example",
        "port 465: 24 recipients from <> and a sender at mx.example",
        "port 2525: 24 recipients from <> and a sender at mx.example",
    ]
    assert openings(results) == ["a stranger may send to probe@example.net through mx.example on port 2525 (250 ok)"]


def test_ordinary_sender_that_is_refused_is_told() -> None:
    prober = refusing()
    prober.answers["MAIL @mx.example"] = (550, "5.7.1 go away")
    results = stranger(prober, probe_senders={"ordinary": "mx.example"})
    assert [(finding["check"], finding["message"]) for finding in results["findings"]] == [
        ("probe_refused", "a stranger from a sender at mx.example is refused (550 5.7.1 go away)")
    ]


def test_stranger_who_may_say_that_he_is_another_one_tries_it() -> None:
    prober = refusing()
    prober.extensions["xclient"] = "NAME ADDR"
    prober.guises["XCLIENT"] = {"probe@[240": (250, "ok")}
    results = stranger(prober)
    assert openings(results) == ["a stranger may send to probe@[240.0.0.1] through mx.example by XCLIENT (250 ok)"]
    assert results["tried"] == ["port 25: 14 recipients from <>", "port 25 by XCLIENT: 12 recipients from <>"]


def test_port_that_greets_nobody_is_asked_by_the_proxy_protocol() -> None:
    prober = refusing()
    prober.mute.add(2525)
    prober.guises["PROXY"] = {"": (250, "ok")}
    results = stranger(prober, probe_ports=[{"port": 2525}])
    assert openings(results) == [
        "a stranger may send to probe@[240.0.0.1] through mx.example on port 2525 by PROXY (250 ok)"
    ]
    assert results["tried"][1:] == ["port 2525: no answer (timed out)", "port 2525 by PROXY: 12 recipients from <>"]


def test_other_port_at_which_nobody_answers_is_no_finding() -> None:
    prober = refusing()
    prober.answers.pop("banner", None)
    prober.ports[587] = {"banner": (554, "go away")}
    results = stranger(prober, probe_ports=[{"port": 587}])
    assert (results["findings"], results["tried"][1]) == ([], "port 587: 0 recipients from nobody")


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
    prober.answers["alice@"] = (550, "5.1.1 <alice> is <al@inside.example>, which is unknown")
    results = stranger(prober, probe_recipients={"x.example": "alice@x.example"}, show_recipients=shown)
    assert ("<alice>" in str(results), "al@inside" in str(results)) == (shown, shown)


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
        ({"probe_ports": [{"tls": True}]}, r"probe_ports\[0\] has no port number"),
        ({"probe_senders": {"spf": "x.example"}}, "probe_senders has no option spf"),
        ({"probe_recipients": {"x.example": "nobody"}}, r"probe_recipients\[x.example\]"),
    ],
)
def test_what_can_not_be_asked_is_refused(params: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        stranger(FakeProber(), **params)


def test_stranger_looks_at_the_certificate_of_a_server_that_greets_him() -> None:
    prober, network = FakeProber(), FakeNetwork()
    network.shown[25] = ServedCertificate("mx.example", True, refused="it answers STARTTLS with 454 not available")
    asked = {"probe_server": "mx.example", "domains": ["x.example"]}
    assert "probe_certificate" in [found["check"] for found in as_stranger(asked, prober, network).results["findings"]]
    assert "probe_certificate" not in [found["check"] for found in as_stranger(asked, prober).results["findings"]]
    prober.dead = {"mx.example"}
    found = as_stranger(asked, prober, network).results["findings"]
    assert [finding["check"] for finding in found] == ["probe_connect"]
