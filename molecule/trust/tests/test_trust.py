# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail hosts that distrust MX hosts in every way come to trust them for their own recipients, and for nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from lab import distrust, faults, hosts, playbooks

TRUST = "mxrelay.postfix.trust_mx"
MX = "mx1.lab.example"
MAIL = "mail.lab.example"
OLD = "mx35.lab.example"
# What the old mail host is made to do, whose Postfix has other words for some of it.
OLD_WAYS = ("dnsbl", "sender_domain", "connection_rate", "message_rate", "postscreen")
KNOWN = "alice@gateway.example"
OF_OLD = ("pat@branch.gateway.example", "nobody@branch.gateway.example", "somebody@foreign-to-all.test")
ADDRESS = f"{os.environ.get('MXRELAY_LAB_NET', '')}.21"
ADDED = ", reject_invalid_helo_hostname"
# A list that is empty on purpose, and an end without a newline.
AS_PEOPLE_WRITE = """
printf 'postscreen_access_list =' >> /etc/postfix/main.cf
touch --date=2020-01-01 /etc/postfix/main.cf
"""


def trust(**variables: Any) -> playbooks.Run:
    return playbooks.play("trust", TRUST, variables=variables)


class Trusting(NamedTuple):
    """Runs of the playbook on mail hosts that distrusted in all ways, and their files before."""

    before: dict[str, str]
    foreseen: playbooks.Run
    after_check: dict[str, str]
    first: playbooks.Run
    second: playbooks.Run


def both() -> dict[str, str]:
    return {host: faults.bytes_of(host) for host in (MAIL, OLD)}


@pytest.fixture(name="trusting", scope="module")
def _trusting() -> Iterator[Trusting]:
    with distrust.distrusting(*distrust.EXEMPTING), distrust.distrusting(*OLD_WAYS, host=OLD):
        for host in (MAIL, OLD):
            hosts.on(host, "sh", "-ec", AS_PEOPLE_WRITE)
        before = both()
        foreseen = playbooks.play("trust", TRUST, check=True)
        after_check = both()
        yield Trusting(before, foreseen, after_check, trust(), trust())


def test_check_mode_foresees_the_change_and_makes_none(trusting: Trusting) -> None:
    assert (trusting.foreseen.code, trusting.foreseen.changed) == (0, {MAIL: 1, OLD: 1}), trusting.foreseen.said
    foreseen = "check_client_access cidr:/etc/postfix/trusted_mx, reject_non_fqdn_helo_hostname"
    assert (foreseen in trusting.foreseen.output, trusting.after_check) == (True, trusting.before)


def test_second_run_changes_nothing(trusting: Trusting) -> None:
    assert (trusting.first.code, trusting.first.changed) == (0, {MAIL: 1, OLD: 1}), trusting.first.said
    assert (trusting.second.code, trusting.second.changed) == (0, {MAIL: 0, OLD: 0}), trusting.second.said


@pytest.mark.parametrize("sender", [distrust.ORDINARY, distrust.SPF_FAIL, distrust.OWN])
def test_relayed_mail_arrives_on_a_host_that_distrusts_in_every_way(trusting: Trusting, sender: str) -> None:
    assert trusting.first.artifacts["trust_mx"][MAIL]["proven"] == [MX]
    unique, message = hosts.new_message(sender)
    said = hosts.talk(KNOWN, server=MX, sender=sender, message=message)
    assert said.data is not None and said.data[0] == 250, said
    assert hosts.arrived(unique, KNOWN) == 1


def test_mail_host_of_an_old_postfix_trusts_as_well(trusting: Trusting) -> None:
    assert trusting.first.artifacts["trust_mx"][OLD]["proven"] == [MX]
    told = distrust.asked("mx1", OF_OLD, distrust.ORDINARY, distrust.NOWHERE, server=OLD)
    assert [distrust.codes(conversation) for conversation in told] == [[250, 550, 554]] * 2, distrust.heard(told)


def test_strangers_are_refused_by_both(trusting: Trusting) -> None:
    assert trusting.first.code == 0
    for server, recipient in ((MAIL, KNOWN), (OLD, OF_OLD[0])):
        told = distrust.asked("tester", (recipient,), distrust.ORDINARY, server=server)
        assert distrust.refused_as("postscreen", told, ""), distrust.heard(told)


def test_report_tells_what_is_exempt_proven_and_untouched(trusting: Trusting) -> None:
    told = trusting.first.artifacts["trust_mx"][MAIL]
    assert told["addresses"] == {MX: [ADDRESS]}
    assert told["exempts"] == [
        "smtpd_client_restrictions: reject_rbl_client dnsbl.test, reject_unknown_client_hostname",
        "smtpd_helo_restrictions: reject_non_fqdn_helo_hostname, reject_unknown_helo_hostname",
        "smtpd_sender_restrictions: check_sender_access texthash:/etc/mailhost/senders, reject_unknown_sender_domain",
        "smtpd_recipient_restrictions: check_policy_service unix:private/policyd-spf, check_policy_service "
        "inet:127.0.0.1:10023",
        "postscreen",
        "the limits of clients (smtpd_client_*_limit)",
    ]
    assert (told["unproven"], told["untouched"]) == (
        {},
        [
            "postscreen_client_connection_count_limit = 1: postscreen excepts no client from it, and puts off what an "
            "MX host connects beyond it at once"
        ],
    )
    assert [answer.partition(": ")[2][:9] for answer in told["unknown_recipients"]] == ["550 5.1.1"]
    assert '"exempts": ["smtpd_client_restrictions: reject_rbl_client' in trusting.first.said


def test_nothing_of_a_run_stays_but_the_table(trusting: Trusting) -> None:
    assert trusting.first.code == 0
    new = hosts.on("mail", "sh", "-c", "ls -A /etc/postfix; cat /etc/postfix/trusted_mx").splitlines()
    assert (".mxrelay-undo" in new, new[-1]) == (False, f"{ADDRESS} permit")


def test_what_others_add_to_a_list_stays_when_trust_goes(trusting: Trusting) -> None:
    """All else is byte for byte as before."""
    hosts.on("mail", "sed", "-i", f"s/^smtpd_helo_restrictions.*/&{ADDED}/", "/etc/postfix/main.cf")
    run = trust(trust_mx_state="absent")
    assert (run.code, run.changed) == (0, {MAIL: 1, OLD: 1}), run.said
    hosts.on("mail", "sed", "-i", f"s/^\\(smtpd_helo_restrictions.*\\){ADDED}$/\\1/", "/etc/postfix/main.cf")
    assert both() == trusting.before
