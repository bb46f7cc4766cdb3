# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host, primary MX of one domain and secondary MX of another, whose own users send through it as before."""

from __future__ import annotations

from typing import Any

import pytest

from lab import claims, faults, hosts, playbooks

HOST = "mx1"
NAME = "mx1.lab.example"
CONVERGE = str(playbooks.MOLECULE / "both/converge.yml")
MIXED = str(playbooks.MOLECULE / "both/mixed.yml")
USER = ("olivia", "a-lab-password")
# Dovecot answers Postfix's questions about passwords; none of these is a parameter that a role manages.
DOVECOT = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols =
ssl = no
auth_allow_cleartext = yes
auth_mechanisms = plain
passdb static {
  password = a-lab-password
}
service auth {
  inet_listener postfix {
    port = 12345
    listen = 127.0.0.1
  }
}
"""
# Dovecot 2.3 takes a blank in these args for the start of the next one.
DOVECOT_23 = """
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
passdb {
  driver = static
  args = password=a-lab-password
}
service auth {
  inet_listener postfix {
    port = 12345
    address = 127.0.0.1
  }
}
"""


def unchanged(**options: Any) -> None:
    before = faults.state_of(HOST)
    run = playbooks.play("both", CONVERGE, **options)
    assert run.code == 0, run.said
    assert run.changed == {NAME: 0}
    assert faults.state_of(HOST) == before


@pytest.mark.parametrize("address", ["alice@gateway.example", "ivan@away.example", "postmaster@away.example"])
def test_takes_and_passes_on_for_both(address: str) -> None:
    claims.delivers_once(HOST, address)


@pytest.mark.parametrize("domain", ["gateway.example", "away.example"])
def test_refuses_the_rest_for_both(domain: str) -> None:
    claims.refuses_unknown(HOST, f"nobody@{domain}")
    claims.relays_for_no_stranger(HOST, domain)
    claims.refuses_relay(HOST)


def test_second_run_changes_nothing_and_touches_no_file() -> None:
    unchanged()


def looks_at_the_host() -> int:
    """How often mx_plan has run on the host, by the host's log."""
    return hosts.on(HOST, "journalctl", "--no-pager").count("ansible-mxrelay.postfix.mx_plan[")


def test_host_that_is_right_is_looked_at_once_for_both_roles() -> None:
    before = looks_at_the_host()
    unchanged()
    assert looks_at_the_host() == before + 1


def test_host_that_a_task_changes_between_the_roles_is_looked_at_again() -> None:
    before = looks_at_the_host()
    run = playbooks.play("both", str(playbooks.MOLECULE / "both/between.yml"))
    assert run.code == 0, run.said
    assert looks_at_the_host() > before + 1
    assert run.tasks == (
        "Break what the second role needs",
        "mxrelay.postfix.mx : Update main.cf",
        "mxrelay.postfix.mx : Start, reload or restart Postfix",
    )
    claims.accepts(HOST, "ivan@away.example")
    unchanged()


@pytest.mark.parametrize(
    "playbook", [playbooks.PRIMARY, playbooks.SECONDARY, playbooks.VERIFY], ids=["primary", "secondary", "verify"]
)
def test_each_shipped_playbook_alone_finds_nothing_to_change(playbook: str) -> None:
    before = faults.state_of(HOST)
    run = playbooks.play("both", playbook)
    assert run.code == 0, run.said
    assert run.changed == {NAME: 0}
    assert faults.state_of(HOST) == before


def test_domain_in_both_lists_is_refused() -> None:
    before = faults.state_of(HOST)
    twice = {"secondary_mx_domains": [{"name": "gateway.example", "recipients": ["alice@gateway.example"]}]}
    run = playbooks.play("both", CONVERGE, variables=twice)
    assert run.code != 0
    assert "gateway.example" in run.said
    assert run.changed[NAME] == 0
    assert faults.state_of(HOST) == before


@pytest.fixture(scope="module")
def own_users() -> None:
    """The host's own users may send through it, on ports 25 and 587, with their password."""
    hosts.on(HOST, "apt-get", "install", "--yes", "--no-install-recommends", "dovecot-core")
    version = hosts.on(HOST, "dovecot", "--version")
    hosts.on(
        HOST, "sh", "-c", "cat > /etc/dovecot/dovecot.conf", given=DOVECOT_23 if version.startswith("2.3") else DOVECOT
    )
    hosts.on(HOST, "systemctl", "restart", "dovecot")
    faults.set_parameters(
        HOST,
        {
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": "inet:127.0.0.1:12345",
            "smtpd_sasl_auth_enable": "yes",
        },
    )
    hosts.on(
        HOST, "postconf", "-M", "submission/inet=submission inet n - y - - smtpd -o syslog_name=postfix/submission"
    )
    hosts.on(HOST, "postfix", "reload")


@pytest.mark.usefixtures("own_users")
@pytest.mark.parametrize("port", [25, 587])
def test_authenticated_users_still_relay(port: int) -> None:
    unchanged()
    unique, message = hosts.new_message()
    said = hosts.talk(hosts.STRANGER, server=NAME, port=port, auth=USER, message=message)
    assert said.auth is not None and said.auth[0] == 235, said
    assert said.data is not None and said.data[0] == 250, said
    assert hosts.arrived(unique, hosts.STRANGER) == 1


@pytest.mark.usefixtures("own_users")
@pytest.mark.parametrize("port", [25, 587])
def test_nobody_else_does(port: int) -> None:
    said = hosts.talk(hosts.STRANGER, server=NAME, port=port)
    assert [(code, text.split()[0]) for code, text in said.rcpt] == [(554, "5.7.1")]
    said = hosts.talk(hosts.STRANGER, server=NAME, port=port, auth=("olivia", "a wrong password"))
    assert said.auth is not None and said.auth[0] == 535, said
    assert [(code, text.split()[0]) for code, text in said.rcpt] == [(554, "5.7.1")]


def test_removing_one_role_keeps_the_other() -> None:
    gone = {"secondary_mx_domains": [{"name": "away.example", "state": "absent", "force": True}]}
    run = playbooks.play("both", CONVERGE, variables=gone)
    assert run.code == 0, run.said
    assert run.changed[NAME] > 0
    claims.refuses_relay(HOST, "ivan@away.example")
    claims.delivers_once(HOST, "alice@gateway.example")
    unchanged(variables=gone)
    run = playbooks.play("both", CONVERGE)
    assert run.code == 0, run.said
    claims.delivers_once(HOST, "ivan@away.example")
    claims.relays_for_no_stranger(HOST, "away.example")


def test_role_mx_takes_a_mixed_list() -> None:
    domains = [
        {"name": "gateway.example", "role": "primary", "mail_host": "mail.lab.example", "recipients_policy": "any"},
        {"name": "away.example", "role": "secondary", "recipients": ["ivan@away.example"]},
    ]
    run = playbooks.play("both", MIXED, variables={"mx_domains": domains})
    assert run.code == 0, run.said
    assert run.changed[NAME] > 0
    claims.accepts(HOST, "whoever@gateway.example")
    claims.refuses_unknown(HOST, "judy@away.example")
    claims.delivers_once(HOST, "alice@gateway.example")
    claims.delivers_once(HOST, "ivan@away.example")
    claims.relays_for_no_stranger(HOST, "gateway.example")


@pytest.mark.long
@pytest.mark.parametrize("subdomains", [True, pytest.param(False, marks=pytest.mark.long)])
def test_secondary_below_a_primary_keeps_its_own_mx(subdomains: bool) -> None:
    """The primary's subdomains go elsewhere, in the run that says so and in those after it."""
    parent = {"name": "gateway.example", "role": "primary", "mail_host": "tester.lab.example", "subdomains": subdomains}
    domains = [
        {"name": "branch.gateway.example", "role": "secondary", "recipients": ["pat@branch.gateway.example"]},
        {"name": "away.example", "role": "secondary", "recipients": ["ivan@away.example"]},
        {**parent, "recipients_policy": "any"},
    ]
    run = playbooks.play("both", MIXED, variables={"mx_domains": domains})
    assert run.code == 0, run.said
    assert run.changed[NAME] > 0
    claims.delivers_once(HOST, "pat@branch.gateway.example")
    claims.refuses_unknown(HOST, "nobody@branch.gateway.example")
    if subdomains:
        claims.accepts(HOST, "whoever@other.gateway.example")
    run = playbooks.play("both", MIXED, variables={"mx_domains": domains})
    assert (run.code, run.changed) == (0, {NAME: 0}), run.said
