# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks import reception
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.admission import AdmissionEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, Rules
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reception import (
    FAMILIES,
    HEADERS,
    HOSTS,
    NAMES,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

SERVICES = [
    Service(name, kind, "-", "-", "n", "-", "-", command, {})
    for name, kind, command in (
        ("smtp", "inet", "smtpd"),
        ("cleanup", "unix", "cleanup"),
        ("smtp", "unix", "smtp"),
        ("pickup", "unix", "pickup"),
    )
]


def host(rules: dict[str, Rules] | None = None, **values: str) -> HostState:
    known = {"queue_directory": "/q", **values}
    return HostState(
        version=(3, 10),
        parameters=known,
        values=known,
        services=SERVICES,
        relayed={"x.example": "x.example", ".x.example": ".x.example", "y.example": "y.example"},
        rules=rules or {},
    )


def judged(state: HostState) -> list[tuple[str, str, str]]:
    return [(finding.domain, finding.check, finding.severity) for finding in _found(state)]


def _found(state: HostState) -> list[Finding]:
    checks = (
        reception.diverted,
        reception.rewritten,
        reception.altered,
        reception.copied,
        reception.filtered,
        reception.filter_silent,
    )
    return [finding for check in checks for finding in check(state, HostFacts())]


@pytest.mark.parametrize(
    ("listed", "answers", "severities"),
    [
        (["REJECT", "dunno"], {}, []),
        (["REJECT", "discard spam"], {}, ["warning"]),
        (["HOLD", "REDIRECT x@y.example"], {}, ["warning", "warning"]),
        (["HOLD"], {HEADERS[1]: "HOLD"}, ["error"]),
        (None, {}, ["info"]),
        (None, {HEADERS[0]: "REDIRECT x@y.example"}, ["error"]),
    ],
)
def test_checks_of_headers(listed: list[str] | None, answers: dict[str, str], severities: list[str]) -> None:
    state = host({"pcre:/h": Rules(listed, answers)}, header_checks="pcre:/h")
    assert judged(state) == [("", "diverted", severity) for severity in severities]


def test_table_of_rules_that_cannot_be_asked_is_left_to_the_check_on_it() -> None:
    state = host({"pcre:/h": Rules(None, {})}, header_checks="pcre:/h")
    assert judged(replace(state, admission=AdmissionEvidence(unread={"pcre:/h": "lost"}))) == []


@pytest.mark.parametrize("action", ["DISCARD", "HOLD", "REDIRECT x@y.example"])
def test_one_result_for_everything(action: str) -> None:
    table = f"static:{action.split()[0]}"
    state = host({table: Rules([action])}, smtpd_recipient_restrictions=f"check_recipient_access {table}")
    assert judged(state) == [("", "diverted", "error")]


def test_what_a_table_says_of_a_domain_counts_once_and_only_where_it_is_asked_for_recipients() -> None:
    every = dict.fromkeys(("y.example", "mxrelay-probe@y.example"), "HOLD")
    rules = {"hash:/r": Rules(["HOLD"], every)}
    state = host(rules, smtpd_recipient_restrictions="check_recipient_access hash:/r")
    assert judged(state) == [("y.example", "diverted", "error"), ("", "diverted", "warning")]
    assert judged(host(rules, smtpd_sender_restrictions="check_sender_access hash:/r")) == [("", "diverted", "warning")]


def test_actions_are_named_in_their_order() -> None:
    many = ["STRIP", "hold", "Replace x", "", "DISCARD", "REDIRECT a@y.example", "ignore"]
    diverted, held, redirected, altered = _found(host({"pcre:/h": Rules(many)}, header_checks="pcre:/h"))
    entries = [finding.message.split()[7].rstrip(":") for finding in (diverted, held, redirected)]
    assert entries == ["DISCARD", "HOLD", "REDIRECT"]
    assert "entries that say IGNORE and REPLACE and STRIP: " in altered.message


@pytest.mark.parametrize("key", ["y.example", "mxrelay-probe@y.example"])
def test_domain_whose_mail_is_diverted_is_named(key: str) -> None:
    rules = {"hash:/r": Rules(["DISCARD"], {key: "DISCARD"})}
    state = host(rules, smtpd_recipient_restrictions="check_recipient_access hash:/r")
    assert judged(state) == [("y.example", "diverted", "error"), ("", "diverted", "warning")]


def test_mail_for_subdomains_is_not_taken_for_that_of_a_domain() -> None:
    rules = {"hash:/r": Rules(["DISCARD"], {".x.example": "DISCARD"})}
    state = host(rules, smtpd_recipient_restrictions="check_recipient_access hash:/r")
    assert judged(state) == [("", "diverted", "warning")]


@pytest.mark.parametrize(
    "action", ["check_client_access", "check_sender_mx_access", "check_helo_ns_access", "check_recipient_a_access"]
)
@pytest.mark.parametrize(
    ("known", "severity"),
    [(FAMILIES[0], "error"), (FAMILIES[1], "error"), (NAMES, "error"), (HOSTS[:2], "warning"), (NAMES[1:], "warning")],
)
def test_hosts_are_all_diverted_where_a_whole_family_is(action: str, known: tuple[str, ...], severity: str) -> None:
    rules = {"regexp:/c": Rules(["HOLD"], dict.fromkeys(known, "HOLD"))}
    state = host(rules, smtpd_relay_restrictions=f"{action} regexp:/c, reject_unauth_destination")
    assert judged(state) == [("", "diverted", severity)]


@pytest.mark.parametrize("action", ["check_reverse_client_hostname_access", "check_helo_access"])
@pytest.mark.parametrize(("known", "severity"), [(NAMES, "error"), (NAMES[1:], "warning"), (NAMES[-1:], "warning")])
def test_names_are_all_diverted_where_each_is(action: str, known: tuple[str, ...], severity: str) -> None:
    rules = {"regexp:/c": Rules(["DISCARD"], dict.fromkeys(known, "DISCARD"))}
    state = host(rules, smtpd_client_restrictions=f"{action} regexp:/c")
    assert judged(state) == [("", "diverted", severity)]


def test_table_that_was_not_read_has_no_finding() -> None:
    assert judged(host(header_checks="pcre:/h", canonical_maps="pcre:/c")) == []


def test_senders_that_are_rewritten() -> None:
    rules = {"regexp:/c": Rules([], {"mxrelay-probe@mxrelay-probe.invalid": "ops@provider.example"})}
    assert judged(host(rules, sender_canonical_maps="regexp:/c")) == [("", "rewritten", "error")]
    assert judged(host({"regexp:/c": Rules(["x"], {})}, sender_canonical_maps="regexp:/c")) == []


DEAD = {"inet:127.0.0.1:1": "Connection refused"}


@pytest.mark.parametrize(
    ("values", "severity", "words"),
    [
        ({"content_filter": "smtp:[127.0.0.1]:1"}, "error", "mail is accepted and then waits"),
        ({"content_filter": "gone:"}, "error", "master.cf has no service gone/unix"),
        ({"smtpd_proxy_filter": "127.0.0.1:1"}, "error", "mail is put off, refused or held"),
        ({"smtpd_milters": "inet:127.0.0.1:1"}, "error", "mail is put off, refused or held"),
        (
            {"smtpd_milters": "inet:127.0.0.1:1", "milter_default_action": "accept"},
            "warning",
            "mail passes without it (accept)",
        ),
        ({"non_smtpd_milters": "inet:127.0.0.1:1"}, "warning", "sent on this host itself"),
    ],
)
def test_what_does_not_answer(values: dict[str, str], severity: str, words: str) -> None:
    state = replace(host(**values), answering=DEAD)
    (finding,) = _found(state)
    assert (finding.check, finding.severity) == ("filter_silent", severity)
    assert words in finding.message
    if "gone" not in str(values):
        # What this host itself sends is not handed to it with what only passes through.
        passed = [] if "non_smtpd_milters" in values else [("", "filtered", "info")]
        assert judged(replace(state, answering={"inet:127.0.0.1:1": ""})) == passed


def test_one_of_several_filters_is_enough() -> None:
    state = replace(host(content_filter="smtp:[127.0.0.1]:1, [127.0.0.1]:2"), answering=DEAD)
    assert judged(state) == [("", "filtered", "info")]


@pytest.mark.parametrize(
    ("where", "listed", "expected"),
    [
        ("header_checks", ["IGNORE", "prepend X-A: b", "REJECT"], [("", "altered", "warning")]),
        ("body_checks", ["REPLACE x", "STRIP"], [("", "altered", "warning")]),
        ("header_checks", ["PREPEND X-A: b", "REJECT", "DUNNO", "WARN"], []),
        ("smtpd_sender_restrictions", ["IGNORE"], []),
    ],
)
def test_rules_that_change_mail_on_its_way(where: str, listed: list[str], expected: list[tuple[str, str, str]]) -> None:
    value = "regexp:/t" if where.endswith("_checks") else "check_sender_access regexp:/t"
    state = host({"regexp:/t": Rules(listed, {})}, **{where: value})
    assert judged(state) == expected
    if expected:
        state = host(
            {"regexp:/t": Rules(listed, {})}, **{where: value}, receive_override_options="no_header_body_checks"
        )
        assert judged(state) == []


def test_headers_that_are_completed_for_strangers() -> None:
    assert judged(host(remote_header_rewrite_domain="domain.invalid")) == [("", "altered", "warning")]


@pytest.mark.parametrize("name", ["always_bcc", "sender_bcc_maps", "recipient_bcc_maps"])
def test_copies_of_relayed_mail(name: str) -> None:
    assert judged(host(**{name: "archive@x.example"})) == [("", "copied", "warning")]
    assert judged(host(**{name: "archive@x.example"}, receive_override_options="no_address_mappings")) == []


def test_sender_that_srs_rewrites_is_no_error() -> None:
    known = {"tcp:localhost:10001": Rules(None, {"x@y.invalid": "SRS0=AbCd=EF=y.invalid=x@mx.example"})}
    state = host(known, sender_canonical_maps="tcp:localhost:10001")
    assert judged(state) == [("", "rewritten", "warning")]


def test_milters_of_a_service_are_not_those_of_this_hosts_own_mail() -> None:
    """A service may have them by an override, which is named after the parameter."""
    own = {"smtpd_milters": "inet:127.0.0.1:1"}
    services = [replace(service, overrides=own) if service.name == "smtp" else service for service in SERVICES]
    state = replace(host(), services=services, answering={"inet:127.0.0.1:1": "Connection refused"})
    assert judged(state) == [("", "filter_silent", "error")]


def test_milters_for_this_hosts_own_mail_may_be_those_of_a_service() -> None:
    own = {"non_smtpd_milters": "inet:127.0.0.1:1"}
    services = [replace(service, overrides=own) if service.name == "cleanup" else service for service in SERVICES]
    (finding,) = _found(replace(host(), services=services, answering=DEAD))
    assert (finding.check, finding.severity) == ("filter_silent", "warning")
    assert finding.message.startswith("inet:127.0.0.1:1 in non_smtpd_milters of cleanup/unix does not answer ")
    assert judged(replace(host(), services=services, answering={"inet:127.0.0.1:1": ""})) == []


def test_filter_that_answers_may_change_what_it_is_handed() -> None:
    state = replace(host(smtpd_milters="inet:127.0.0.1:11332"), answering={"inet:127.0.0.1:11332": ""})
    assert judged(state) == [("", "filtered", "info")]
