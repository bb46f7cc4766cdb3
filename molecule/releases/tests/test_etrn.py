# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ETRN for a domain from its mail host alone, on each release."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping

import pytest

from lab import faults, hosts, playbooks

RELEASES = ("mx35", "mx310", "mx311")
DOMAIN = "front.example"
# It is relayed as well, and has no clients of its own.
OTHER = "behind.example"
MIA = f"mia@{DOMAIN}"
NAMES = (DOMAIN, DOMAIN.upper(), f"@{DOMAIN}", f"#{DOMAIN}", f"sub.{DOMAIN}")
GIVEN = {
    "name": DOMAIN,
    "mail_host": "mail.lab.example",
    "recipients": [f"liz@{DOMAIN}", MIA],
    # The mail host, and whoever has an address that this lab gives to nobody.
    "etrn_from": f"{os.environ.get('MXRELAY_LAB_NET', '')}.10/31\n2001:db8::25",
}


def run_with(**changes: object) -> playbooks.Run:
    item = {name: value for name, value in {**GIVEN, **changes}.items() if value}
    limit = ",".join(f"{host}.lab.example" for host in RELEASES)
    variables = {"primary_mx_domains": [item], "primary_mx_verify": False}
    return playbooks.play("releases", playbooks.PRIMARY, variables=variables, limit=limit)


def apply(**changes: object) -> None:
    run = run_with(**changes)
    assert run.code == 0, run.said


def answers(client: str, host: str, *names: str) -> list[int]:
    """The codes that the host answers the client who asks for these queues."""
    script = (
        "import smtplib, sys\n"
        "with smtplib.SMTP(sys.argv[1]) as server:\n"
        "    server.ehlo()\n"
        "    print(*(server.docmd('ETRN', name)[0] for name in sys.argv[2:]))\n"
    )
    said = hosts.on(client, "python3", "-c", script, f"{host}.lab.example", *names)
    return [int(code) for code in said.split()]


def configuration(host: str) -> str:
    return hosts.on(host, "sh", "-c", "cat /etc/postfix/main.cf /etc/postfix/master.cf")


def deferred(host: str) -> int:
    return sum(entry["queue_name"] == "deferred" for entry in hosts.queued(host))


@pytest.fixture(scope="module")
def before() -> Iterator[Mapping[str, str]]:
    """The configuration of each host before its domain got clients."""
    found = {host: configuration(host) for host in RELEASES}
    assert {host: answers("mail", host, DOMAIN) for host in RELEASES} == dict.fromkeys(RELEASES, [554])
    apply()
    yield found


@pytest.mark.parametrize("host", RELEASES)
def test_mail_host_alone_is_obeyed_and_for_its_domain_alone(before: Mapping[str, str], host: str) -> None:
    assert configuration(host) != before[host]
    assert answers("mail", host, *NAMES, OTHER) == [250] * len(NAMES) + [554]
    assert answers("tester", host, *NAMES, OTHER) == [554] * len(NAMES) + [554]
    # The host itself, which is of its own networks.
    script = "import smtplib; s = smtplib.SMTP('127.0.0.1'); s.ehlo(); print(s.docmd('ETRN', '{}')[0])"
    codes = [int(hosts.on(host, "python3", "-c", script.format(name))) for name in (DOMAIN, OTHER)]
    assert codes == [554, 250]


def test_mail_waits_until_its_mail_host_asks_for_it(before: Mapping[str, str]) -> None:
    del before
    waiting = {host: hosts.new_message() for host in RELEASES}
    faults.set_parameters("mail", {"master_service_disable": "inet"})
    try:
        for host, (_unique, message) in waiting.items():
            assert hosts.talk(MIA, server=f"{host}.lab.example", message=message).data is not None
        assert hosts.wait_for(lambda: all(map(deferred, RELEASES)), 30)
    finally:
        faults.unset_parameters("mail", "master_service_disable")
    for host, (unique, _message) in waiting.items():
        assert (answers("tester", host, DOMAIN), deferred(host)) == ([554], 1)

        def asked(host: str = host, unique: str = unique) -> int:
            assert answers("mail", host, DOMAIN) == [250]
            return hosts.wait_for(lambda: hosts.copies(unique, MIA), 2)

        assert hosts.wait_for(asked, 30) == 1


def test_taken_away_it_leaves_every_byte_as_it_was(before: Mapping[str, str]) -> None:
    apply(etrn_from=None)
    assert {host: configuration(host) for host in RELEASES} == before
    assert {host: answers("mail", host, DOMAIN) for host in RELEASES} == dict.fromkeys(RELEASES, [554])


def test_run_that_fails_takes_it_back(before: Mapping[str, str]) -> None:
    with contextlib.ExitStack() as broken:
        for host in RELEASES:
            broken.enter_context(faults.reloading_by(host, "exit 1"))
        run = run_with()
    assert dict(run.failed) == {f"{host}.lab.example": 1 for host in RELEASES}, run.said
    assert run.said.count("main.cf: mxrelay_etrn is as before") == len(RELEASES)
    assert {host: configuration(host) for host in RELEASES} == before
    assert {host: answers("mail", host, DOMAIN) for host in RELEASES} == dict.fromkeys(RELEASES, [554])
