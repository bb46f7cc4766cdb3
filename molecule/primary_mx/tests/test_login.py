# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail host that takes mail from who logs in alone: the guide's recipe, as it stands there."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from lab import hosts, playbooks, remote

HOST = "mx1"
NAME = "mx1.lab.example"
GUIDE = pathlib.Path(__file__).parents[3] / "docs/domains.md"
HEADING = "## A mail host that demands a login\n"
PORT = "2526"
LOGIN = {"branch_login": "gateway@mail.lab.example", "branch_password": "a-secret-of-the-lab"}
ALICE = "alice@gateway.example"
DOMAIN = {"name": "gateway.example", "mail_host": f"[mail.lab.example]:{PORT}", "recipients": [ALICE]}
SERVICE = f"{PORT}/inet"
OVERRIDES = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_tls_security_level": "may",
    "smtpd_tls_chain_files": "/root/login.key,/root/login.pem",
    "smtpd_tls_auth_only": "yes",
    "smtpd_recipient_restrictions": "permit_sasl_authenticated,reject",
    "smtpd_relay_restrictions": "permit_sasl_authenticated,reject",
}
START = "\n".join(
    [
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout /root/login.key -out /root/login.pem -days 2"
        " -subj /CN=mail.lab.example 2> /dev/null",
        "mkdir -p /etc/postfix/sasl",
        "printf '%s\\n' 'pwcheck_method: auxprop' 'auxprop_plugin: sasldb' 'mech_list: PLAIN LOGIN'"
        " > /etc/postfix/sasl/smtpd.conf",
        f"echo {LOGIN['branch_password']} | saslpasswd2 -p -c -u mail.lab.example gateway",
        "chgrp postfix /etc/sasldb2; chmod 0640 /etc/sasldb2",
        f"postconf -M '{SERVICE}={PORT} inet n - n - - smtpd'",
        *(f"postconf -P '{SERVICE}/{name}={value}'" for name, value in OVERRIDES.items()),
        "postfix reload",
    ]
)
STOP = f"postconf -MX {SERVICE}; rm -rf /etc/postfix/sasl /etc/sasldb2 /root/login.*; postfix reload"
LOG_OUT = "\n".join(
    [
        "for name in auth_enable password_maps security_options tls_security_options; do",
        "    postconf -PX relay/unix/smtp_sasl_$name",
        "done",
        "rm /etc/postfix/mail_host_logins /etc/postfix/mail_host_logins.db",
        "postfix reload",
    ]
)


@pytest.fixture(name="recipe")
def _recipe(tmp_path: pathlib.Path) -> Iterator[str]:
    """The recipe for the lab's mail host, which demands a login meanwhile."""
    block = GUIDE.read_text().partition(HEADING)[2].partition("```yaml\n")[2].partition("```")[0]
    path = tmp_path / "login.yml"
    path.write_text(block.replace("[mail.branch.example]:587", f"[mail.lab.example]:{PORT}"))
    hosts.on("mail", "sh", "-ec", START)
    yield str(path)
    hosts.on(HOST, "sh", "-ec", LOG_OUT)
    hosts.on("mail", "sh", "-ec", STOP)
    assert playbooks.play("primary_mx", playbooks.PRIMARY).code == 0


@pytest.mark.long
def test_relay_logs_in_where_the_guide_has_it_do_so(recipe: str) -> None:
    first, second = (playbooks.play("primary_mx", recipe, variables=LOGIN) for _run in range(2))
    assert (first.code, second.code, second.changed) == (0, 0, {NAME: 0}), first.said
    assert LOGIN["branch_password"] not in first.output + second.output
    paths = ["/etc/postfix/mail_host_logins", "/etc/postfix/mail_host_logins.db"]
    assert hosts.on(HOST, "stat", "--format=%a %U", *paths).split() == ["600", "root"] * 2
    for changed in (True, False):
        run = playbooks.play("primary_mx", playbooks.PRIMARY, variables={"primary_mx_domains": [DOMAIN]})
        assert (run.code, run.changed[NAME] > 0) == (0, changed), run.said
        assert LOGIN["branch_password"] not in run.output
    unique, message = hosts.new_message()
    said = hosts.talk(ALICE, server=NAME, message=message)
    assert said.data is not None and said.data[0] == 250
    assert hosts.flushed(HOST, unique, ALICE) == 1
    mx = remote.Remote(HOST)
    seen = mx.inform(probe=True)
    mx.close()
    assert seen["findings"] == []
    assert seen["notes"] == [
        "mail.lab.example, a mail host, was not asked: this host logs in there, and a probe does not"
    ]
    assert LOGIN["branch_password"] not in str(seen)
