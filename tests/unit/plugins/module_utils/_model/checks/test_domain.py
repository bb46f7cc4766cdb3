# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import checks_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import DOMAIN
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, HostState, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reports import ReportEvidence

VALUES = {
    "myhostname": "mx.example",
    "relay_recipient_maps": "hash:/t/relay_recipients",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
}
OWN = MxRecord(20, "mx.example", ("192.0.2.9",))
OTHER = MxRecord(10, "primary.example", ("192.0.2.1",))


def host(**values: str) -> HostState:
    return HostState(values={**VALUES, **values}, own_addresses=frozenset({"192.0.2.9"}))


def judged(state: HostState, **fields: Any) -> list[Finding]:
    defaults: dict[str, Any] = {
        "name": "x.example",
        "relayed": "x.example",
        "recipients": 2,
        "exchangers": [OTHER, OWN],
    }
    domain = DomainEvidence(**{**defaults, **fields})
    return [finding for check in checks_of(DOMAIN) for finding in check(domain, state)]


def found(state: HostState, **fields: Any) -> list[tuple[str, ...]]:
    return [(finding.domain, finding.check, finding.severity, finding.scope) for finding in judged(state, **fields)]


def row(result: str) -> Capture:
    return Capture("hash:/t", "x.example", result)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"relayed": ""}, ("relay_domains", "error", "local")),
        ({"classes": {"mydestination": "x.example"}}, ("class", "error", "local")),
        ({"recipients": 0}, ("no_recipients", "error", "local")),
        ({"answer": row("relay:[mx.example]")}, ("own_nexthop", "error", "local")),
        (
            {"answer": row("relay:[mail]:25"), "nexthop_addresses": ["192.0.2.9"]},
            ("own_nexthop", "error", "local"),
        ),
        ({"exchangers": [OWN]}, ("best_mx", "error", "local")),
        ({"exchangers": [OWN], "answer": row("relay:")}, ("best_mx", "error", "local")),
    ],
)
def test_domain_is_judged(fields: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert found(host(), **fields) == [("x.example", *expected)]


@pytest.mark.parametrize(
    "fields",
    [
        {"recipients": 0, "other_maps": True},
        {"exchangers": [OWN], "answer": row("relay:[mail.example]")},
        {"exchangers": None},
    ],
)
def test_domain_with_nothing_against_it(fields: dict[str, Any]) -> None:
    assert found(host(), **fields) == []


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"all_routed": True}, False),
        ({"all_routed": False}, True),
        ({"all_routed": True, "other_maps": True}, True),
        ({"all_routed": True, "wildcard": True}, True),
    ],
)
def test_domain_whose_addresses_have_rows_of_their_own_needs_one_for_each(fields: dict[str, Any], wrong: bool) -> None:
    told = found(host(), exchangers=[OWN], routed_addresses=2, **fields)
    assert [finding[1:] for finding in told if finding[1] == "best_mx"] == [("best_mx", "error", "local")] * wrong


def test_relayhost_takes_mail_without_a_transport_row() -> None:
    state = host(relayhost="[smart]")
    assert found(state) == [("x.example", "relayhost", "error", "local")]
    assert found(state, answer=row("relay:")) == []


def test_empty_recipient_maps_accept_everything() -> None:
    assert found(host(relay_recipient_maps=""), recipients=0) == [
        ("x.example", "accepts_any", "warning", "local"),
        ("x.example", "backscatter", "warning", "local"),
    ]


def test_wildcard_accepts_everything_and_what_bounces_goes_to_strangers() -> None:
    wild = {"recipients": 0, "wildcard": True}
    assert found(host(), **wild) == [
        ("x.example", "accepts_any", "info", "local"),
        ("x.example", "backscatter", "warning", "local"),
    ]


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ({"bounce/unix": "HOLD", "defer/unix": "REDIRECT a@b.example"}, False),
        ({"bounce/unix": "HOLD", "defer/unix": ""}, True),
        ({}, True),
    ],
)
def test_what_is_kept_from_strangers_does_not_bounce_to_them(actions: dict[str, str], told: bool) -> None:
    state = replace(host(), reports=ReportEvidence(actions={"x.example": actions}))
    checks = [finding[1] for finding in found(state, recipients=0, wildcard=True)]
    assert ("backscatter" in checks) is told


def test_domain_that_is_not_relayed_has_no_other_fault() -> None:
    fields = {"classes": {"mydestination": "x.example"}, "recipients": 0, "answer": row("discard:")}
    assert [finding.check for finding in judged(host(relayhost="[smart]"), relayed="", **fields)] == ["relay_domains"]


@pytest.mark.parametrize(
    ("values", "fields", "expected"),
    [
        ({}, {"wildcard": True, "verified": True}, ["backscatter"]),
        (
            {"relay_recipient_maps": "", "smtpd_recipient_restrictions": "reject_unverified_recipient"},
            {"recipients": 0},
            ["backscatter"],
        ),
        ({}, {"wildcard": True}, ["accepts_any", "backscatter"]),
    ],
)
def test_recipients_that_only_the_mail_host_knows(
    values: dict[str, str], fields: dict[str, Any], expected: list[str]
) -> None:
    assert [finding.check for finding in judged(host(**values), **fields)] == expected


@pytest.mark.parametrize(("program", "loops"), [("smtp -v", True), ("lmtp", False)])
def test_own_nexthop_is_one_for_a_service_of_another_name_that_runs_smtp(program: str, loops: bool) -> None:
    own = Service("slow", "unix", "-", "-", "n", "-", "2", program, {})
    state = replace(host(), services=[own])
    told = [finding.check for finding in judged(state, answer=row("slow:[mx.example]"))]
    assert told == ["own_nexthop"] * loops


def test_backscatter_is_told_with_when_it_comes() -> None:
    def told(**fields: Any) -> tuple[str, str]:
        (finding,) = [finding for finding in judged(host(), **fields) if finding.check == "backscatter"]
        return finding.severity, finding.message.partition(", and what")[0]

    assert told(wildcard=True) == ("warning", "every recipient is accepted")
    asked = ("info", "every recipient is accepted while that can't be asked")
    assert told(wildcard=True, verified=True) == asked


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ("discard:", "its mail goes nowhere"),
        ("error:gone", "its mail goes nowhere"),
        ("virtual:", "its mail is not sent to its mail host"),
    ],
)
def test_row_by_which_mail_does_not_leave_is_the_only_fault_of_its_way_out(result: str, words: str) -> None:
    (finding,) = judged(host(relayhost="[smart]"), answer=row(result), exchangers=[OWN])
    assert (finding.check, finding.message) == (
        "transport",
        f"hash:/t in transport_maps answers {result} for x.example: {words}",
    )


@pytest.mark.parametrize(
    ("values", "answer", "captor"),
    [
        ({"relayhost": "[smart]"}, row(":"), "relayhost [smart]"),
        ({"sender_dependent_relayhost_maps": "hash:/s"}, None, "sender_dependent_relayhost_maps"),
    ],
)
def test_what_takes_the_mail_is_named(values: dict[str, str], answer: Capture | None, captor: str) -> None:
    (finding,) = judged(host(**values), answer=answer)
    assert (finding.check, finding.message) == ("relayhost", f"{captor} takes its mail instead of its MX hosts")


def test_host_that_relay_transport_names_is_meant() -> None:
    """Kind H: whoever sends all relay domains to one host has set that for them alone."""
    (finding,) = judged(host(), relay_transport="smtp:[192.0.2.7]:25", exchangers=[OWN])
    assert (finding.check, finding.severity, finding.message) == (
        "relayhost",
        "info",
        "relay_transport smtp:[192.0.2.7]:25 takes its mail instead of its MX hosts",
    )
    assert judged(host(relayhost="[smart]"), relay_transport="smtp:[192.0.2.7]:25", answer=row("relay:")) == []


@pytest.mark.parametrize(("value", "words"), [("discard:", "goes nowhere"), ("local", "is not sent to its mail host")])
def test_relay_transport_by_which_mail_does_not_leave(value: str, words: str) -> None:
    (finding,) = judged(host(), relay_transport=value)
    assert (finding.check, finding.message) == (
        "transport",
        f"relay_transport is {value}, and no transport row says otherwise: its mail {words}",
    )


@pytest.mark.parametrize("result", ["tickets:", "tickets:mx.example", "lmtp:unix:private/lmtp", "lmtp:[192.0.2.9]:24"])
def test_mail_that_another_program_delivers_does_not_loop(result: str) -> None:
    """Kind H: no MX record is looked up for it."""
    services = [
        Service(name, "unix", "-", "-", "-", "-", "-", command, {})
        for name, command in (("relay", "smtp"), ("tickets", "pipe argv=/bin/true"), ("lmtp", "lmtp"))
    ]
    seen = judged(replace(host(), services=services), answer=row(result), exchangers=[OWN])
    assert [finding.check for finding in seen if finding.severity != "info"] == []


def test_nexthop_of_relay_transport_without_brackets() -> None:
    seen = judged(host(), relay_transport="smtp:mail.example", nexthop_exchangers=[OWN])
    assert [(finding.check, finding.remedy) for finding in seen if finding.severity == "error"] == [
        ("nexthop_brackets", "write smtp:[mail.example] in relay_transport")
    ]


def test_own_address_in_dns_is_this_host_too() -> None:
    behind_nat = MxRecord(20, "mx.example", ("198.51.100.1",))
    fields = {"exchangers": [OTHER, behind_nat], "answer": row("relay:[mail.example]")}
    assert found(host(), nexthop_addresses=["198.51.100.1"], **fields) == [
        ("x.example", "own_nexthop", "error", "local")
    ]
    assert found(host(), nexthop_addresses=["198.51.100.2"], **fields) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"nexthop_unknown": True}, [("mail_host", "error")]),
        ({"nexthop_unknown": True, "nexthop_addresses": ["192.0.2.9"]}, [("own_nexthop", "error")]),
        ({"nexthop_exchangers": [OWN]}, [("nexthop_brackets", "error")]),
        ({"nexthop_exchangers": []}, [("nexthop_brackets", "info")]),
        ({"nexthop_exchangers": [MxRecord(0, "mail.example")]}, [("nexthop_brackets", "info")]),
        ({"nexthop_exchangers": [OTHER]}, []),
        ({"nexthop_exchangers": [OWN], "nexthop_unknown": True}, [("mail_host", "error")]),
        ({"nexthop_exchangers": None}, []),
    ],
)
def test_nexthop_without_brackets(fields: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    seen = judged(host(), answer=row("relay:mail.example"), **fields)
    assert [(finding.check, finding.severity) for finding in seen] == expected


@pytest.mark.parametrize("result", ["relay:[mail.example]", "relay:192.0.2.7", "lmtp:mail.example"])
def test_nexthop_that_is_not_looked_up_by_mx_leads_nowhere_else(result: str) -> None:
    assert judged(host(), answer=row(result), nexthop_exchangers=[OWN]) == []


def test_what_is_refused_and_found_is_said_in_the_same_words() -> None:
    looping = judged(host(), answer=row("relay:[mx.example]")) + judged(host(), exchangers=[OWN])
    looping += judged(host(), classes={"mydestination": "x.example"})
    looping += judged(host(), answer=row("relay:[gone.example]"), nexthop_unknown=True)
    assert [(finding.check, finding.message, finding.remedy) for finding in looping] == [
        (
            "own_nexthop",
            "its mail is sent to mx.example (relay:[mx.example]), which is this host: it loops back and bounces",
            "name the host that keeps its mailboxes in its transport row (mail_host in the roles)",
        ),
        (
            "best_mx",
            "this host (mx.example, preference 20) is its best MX and has no transport row that names its mail host: "
            "its mail loops back and bounces",
            "add a transport row with the host that keeps its mailboxes (in the roles, make it primary with a "
            "mail_host), or give the primary's MX record a lower preference than this host's",
        ),
        (
            "class",
            "it is also in mydestination (x.example), but a domain can be in only one address class",
            "remove it from mydestination, or leave it out of relay_domains",
        ),
        (
            "mail_host",
            "its mail is sent to gone.example, which does not exist in DNS: it is returned at once",
            "correct the name in its transport row (mail_host in the roles), or add it to DNS",
        ),
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"relayed": "", "declared": "secondary"},
            "x.example (relay_domains): it is not in relay_domains, so its mail is refused; run the role secondary_mx "
            "for it, or declare it with state: absent",
        ),
        (
            {"answer": row("relay:[mail.example]"), "declared": "secondary"},
            "x.example (declared_role): it is declared for secondary_mx, but this host is its primary MX: the "
            "transport row x.example sends its mail to mail.example; run the role secondary_mx for it, or declare it "
            "for primary_mx",
        ),
        (
            {"answer": row("relay:"), "declared": "primary"},
            "x.example (declared_role): it is declared for primary_mx, but this host is its secondary MX: no transport "
            "row names its mail host; run the role primary_mx for it, or declare it for secondary_mx",
        ),
        (
            {"declared": ""},
            "x.example (undeclared): it is relayed, but no role declares it; declare it in secondary_mx_domains, or "
            "remove it from this host with state: absent",
        ),
        (
            {"declared": "absent"},
            "x.example (undeclared): it is declared with state: absent, but still relayed; run the role for it, or "
            "declare it with state: present",
        ),
    ],
)
def test_domain_is_compared_with_what_is_declared(fields: dict[str, Any], text: str) -> None:
    assert [finding.as_result()["text"] for finding in judged(host(), **fields)] == [text]


@pytest.mark.parametrize(
    "fields",
    [
        {"declared": "secondary"},
        {"declared": "secondary", "answer": row("relay:")},
        {"declared": "primary", "answer": row("relay:[mail.example]")},
        {"declared": "absent", "relayed": ""},
        {"declared": None},
    ],
)
def test_domain_that_is_as_declared_has_no_finding(fields: dict[str, Any]) -> None:
    assert judged(host(), **fields) == []


def test_each_mail_host_of_a_route_is_judged() -> None:
    domain = DomainEvidence(
        "x.example", "x.example", recipients=2, exchangers=[OWN], answer=row("relay:[a.example],[mx.example],c.example")
    ).with_others()
    domain.others[1].nexthop_unknown = True
    domain.others[1].nexthop_exchangers = []
    found = [finding for check in checks_of(DOMAIN) for finding in check(domain, host())]
    assert [(finding.check, finding.message.partition(" (")[0]) for finding in found] == [
        ("own_nexthop", "its mail is sent to mx.example"),
        ("mail_host", "its mail is sent to c.example, which does not exist in DNS: it is returned at once"),
    ]


@pytest.mark.parametrize(
    ("route", "version", "bad"),
    [
        ("relay:[a.example]:25,[b.example]:25", (3, 5, 0), ""),
        ("relay:[a.example]:25,relay:[b.example]:25", (3, 10, 13), "relay:[b.example]:25"),
        ("relay:[a.example],[b.example]", (3, 4, 29), "[a.example],[b.example]"),
        ("relay:[a.example]", (3, 4, 29), ""),
        ("discard:x/y", (3, 10, 13), ""),
    ],
)
def test_host_of_a_route_at_which_smtp_stops(route: str, version: tuple[int, ...], bad: str) -> None:
    state = replace(host(), version=version)
    said = [finding for finding in judged(state, answer=row(route)) if finding.check == "nexthop_list"]
    assert [finding.message.partition(" in ")[0] for finding in said] == ([bad] if bad else [])
    assert [finding.remedy.endswith("; Postfix before 3.5 takes one alone") for finding in said] == [
        version < (3, 5) for _finding in said
    ]
