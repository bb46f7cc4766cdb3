# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks import distrust
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import (
    Answer,
    DomainEvidence,
    Talk,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState

OK = (250, "2.1.5 Ok")
LISTED = "a@x.example"
NOBODY = "mxrelay-probe-1@x.example"
TAGGED = {"+": "a+mxrelay-probe@x.example", "-": "a-mxrelay-probe@x.example"}
MET = Talk(
    "mail.example",
    banner=(220, "ready"),
    mail=OK,
    recipients={LISTED: OK, NOBODY: (550, "5.1.1 unknown")},
    extensions={"8bitmime": "", "starttls": ""},
    client="192.0.2.1",
)
TRUST = "make it trust 192.0.2.1 (playbook trust_mx, docs/mail-host.md); in Postfix: "
NAT = ". If it sees this host by another address than 10.0.0.5 (NAT), that one counts: see its log"
PERMIT = "check_client_access inline:{192.0.2.1=permit}"


def found(
    talk: Talk | None = MET,
    overrides: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
    **fields: Any,
) -> list[Finding]:
    relay = Service("relay", "unix", "-", "-", "y", "-", "-", "smtp", dict(overrides or {}))
    state = HostState(values={"myhostname": "mx.example", **(values or {})}, services=[relay])
    domain = DomainEvidence(
        "x.example", "x.example", relay_transport="relay", talk=talk, **{"probe_recipient": LISTED, **fields}
    )
    checks = [check for name, check in vars(distrust).items() if name.startswith("mail_host_")]
    return [finding for check in checks for finding in check(domain, state)]


def test_mail_host_that_trusts_this_host_has_no_finding() -> None:
    sender = replace(MET, sender="s@y.example", recipients={LISTED: OK})
    assert found(sender_talks=[sender], talks_again=[replace(MET, again=True)]) == []
    assert found(None) == []
    assert found(Talk("mail.example", "timed out")) == []


@pytest.mark.parametrize(
    ("answer", "check", "severity", "message", "remedy"),
    [
        (
            (550, "5.7.23 SPF fail"),
            "mail_host_spf",
            "error",
            "its mail host mail.example refuses this host at RCPT (550 5.7.23 SPF fail), by sender policy (SPF): mail "
            "that is accepted here bounces",
            f"{TRUST}{PERMIT} before check_policy_service",
        ),
        (
            (450, "4.2.0 Greylisted"),
            "mail_host_greylists",
            "warning",
            "its mail host mail.example puts off this host at RCPT (450 4.2.0 Greylisted), by greylisting: mail waits "
            "here for longer",
            f"{TRUST}{PERMIT} before check_policy_service",
        ),
        (
            (554, "5.7.1 blocked using zen.example"),
            "mail_host_block_list",
            "error",
            "its mail host mail.example refuses this host at RCPT (554 5.7.1 blocked using zen.example), by a DNS "
            "block list: mail that is accepted here bounces",
            f"{TRUST}{PERMIT} before reject_rbl_client; then ask the list why 192.0.2.1 is on it",
        ),
        (
            (450, "4.7.25 cannot find your hostname"),
            "mail_host_name",
            "warning",
            "its mail host mail.example puts off this host at RCPT (450 4.7.25 cannot find your hostname), by a check "
            "of this host's name: mail waits here for longer",
            f"give 192.0.2.1 a PTR record and mx.example an address record that lead to each other, or {TRUST}{PERMIT} "
            "first in the list of restrictions that refuses it",
        ),
        (
            (450, "4.7.1 too much mail"),
            "mail_host_limits",
            "warning",
            "its mail host mail.example puts off this host at RCPT (450 4.7.1 too much mail), by a limit of clients: "
            "mail waits here for longer",
            f"{TRUST}smtpd_client_event_limit_exceptions = $mynetworks, 192.0.2.1",
        ),
        (
            (450, "4.3.2 Service currently unavailable"),
            "mail_host_postscreen",
            "warning",
            "its mail host mail.example puts off this host at RCPT (450 4.3.2 Service currently unavailable), by "
            "postscreen: mail waits here for longer",
            f"{TRUST}postscreen_access_list = permit_mynetworks, inline:{{192.0.2.1=permit}}",
        ),
    ],
)
def test_cause_is_named_with_what_mends_it(
    answer: Answer, check: str, severity: str, message: str, remedy: str
) -> None:
    (finding,) = found(replace(MET, recipients={LISTED: answer}))
    assert (finding.check, finding.severity, finding.scope) == (check, severity, "remote")
    assert (finding.message, finding.remedy) == (message, remedy)


def test_sender_and_second_connection_are_named() -> None:
    sender = replace(MET, sender="s@y.example", recipients={LISTED: (550, "5.7.23 SPF fail")})
    nowhere = replace(MET, sender='"s@home"@z.example', recipients={LISTED: (450, "4.1.8 Domain not found")})
    again = Talk("mail.example", banner=(421, "4.7.0 too many"), again=True, client="192.0.2.1")
    policy, limit, unknown = found(sender_talks=[sender, nowhere], talks_again=[again])
    assert policy.message.startswith("its mail host mail.example refuses mail from a sender at y.example at RCPT (550 ")
    assert limit.message.startswith("its mail host mail.example puts off this host at a second connection (421 ")
    assert (unknown.check, unknown.remedy) == (
        "mail_host_sender_domain",
        "let the name servers of the mail host find z.example, with an MX record, or ask as a sender of another domain "
        "(probe_senders, in the playbook verify_probe_senders)",
    )


def test_what_bounces_is_told_before_what_waits() -> None:
    late = replace(MET, recipients={LISTED: (450, "4.7.1 SPF lookup failed")})
    refused = replace(MET, sender="s@y.example", recipients={LISTED: (550, "5.7.23 SPF fail")})
    (finding,) = found(late, sender_talks=[refused])
    assert (finding.severity, "550 5.7.23" in finding.message) == ("error", True)


def test_greeting_that_is_held_back_is_that_of_postscreen() -> None:
    assert found(replace(MET, held_back=1.0)) == []
    (finding,) = found(replace(MET, held_back=6.1))
    assert (finding.check, finding.severity) == ("mail_host_postscreen", "info")
    assert "has this host wait 6 s for its greeting" in finding.message
    blocked = {LISTED: (550, "5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.example")}
    listed, _postscreen = found(replace(MET, held_back=6.1, recipients=blocked))
    assert listed.remedy.startswith(f"{TRUST}postscreen_access_list = permit_mynetworks, inline:{{192.0.2.1=permit}}; ")


def test_answer_to_who_did_not_log_in_is_no_demand_for_tls() -> None:
    talk = replace(MET, tls_demanded=(530, "5.7.57 Client not authenticated to send mail"))
    assert found(talk) == []


@pytest.mark.parametrize(
    ("overrides", "values", "expected"),
    [
        ({}, {}, ["mail_host_tls"]),
        ({"smtp_tls_security_level": "none"}, {"smtp_tls_security_level": "may"}, ["mail_host_tls"]),
        ({"smtp_tls_security_level": "may"}, {}, []),
        ({}, {"smtp_tls_security_level": "may"}, []),
        ({}, {"smtp_use_tls": "yes"}, []),
    ],
)
def test_tls_that_is_demanded_is_missed_only_where_it_is_off(
    overrides: dict[str, str], values: dict[str, str], expected: list[str]
) -> None:
    talk = replace(MET, tls_demanded=(530, "5.7.0 Must issue a STARTTLS command first"))
    assert [finding.check for finding in found(talk, overrides, values)] == expected


@pytest.mark.parametrize(
    ("level", "extensions", "untrusted", "problem"),
    [
        ("secure", MET.extensions, "self-signed certificate", "(self-signed certificate)"),
        ("encrypt", {"8bitmime": ""}, "", "(it offers no TLS)"),
        ("may", {"8bitmime": ""}, "", ""),
        ("secure", MET.extensions, "", ""),
    ],
)
def test_tls_that_this_host_demands(level: str, extensions: dict[str, str], untrusted: str, problem: str) -> None:
    talk = replace(MET, extensions=extensions)
    seen = found(talk, {"smtp_tls_security_level": level}, untrusted=untrusted)
    assert [(finding.check, problem in finding.message) for finding in seen] == (
        [("mail_host_certificate", True)] if problem else []
    )


def test_mail_is_rewritten_for_a_mail_host_without_8bitmime() -> None:
    talk = replace(MET, extensions={"starttls": ""})
    assert [(finding.check, finding.severity) for finding in found(talk)] == [("mail_host_8bitmime", "warning")]
    for given in ("yes", "YES"):
        assert found(talk, values={"disable_mime_output_conversion": given}) == []
    assert found(replace(talk, mail=(550, "5.7.1 no"), recipients={})) == []


@pytest.mark.parametrize(
    ("ours", "plus", "minus", "expected"),
    [
        ("+", OK, (550, "5.1.1 unknown"), []),
        ("", (550, "5.1.1 unknown"), (550, "5.1.1 unknown"), []),
        ("", OK, (550, "5.1.1 unknown"), [("warning", "takes mail for user+tag, which is refused here")]),
        ("+-", OK, (550, "5.1.1 no"), [("error", "refuses mail for user-tag (550 5.1.1 no), which is accepted here")]),
        ("+-", OK, (500, "5.1.1 no"), [("error", "refuses mail for user-tag (500 5.1.1 no), which is accepted here")]),
        ("+-", OK, (450, "4.2.0 later"), []),
        ("+-", OK, (400, "4.2.0 later"), []),
    ],
)
def test_delimiters_are_compared(ours: str, plus: Answer, minus: Answer, expected: list[tuple[str, str]]) -> None:
    answers = {**MET.recipients, TAGGED["+"]: plus, TAGGED["-"]: minus}
    seen = found(replace(MET, recipients=answers), values={"recipient_delimiter": ours}, tagged=TAGGED)
    assert [(finding.check, finding.severity) for finding in seen] == [
        ("mail_host_delimiter", severity) for severity, _message in expected
    ]
    assert all(message in finding.message for finding, (_severity, message) in zip(seen, expected, strict=True))


def test_address_that_is_cut_elsewhere_tells_nothing_of_a_delimiter() -> None:
    """It is refused here, whatever the mail host says."""
    for listed, address in (
        ("al-ice@x.example", "al-ice+tag@x.example"),
        ("owner-al@x.example", "owner-al+t@x.example"),
    ):
        answers = {listed: OK, NOBODY: (550, "5.1.1 unknown"), address: (550, "5.1.1 unknown")}
        given = {"tagged": {"+": address}, "probe_recipient": listed, "values": {"recipient_delimiter": "+-"}}
        assert found(replace(MET, recipients=answers), **given) == []


@pytest.mark.parametrize(("special", "expected"), [("yes", []), ("no", ["error"]), ("NO", ["error"])])
def test_owners_of_lists_are_cut_only_where_nothing_is_special_about_them(special: str, expected: list[str]) -> None:
    listed, address = "Owner@x.example", "Owner-tag@x.example"
    answers = {listed: OK, NOBODY: (550, "5.1.1 unknown"), address: (550, "5.1.1 unknown")}
    values = {"recipient_delimiter": "-", "owner_request_special": special}
    seen = found(replace(MET, recipients=answers), values=values, tagged={"-": address}, probe_recipient=listed)
    assert [finding.severity for finding in seen] == expected


@pytest.mark.parametrize(("code", "checks"), [(250, ["mail_host_delimiter"]), (450, [])])
def test_delimiters_are_compared_where_the_listed_recipient_is_taken(code: int, checks: list[str]) -> None:
    answers = {**MET.recipients, LISTED: (code, "so"), TAGGED["+"]: OK}
    seen = found(replace(MET, recipients=answers), tagged={"+": TAGGED["+"]})
    assert [finding.check for finding in seen] == checks


def test_one_unknown_recipient_that_is_refused_tells_that_others_are_known() -> None:
    answers = {LISTED: OK, NOBODY: OK, "mxrelay-probe-2@x.example": (500, "no"), TAGGED["+"]: OK}
    seen = found(replace(MET, recipients=answers), tagged={"+": TAGGED["+"]})
    assert [finding.check for finding in seen] == ["mail_host_delimiter"]


def test_delimiters_are_not_compared_where_nobody_tells_recipients_apart() -> None:
    takes_all = replace(MET, recipients={LISTED: OK, NOBODY: OK, TAGGED["+"]: OK})
    assert found(takes_all, tagged={"+": TAGGED["+"]}) == []
    # That a tagged address is refused is no sign that it knows others.
    refuses_tags = replace(MET, recipients={LISTED: OK, NOBODY: OK, TAGGED["+"]: (550, "5.1.1 no")})
    values = {"recipient_delimiter": "+"}
    assert found(refuses_tags, tagged={"+": TAGGED["+"]}, values=values) == []
    knows = replace(MET, recipients={**MET.recipients, TAGGED["+"]: OK})
    assert found(knows, tagged={"+": TAGGED["+"]}, wildcard=True) == []


@pytest.mark.parametrize(
    ("client", "told", "address", "note"),
    [
        ("10.0.0.5", "5.7.1 Client host [198.51.100.7] blocked using zen.example", "198.51.100.7", ""),
        ("10.0.0.5", "5.7.1 blocked using zen.example", "10.0.0.5", NAT),
        ("fd00::5", "5.7.1 blocked using zen.example", "fd00::5", NAT.replace("10.0.0.5", "fd00::5")),
        ("192.0.2.1", "5.7.1 blocked using zen.example", "192.0.2.1", ""),
    ],
)
def test_remedy_has_the_address_that_the_mail_host_sees_or_says_that_it_may_be_another(
    client: str, told: str, address: str, note: str
) -> None:
    (finding,) = found(replace(MET, client=client, recipients={LISTED: (554, told)}))
    assert finding.remedy == (
        f"make it trust {address} (playbook trust_mx, docs/mail-host.md); in Postfix: check_client_access "
        f"inline:{{{address}=permit}} before reject_rbl_client; then ask the list why {address} is on it{note}"
    )


def test_remedy_for_postscreen_and_others_minds_nat_as_well() -> None:
    (finding,) = found(replace(MET, client="10.0.0.5", held_back=6.0))
    assert finding.remedy.endswith(f"inline:{{10.0.0.5=permit}}{NAT}")
    (finding,) = found(replace(MET, client="10.0.0.5", recipients={LISTED: (450, "4.1.8 Domain not found")}))
    assert "NAT" not in finding.remedy
