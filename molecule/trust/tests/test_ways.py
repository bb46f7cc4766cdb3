# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One way of distrust at a time: MX hosts are exempt from it and strangers are not; and hosts that must be refused."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from lab import distrust, faults, hosts, playbooks

MX = "mx1.lab.example"
MAIL = "mail.lab.example"
KNOWN = "alice@gateway.example"
RECIPIENTS = (KNOWN, "nobody@gateway.example", "somebody@foreign-to-all.test")
OTHER = "203.0.113.7"
NO_NAME = "nobody.elsewhere.test"
ADDRESS = f"{os.environ.get('MXRELAY_LAB_NET', '')}.21"
# The others come with `./run molecule trust --long`.
WAYS = distrust.EXEMPTING if os.environ.get("MXRELAY_LAB_LONG") else ("greylisting", "connection_rate")
CONNECTION = f"""\
import socket, sys
connection = socket.create_connection(("{MAIL}", 25))
connection.recv(99)
print("up", flush=True)
sys.stdin.read()
"""
# A Postfix that relays by what no list of restrictions says.
FILTER = "/etc/postfix/commands"
RELAYING = f"""
echo '/^RCPT TO:<.*@[^>]*>(.*)/ RCPT TO:<{KNOWN}>' > {FILTER}
postconf -e smtpd_command_filter=regexp:{FILTER} smtpd_helo_restrictions=reject_invalid_helo_hostname
touch --date=2020-01-01 /etc/postfix/main.cf
postfix reload
"""


def by_module() -> dict[str, Any]:
    """Have the role's module alone trust the MX host; return its result."""
    inventories = playbooks.inventories("trust")
    command = ["ansible", MAIL, *inventories, "--become", "--module-name", "mxrelay.postfix.mx_trust"]
    command += ["--args", json.dumps({"hosts": [{"name": ADDRESS}]})]
    settings = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_LOAD_CALLBACK_PLUGINS": "true"}
    environment = {**os.environ, **playbooks.SETTINGS, **settings}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    told = json.loads(ran.stdout[ran.stdout.index("{") :])
    result: dict[str, Any] = told["plays"][0]["tasks"][0]["hosts"][MAIL]
    return result


# The one check of recipients is in a class that only rows of a table name.
CLIENTS = "/etc/postfix/clients"
BY_ROWS = """
echo '0.0.0.0/0 listed' > /etc/postfix/clients
postconf -e smtpd_reject_unlisted_recipient=no smtpd_restriction_classes=listed listed=reject_unlisted_recipient
postconf -e 'smtpd_client_restrictions=check_client_access {table}, reject_rbl_client dnsbl.test'
touch --date=2020-01-01 /etc/postfix/main.cf
postfix reload
"""


# What a permit exempts nobody from: a class that rows of a check of recipients name, senders who are not listed.
KEPT = """
postconf -e smtpd_restriction_classes=grey 'grey=reject_rbl_client dnsbl.test' smtpd_reject_unlisted_sender=yes
postconf -e 'smtpd_recipient_restrictions=check_recipient_access inline:{alice@gateway.example=grey}'
touch --date=2020-01-01 /etc/postfix/main.cf
postfix reload
"""


REMEDY = """
postconf -e smtpd_reject_unlisted_sender=no smtpd_sender_restrictions=reject_unlisted_sender
touch --date=2020-01-01 /etc/postfix/main.cf
postfix reload
"""


@contextmanager
def connected(origin: str) -> Iterator[None]:
    """A host holds a connection to the mail host in this block."""
    engine, container = os.environ["MXRELAY_LAB_ENGINE"], hosts.container(origin)
    command = [engine, "exec", "--interactive", container, "python3", "-c", CONNECTION]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"up\n"
        try:
            yield
        finally:
            process.communicate()


@pytest.mark.parametrize("name", WAYS)
def test_mx_host_is_exempt_and_strangers_are_not(name: str) -> None:
    sender = distrust.WAYS[name].sender
    beside = connected if name == "connection_count" else lambda _origin: nullcontext()
    with distrust.distrusting(name):
        with beside("mx1"):
            told = distrust.asked("mx1", RECIPIENTS, sender, sender)
        assert distrust.refused_as(name, told, MX), distrust.heard(told)
        assert by_module()["changed"] is True
        with beside("mx1"):
            told = distrust.asked("mx1", RECIPIENTS, sender, sender)
        assert [distrust.codes(conversation) for conversation in told] == [[250, 550, 554]] * 2, distrust.heard(told)
        with beside("tester"):
            told = distrust.asked("tester", RECIPIENTS, sender, sender, helo=NO_NAME)
        assert distrust.refused_as(name, told, NO_NAME), distrust.heard(told)


@pytest.mark.parametrize("table", [f"cidr:{CLIENTS}", f"pipemap:{{cidr:{CLIENTS}}}"])
def test_unknown_recipients_are_refused_by_a_class_that_only_rows_name(table: str) -> None:
    """Also if the rows of the table, such as those of a pipemap, cannot be listed."""
    with distrust.distrusting():
        hosts.on("mail", "sh", "-ec", BY_ROWS.format(table=table))
        told = distrust.asked("mx1", RECIPIENTS, distrust.ORDINARY)
        assert distrust.refused_as("dnsbl", told, MX), distrust.heard(told)
        result = by_module()
        told = distrust.asked("mx1", RECIPIENTS, distrust.ORDINARY)
        assert distrust.codes(told[0]) == [250, 550, 554], distrust.heard(told)
        assert result["exempts"][0] == "smtpd_client_restrictions: reject_rbl_client dnsbl.test"


def test_what_still_refuses_an_mx_host_is_told() -> None:
    others = ("bob@gateway.example",)
    with distrust.distrusting():
        hosts.on("mail", "sh", "-ec", KEPT)
        result = by_module()
        assert [line.partition(":")[0] for line in result["untouched"]] == [
            "smtpd_recipient_restrictions",
            "smtpd_reject_unlisted_sender = yes",
        ]
        assert "inline:{alice@gateway.example=grey} (its rows lead to reject_rbl_client" in result["untouched"][0]
        told = distrust.asked("mx1", (KNOWN,), distrust.ORDINARY)
        assert distrust.refused_as("dnsbl", told, MX), distrust.heard(told)
        unlisted, listed = distrust.asked("mx1", others, "nobody@gateway.example", distrust.OWN)
        assert (distrust.codes(unlisted), distrust.codes(listed)) == ([550], [250]), distrust.heard([unlisted, listed])
        hosts.on("mail", "sh", "-ec", REMEDY)
        by_module()
        told = distrust.asked("mx1", others, "nobody@gateway.example")
        assert distrust.codes(told[0]) == [250], distrust.heard(told)
        told = distrust.asked("tester", others, "nobody@gateway.example")
        assert distrust.codes(told[0]) == [550], distrust.heard(told)


def test_host_that_relays_trusts_nobody() -> None:
    """Two runs at once, which trust different addresses, each take back their own change."""
    with distrust.distrusting():
        hosts.on("mail", "sh", "-ec", RELAYING)
        before = faults.bytes_of("mail")
        started = [
            playbooks.start("trust", "mxrelay.postfix.trust_mx", limit=MAIL, variables={"trust_mx_hosts": trusted})
            for trusted in ([MX], [MX, OTHER])
        ]
        for run in map(playbooks.finished, started):
            assert (run.code, run.failed) == (2, {MAIL: 1}), run.said
            assert "This host relays for an MX host: RCPT TO:<probe@" in run.said
            assert "Undone: /etc/postfix/main.cf is as before" in run.said
        assert faults.bytes_of("mail") == before


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("smtpd_relay_restrictions= smtpd_recipient_restrictions=reject_unauth_destination", "is empty, so a permit"),
        (
            f"mynetworks={ADDRESS}/32 smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination",
            f"{ADDRESS} may relay anywhere through this host, as",
        ),
        ("virtual_mailbox_domains=", "this host takes mail for no domain"),
    ],
)
def test_host_on_which_an_mx_host_could_relay_is_left_as_it_is(settings: str, words: str) -> None:
    with distrust.distrusting():
        hosts.on("mail", "sh", "-ec", f"postconf -e {settings}; touch --date=2020-01-01 /etc/postfix/main.cf")
        before = faults.bytes_of("mail")
        result = by_module()
        assert (result["failed"], words in result["msg"]) == (True, True), result
        assert faults.bytes_of("mail") == before
