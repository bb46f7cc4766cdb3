# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of real messages is told right, and nothing but the message in the mailbox stays."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from lab import faults, hosts, playbooks

CANARY = "mxrelay.postfix.canary"
MX = "mx1.lab.example"
OLD_MX = "mx35.lab.example"
RECIPIENTS = {
    "gateway.example": "alice@gateway.example",
    "away.example": "ivan@away.example",
    "front.example": "liz@front.example",
}
STRANGER = {"canary_stranger": "tester.lab.example", "canary_recipients": RECIPIENTS}
SECONDS_FOR_ALL = 60
# The sender of the run in which all goes wrong; the tester takes its bounce.
OPERATOR = "ops@tester.test"
FILTER = "127.0.0.1:10099"
FATES = ("waiting", "held", "discarded", "redirected", "refused", "standby", "lost")
DOMAINS = {**{fate: f"{fate}.example" for fate in FATES}, "bounced": "gateway.example"}
ACCESS = f"""\
held.example HOLD
refused.example 554 5.7.1 go away
standby.example 450 4.3.2 the primary MX is up
lost.example FILTER smtp:[127.0.0.1]:{FILTER.rpartition(":")[2]}
"""
WRONG = f"""
cp -p /etc/postfix/main.cf /etc/postfix/transport /etc/postfix/transport.db /root/
printf '{ACCESS}' > /etc/postfix/fates
echo '/^To: .*@discarded.example/ DISCARD by a rule' > /etc/postfix/fates_of_headers
sed -i 's/^waiting.example.*/waiting.example relay:[mail.lab.example]:26/' /etc/postfix/transport
postmap hash:/etc/postfix/transport
postconf -e 'smtpd_recipient_restrictions = check_recipient_access texthash:/etc/postfix/fates' \
    'header_checks = regexp:/etc/postfix/fates_of_headers' \
    'virtual_alias_maps = inline:{{{{postmaster@redirected.example = somebody@n10.example}}}}'
touch --date=2020-01-01 /etc/postfix/main.cf
postfix reload
smtp-sink -u postfix {FILTER} 10 > /dev/null 2>&1 & echo $! > /root/sink
"""
RIGHT = """
kill $(cat /root/sink)
cp -p /root/main.cf /root/transport /root/transport.db /etc/postfix/
rm /etc/postfix/fates /etc/postfix/fates_of_headers
postfix reload
"""
SPF = "check_sender_access inline:{{tester.test = 550 5.7.23 SPF fail}}"


def canary(limit: str = "", **variables: Any) -> playbooks.Run:
    return playbooks.play("canary", CANARY, variables={**STRANGER, **variables}, limit=limit)


def outcomes(run: playbooks.Run, host: str = MX) -> dict[str, str]:
    return {name: found["outcome"] for name, found in told(run, host).items()}


def told(run: playbooks.Run, host: str = MX) -> Mapping[str, Any]:
    found: Mapping[str, Any] = run.artifacts["mx_canary"][host]["outcomes"]
    return found


@pytest.fixture(scope="module")
def healthy() -> tuple[playbooks.Run, float]:
    """A run on healthy hosts, and how many seconds it took."""
    before = {host: faults.meaning_of(host) for host in (MX, OLD_MX)}
    began = time.monotonic()
    run = canary()
    seconds = time.monotonic() - began
    assert {host: faults.meaning_of(host) for host in (MX, OLD_MX)} == before
    return run, seconds


@pytest.fixture(scope="module")
def wrong() -> playbooks.Run:
    """A run in which each domain's message has another fate."""
    hosts.on(MX, "sh", "-ec", WRONG)
    faults.set_parameters("mail", {"smtpd_sender_restrictions": SPF})
    try:
        run = canary(MX, canary_domains=list(DOMAINS.values()), canary_from=OPERATOR, canary_wait=3)
    finally:
        faults.unset_parameters("mail", "smtpd_sender_restrictions")
        hosts.on(MX, "sh", "-ec", RIGHT)
    return run


def test_gateway_and_secondary_deliver_while_the_primary_answers(healthy: tuple[playbooks.Run, float]) -> None:
    run, _seconds = healthy
    assert (run.code, run.failed[MX], run.failed[OLD_MX]) == (0, 0, 0), run.said
    numbered = [f"n{number}.example" for number in range(10, 23)]
    names = [*RECIPIENTS, *numbered, *(f"{fate}.example" for fate in FATES)]
    assert {**outcomes(run), **outcomes(run, OLD_MX)} == dict.fromkeys(names, "delivered")
    first, second = told(run)["away.example"]["hops"]
    assert (first["to"], second["to"].partition("[")[0]) == (MX, "mail.lab.example")
    assert second["answer"].startswith("250 2.0.0 Ok: queued as")
    assert second["seconds"] > 0


def test_twenty_domains_take_less_than_a_minute(healthy: tuple[playbooks.Run, float]) -> None:
    run, seconds = healthy
    assert len(outcomes(run)) >= 20
    assert seconds < SECONDS_FOR_ALL


def test_message_in_the_mailbox_says_what_it_is(healthy: tuple[playbooks.Run, float]) -> None:
    del healthy
    text = hosts.on("mail", "sh", "-c", "cat /srv/mail/away.example/ivan/new/*")
    assert "Subject: [mxrelay-canary] test message for away.example through mx1.lab.example" in text
    assert "This is a test." in text


def test_domain_without_a_recipient_is_skipped_and_named(healthy: tuple[playbooks.Run, float]) -> None:
    run, _seconds = healthy
    assert run.artifacts["mx_canary"][OLD_MX]["skipped"] == {
        "behind.example": "postmaster@behind.example is refused, and no recipient is given for it"
    }


REASONS = {
    "waiting": "connect to mail.lab.example[",
    "bounced": f"SPF fail (in reply to RCPT TO command); {OPERATOR} is told",
    "held": "Recipient address triggers HOLD action",
    "discarded": "header To: <postmaster@discarded.example>",
    "redirected": "it went to another address",
    "refused": "go away",
    "standby": "RCPT: 450 4.3.2",
    "lost": "and it did not come back",
}


@pytest.mark.parametrize("fate", DOMAINS)
def test_each_fate_is_told_with_its_reason(wrong: playbooks.Run, fate: str) -> None:
    found = told(wrong)[DOMAINS[fate]]
    assert (found["outcome"], REASONS[fate] in found["reason"]) == (fate, True), found


def test_run_fails_on_what_did_not_arrive(wrong: playbooks.Run) -> None:
    assert wrong.code != 0
    assert "discarded.example (canary): the canary of" in wrong.said
    assert told(wrong)["redirected.example"]["recipient"] == "somebody@n10.example"


def test_nothing_is_left_in_the_queue(wrong: playbooks.Run) -> None:
    assert wrong.said.count(" is still in the queue, and will be removed") == 2
    assert (hosts.queued(MX), hosts.queued(OLD_MX)) == ([], [])


def test_report_shows_the_last_canary(wrong: playbooks.Run) -> None:
    del wrong
    run = playbooks.play("canary", "mxrelay.postfix.report", variables={"report_stats": True}, limit=MX)
    page = run.artifacts["mx_report_html"]
    assert "canary delivered, " in page
    assert "canary lost, " in page


def test_waiting_mail_of_a_secondary_is_told_and_taken_out_of_the_queue() -> None:
    faults.set_parameters("mail", {"master_service_disable": "smtp.inet"})
    try:
        run = canary(MX, canary_domains=["away.example"], canary_wait=3)
    finally:
        faults.unset_parameters("mail", "master_service_disable")
    assert (outcomes(run), run.code) == ({"away.example": "waiting"}, 0), run.said
    assert "connect to mail.lab.example[" in told(run)["away.example"]["reason"]
    assert hosts.queued(MX) == []


def test_log_is_read_from_the_file_that_postfix_writes_itself() -> None:
    faults.set_parameters(OLD_MX, {"maillog_file": "/var/log/postfix.log"})
    hosts.on(OLD_MX, "mv", "/usr/bin/journalctl", "/usr/bin/journalctl.away")
    try:
        hosts.on(OLD_MX, "postfix", "reload")
        run = canary(OLD_MX, canary_domains=["front.example"])
    finally:
        faults.unset_parameters(OLD_MX, "maillog_file")
    assert outcomes(run, OLD_MX) == {"front.example": "delivered"}, run.said
    try:
        run = canary(OLD_MX, canary_domains=["front.example"], canary_wait=5)
    finally:
        hosts.on(OLD_MX, "mv", "/usr/bin/journalctl.away", "/usr/bin/journalctl")
    assert (outcomes(run, OLD_MX), run.code) == ({"front.example": "unknown"}, 0), run.said


def test_verify_sends_canaries_where_that_is_asked_for() -> None:
    variables = {
        "verify_canary": True,
        "verify_probe_from": "tester.lab.example",
        "verify_canary_recipients": RECIPIENTS,
        "verify_canary_wait": 5,
    }
    run = playbooks.play("canary", playbooks.VERIFY, variables=variables, limit=OLD_MX)
    assert outcomes(run, OLD_MX) == {"front.example": "delivered"}, run.said


def test_check_mode_sends_nothing() -> None:
    before = hosts.on("mail", "sh", "-c", "ls /srv/mail/away.example/ivan/new | wc -l")
    run = playbooks.play("canary", CANARY, variables=STRANGER, check=True, limit=MX)
    assert run.code == 0, run.said
    assert hosts.on("mail", "sh", "-c", "ls /srv/mail/away.example/ivan/new | wc -l") == before
    assert "away.example: nothing was sent" in run.said
