# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A standby takes no mail while the better MX answers, takes it when none does, and lets mail in in any fault."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from lab import faults, hosts, playbooks

MX = ("mx35.lab.example", "mx310.lab.example")
NORA = "nora@behind.example"
UNKNOWN = "nobody@behind.example"
MANY = 1000
SECONDS_TO_NOTICE = 60
ALL_MAY_GO = {"secondary_mx_max_removals": "100%"}
UNIT = "mxrelay-standby"
PROGRAM = "/etc/postfix/mxrelay-standby.py"
SOCKET = "/var/spool/postfix/mxrelay/standby"
SAID = "This host is a standby, and a better MX host of the domain answers"
# Of these systemd mends the first two by itself.
WRONG = {
    "killed": f"systemctl kill --signal=KILL {UNIT}.service",
    "hung": f"systemctl kill --signal=STOP {UNIT}.service",
    "stopped": f"systemctl stop {UNIT}.socket {UNIT}.service",
    "missing": f"mv {PROGRAM} /root/; systemctl kill --signal=KILL {UNIT}.service",
    # smtpd keeps its connection; only a new one finds no way in.
    "socket gone": f"rm {SOCKET}; postfix reload",
    "socket of another user": f"chown nobody {SOCKET}; postfix reload",
}
# In this order: systemd 247 refuses to start a socket whose service starts again by itself meanwhile.
RIGHT = (
    f"test -e {PROGRAM} || mv /root/mxrelay-standby.py /etc/postfix/; "
    f"systemctl stop {UNIT}.socket {UNIT}.service; systemctl start {UNIT}.socket {UNIT}.service"
)
# smtpd hangs up on a client who is refused so often.
PATIENT = {"smtpd_error_sleep_time": "0", "smtpd_soft_error_limit": "2000", "smtpd_hard_error_limit": "2000"}
# As Postfix, started anew for each recipient, and waiting for a service that hangs, answers on a loaded machine.
SECONDS_OF_AN_ANSWER = 8


def answer(host: str, recipient: str = NORA) -> hosts.Answer:
    """What a stranger is told of the recipient."""
    return hosts.talk(recipient, server=host).rcpt[0]


def put_off(host: str) -> bool:
    code, text = answer(host)
    return code == 450 and text.startswith("4.3.2") and SAID in text


def accepted(host: str) -> bool:
    return answer(host)[0] == 250


def soon(look: Callable[[str], bool], host: str) -> bool:
    return hosts.wait_for(lambda: look(host), SECONDS_TO_NOTICE)


def run_again(**variables: Any) -> playbooks.Run:
    return playbooks.play("standby", "mxrelay.postfix.secondary_mx", variables=variables)


@pytest.mark.parametrize("host", MX)
def test_strangers_are_put_off_and_unknown_recipients_refused(host: str) -> None:
    assert soon(put_off, host), answer(host)
    assert answer(host, UNKNOWN)[0] == 550


@pytest.mark.parametrize("host", MX)
def test_none_of_many_recipients_is_accepted(host: str) -> None:
    assert soon(put_off, host), answer(host)
    faults.set_parameters(host, PATIENT)
    try:
        assert soon(put_off, host), answer(host)
        heard = hosts.talk([NORA] * MANY, server=host).rcpt
    finally:
        faults.unset_parameters(host, *PATIENT)
    assert [code for code, _text in heard] == [450] * MANY


@pytest.mark.parametrize("host", MX)
def test_sender_whom_the_primary_greylists_is_put_off_and_gets_through_there(host: str) -> None:
    faults.set_parameters(
        "mail", {"smtpd_sender_restrictions": "check_recipient_access inline:{{behind.example = 450 4.2.0 wait}}"}
    )
    try:
        assert [soon(put_off, host), hosts.talk(NORA, server="mail.lab.example").rcpt[0][0]] == [True, 450]
    finally:
        faults.unset_parameters("mail", "smtpd_sender_restrictions")
    assert hosts.talk(NORA).server == "mail.lab.example"
    assert hosts.talk(NORA).rcpt[0][0] == 250


@pytest.mark.parametrize("host", MX)
def test_own_networks_are_not_put_off(host: str) -> None:
    assert hosts.talk(NORA, server="127.0.0.1", origin=host).rcpt[0][0] == 250


def test_mail_is_accepted_in_an_outage_and_put_off_afterwards() -> None:
    assert [soon(put_off, host) for host in MX] == [True, True]
    hosts.stop("mail")
    try:
        stopped = time.monotonic()
        assert [soon(accepted, host) for host in MX] == [True, True]
        assert time.monotonic() - stopped < SECONDS_TO_NOTICE
        assert [answer(host, UNKNOWN)[0] for host in MX] == [550, 550]
    finally:
        hosts.start("mail")
    assert [soon(put_off, host) for host in MX] == [True, True]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("host", MX)
def test_fault_of_the_service_lets_mail_in(host: str, wrong: str) -> None:
    assert soon(put_off, host), answer(host)
    hosts.on(host, "sh", "-c", WRONG[wrong])
    try:
        began = time.monotonic()
        codes = [answer(host)[0], answer(host, UNKNOWN)[0]]
        seconds = time.monotonic() - began
    finally:
        hosts.on(host, "sh", "-c", RIGHT)
    # A service that was killed may be there again.
    assert codes in ([[250, 550]] if wrong != "killed" else [[250, 550], [450, 550]])
    assert seconds < 2 * SECONDS_OF_AN_ANSWER
    assert soon(put_off, host), answer(host)


@pytest.mark.parametrize("host", MX)
def test_service_runs_as_nobody_of_the_host_and_only_postfix_asks_it(host: str) -> None:
    process = hosts.on(host, "systemctl", "show", "-p", "MainPID", "--value", UNIT).strip()
    # Users of the system are below 1000; those that are there only while a service runs are from 61184 on.
    assert int(hosts.on(host, "stat", "-c", "%u", f"/proc/{process}")) >= 61184
    assert hosts.on(host, "stat", "-c", "%U %a", SOCKET).strip() == "postfix 600"


def test_verify_takes_a_standby_as_right_and_finds_one_that_lets_mail_in() -> None:
    assert soon(put_off, MX[1]), answer(MX[1])
    variables = {"verify_probe": True, "verify_probe_from": "tester.lab.example", "verify_fail_on": []}
    # The standby tries a port at which no mail host is, and accepts all.
    wrong = 'sed -i \'s/"name":/"port": 26, "name":/\' /etc/postfix/mxrelay-standby.json'
    right = playbooks.play("standby", "mxrelay.postfix.verify", variables=variables, limit=MX[1])
    hosts.on(MX[1], "sh", "-c", f"{wrong}; systemctl restart {UNIT}.service")
    try:
        mistaken = playbooks.play("standby", "mxrelay.postfix.verify", variables=variables, limit=MX[1])
    finally:
        assert run_again().code == 0
    assert ["(probe_deferred)" in right.said, "(standby" in right.said] == [False, False], right.said
    assert "(standby_accepts)" in mistaken.said, mistaken.said


def test_role_finds_and_repairs_a_service_that_is_gone() -> None:
    hosts.on(MX[0], "systemctl", "stop", f"{UNIT}.socket", f"{UNIT}.service")
    run = run_again()
    assert run.code == 0, run.said
    assert soon(put_off, MX[0]), answer(MX[0])


def test_service_goes_with_the_last_domain_that_wants_it() -> None:
    run = run_again(secondary_mx_domains=[{"name": "behind.example", "recipients": [NORA]}], **ALL_MAY_GO)
    try:
        assert run.code == 0, run.said
        for host in MX:
            left = hosts.on(
                host, "sh", "-c", "ls /etc/postfix /etc/systemd/system /var/spool/postfix | grep mxrelay || :"
            )
            assert left == ""
            said = hosts.on(host, "postconf", "-n")
            assert ["mxrelay" in said, "smtpd_restriction_classes" in said] == [False, False], said
            assert accepted(host)
    finally:
        assert run_again().code == 0
    assert [soon(put_off, host) for host in MX] == [True, True]
