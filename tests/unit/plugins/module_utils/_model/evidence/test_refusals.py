# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refusals import (
    BLOCK_LIST,
    CONNECTION,
    GREYLISTING,
    LIMIT,
    MAIL,
    NAME,
    POSTSCREEN,
    RCPT,
    SENDER_DOMAIN,
    SENDER_POLICY,
    SeenAs,
    TurnedAway,
    all_turned_away,
    cause_of,
    seen_as,
    turned_away,
    welcome,
)

OK = (250, "2.1.5 Ok")
LISTED = "a@x.example"
NOBODY = "mxrelay-probe-1@x.example"
MET = Talk("mail.example", banner=(220, "ready"), mail=OK, recipients={LISTED: OK, NOBODY: (550, "5.1.1 unknown")})


@pytest.mark.parametrize(
    ("step", "code", "told", "cause"),
    [
        (
            RCPT,
            550,
            "5.7.23 <a@x.example>: Recipient address rejected: Message rejected due to: SPF fail",
            SENDER_POLICY,
        ),
        (MAIL, 550, "SPF check failed", SENDER_POLICY),
        (RCPT, 450, "4.2.0 <a@x.example>: Recipient address rejected: Greylisted, see http://x", GREYLISTING),
        (RCPT, 451, "Gray-listed, come back in 5 minutes", GREYLISTING),
        (RCPT, 554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example", BLOCK_LIST),
        (CONNECTION, 554, "5.7.1 192.0.2.1 is listed in zen.example", BLOCK_LIST),
        (RCPT, 550, "5.7.1 on our blacklist", BLOCK_LIST),
        (CONNECTION, 421, "4.7.0 mail.example Error: too many connections from 192.0.2.1", LIMIT),
        (CONNECTION, 421, "4.3.2 Service not active", ""),
        (RCPT, 552, "5.2.2 Mailbox full: quota limit exceeded", ""),
        (RCPT, 550, "5.7.1 not listed in Domino Directory", ""),
        (RCPT, 550, "5.7.1 recipient not listed in the.directory.example", ""),
        (RCPT, 550, "#5.1.0 Address rejected by our SPF list", ""),
        (MAIL, 450, "4.7.1 Error: too much mail from 192.0.2.1", LIMIT),
        (RCPT, 450, "4.7.1 Error: too many recipients from 192.0.2.1", LIMIT),
        (RCPT, 421, "4.7.28 our system has detected an unusual rate", LIMIT),
        (RCPT, 450, "4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", NAME),
        (RCPT, 450, "4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", NAME),
        (RCPT, 450, "4.7.1 <mx.example>: Helo command rejected: Host not found", NAME),
        (RCPT, 504, "5.5.2 <mx>: Helo command rejected: need fully-qualified hostname", NAME),
        (RCPT, 450, "4.3.2 Service currently unavailable", POSTSCREEN),
        (RCPT, 450, "4.1.8 <s@y.example>: Sender address rejected: Domain not found", SENDER_DOMAIN),
        (
            MAIL,
            550,
            "5.7.27 <s@y.example>: Sender address rejected: Domain y.example does not accept mail",
            SENDER_DOMAIN,
        ),
        # That is no matter of trust, whatever the recipient is called.
        (RCPT, 550, "5.1.1 <spf@x.example>: Recipient address rejected: User unknown", ""),
        (RCPT, 550, "5.7.1 <helo@greylist.example>: Sender address rejected: Access denied", ""),
        (RCPT, 451, "4.3.0 <a@x.example>: Temporary lookup failure", ""),
        (CONNECTION, 554, "5.7.1 no", ""),
    ],
)
def test_cause_is_told_by_code_and_words(step: str, code: int, told: str, cause: str) -> None:
    assert cause_of(step, (code, told)) == cause


def test_first_answer_that_turns_a_listed_recipient_away_counts() -> None:
    late = (450, "4.2.0 Greylisted")
    assert list(turned_away(MET, LISTED)) == []
    away = replace(MET, recipients={LISTED: late, NOBODY: late})
    assert list(turned_away(away, LISTED)) == [TurnedAway(away, RCPT, late)]
    away = replace(MET, mail=(550, "5.7.1 no"), recipients={})
    assert list(turned_away(away, LISTED)) == [TurnedAway(away, MAIL, (550, "5.7.1 no"))]


def test_answer_to_an_unknown_recipient_counts_if_it_has_a_cause() -> None:
    limit = (450, "4.7.1 Error: too many recipients from 192.0.2.1")
    away = replace(MET, recipients={LISTED: OK, NOBODY: limit})
    assert list(turned_away(away, LISTED)) == [TurnedAway(away, RCPT, limit)]
    assert list(turned_away(replace(away, recipients={LISTED: OK, NOBODY: (450, "4.2.0 later")}), LISTED)) == []
    # That it is refused for good says nothing of this host.
    assert list(turned_away(replace(away, recipients={LISTED: OK, NOBODY: (550, "on our blacklist")}), LISTED)) == []


def test_every_conversation_is_looked_at() -> None:
    first = replace(MET, mail=(450, "4.7.1 Error: too much mail"), recipients={})
    sender = replace(MET, sender="s@y.example", recipients={LISTED: (550, "5.7.23 SPF fail")})
    second = Talk("mail.example", banner=(421, "4.7.0 too many connections"), again=True)
    domain = DomainEvidence(
        "x.example", "x.example", talk=first, sender_talks=[sender], talks_again=[second], probe_recipient=LISTED
    )
    found = list(all_turned_away(domain))
    assert [(turn.talk, turn.cause, turn.for_good) for turn in found] == [
        (first, LIMIT, False),
        (sender, SENDER_POLICY, True),
        (second, LIMIT, False),
    ]
    assert list(all_turned_away(replace(domain, relayed=""))) == []


def test_host_is_welcome_unless_it_was_turned_away() -> None:
    domain = DomainEvidence("x.example", "x.example", talk=MET, probe_recipient=LISTED)
    assert welcome(domain) is MET
    assert welcome(replace(domain, relayed="")) is None
    assert welcome(replace(domain, talk=None)) is None
    assert welcome(replace(domain, talk=Talk("mail.example", "timed out"))) is None
    assert welcome(replace(domain, talk=replace(MET, mail=(450, "4.7.1 later"), recipients={}))) is None


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("5.7.1 Service unavailable; Client host [198.51.100.7] blocked using a; see 203.0.113.9", "198.51.100.7"),
        ("5.7.1 Service unavailable; client [2001:db8::7] blocked using zen.example", "2001:db8::7"),
        ("4.7.0 mail.example Error: too many connections from 198.51.100.7", "198.51.100.7"),
        ("4.7.1 Error: too much mail from mx.example[198.51.100.7]", "198.51.100.7"),
        ("4.7.25 Client host rejected: cannot find your hostname, [198.51.100.7]", "198.51.100.7"),
        ("5.7.1 <unknown[198.51.100.7]>: Client host rejected: Access denied", "198.51.100.7"),
        ("5.7.23 rejected: SPF fail. See http://spf.example/why?s=mfrom;ip=198.51.100.7;r=x", "198.51.100.7"),
        ("4.7.0 [198.51.100.7      19] Our system has detected an unusual rate", "198.51.100.7"),
        ("5.7.1 blocked, see https://list.example/query/ip/198.51.100.7", "198.51.100.7"),
        # Of somebody else, or of nobody.
        ("4.7.1 greylisted by 203.0.113.9", "10.0.0.5"),
        ("5.7.1 client is listed: 127.0.0.2", "10.0.0.5"),
        ("5.7.1 from release 1.2.3.4.5 on", "10.0.0.5"),
        ("no", "10.0.0.5"),
    ],
)
def test_address_by_which_the_mail_host_sees_this_host_is_the_one_that_it_says(told: str, address: str) -> None:
    talk = Talk("mail.example", banner=(220, "ready"), recipients={"a@x.example": (550, told)}, client="10.0.0.5")
    assert seen_as(DomainEvidence("x.example", talk=talk)) == SeenAs(address, address != "10.0.0.5")


def test_address_of_the_connection_is_sure_only_if_it_is_not_one_of_a_network_behind_nat() -> None:
    seen = [seen_as(DomainEvidence("x", talk=Talk("m", client=client))) for client in ("192.0.2.1", "100.64.0.1", "")]
    assert seen == [SeenAs("192.0.2.1", True), SeenAs("100.64.0.1", False), SeenAs("", True)]


def test_what_a_second_connection_was_told_tells_the_address_as_well() -> None:
    again = Talk("mail.example", banner=(421, "4.7.0 too many connections from 198.51.100.7"), again=True)
    domain = DomainEvidence("x.example", talk=Talk("mail.example", client="10.0.0.5"), talks_again=[again])
    assert seen_as(domain) == SeenAs("198.51.100.7", True)
