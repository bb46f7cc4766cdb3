# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same variables make the same MX of every release of Postfix that Debian still carries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab import claims, faults, hosts, playbooks

# By host, the release that is claimed for it.
RELEASES = {"mx35": "3.5", "mx37": "3.7", "mx310": "3.10", "mx311": "3.11"}
NAMES = {host: claims.host_name(host) for host in RELEASES}
CONVERGE = str(playbooks.MOLECULE / "releases/converge.yml")
FRONT = {
    "name": "front.example",
    "mail_host": "mail.lab.example",
    "recipients": ["liz@front.example", "mia@front.example"],
}

on_each = pytest.mark.parametrize("host", RELEASES)


def converged(**options: Any) -> playbooks.Run:
    run = playbooks.play("releases", CONVERGE, **options)
    assert run.code == 0, run.said
    assert set(run.changed) == set(NAMES.values())
    return run


def unchanged(**options: Any) -> None:
    before = {host: faults.state_of(host) for host in RELEASES}
    assert converged(**options).changed == dict.fromkeys(NAMES.values(), 0)
    assert {host: faults.state_of(host) for host in RELEASES} == before


def changes_once(**options: Any) -> None:
    """The next run changes every host, and the one after it nothing."""
    assert [name for name, number in converged(**options).changed.items() if not number] == []
    unchanged(**options)


def serves_both_domains(host: str) -> None:
    claims.accepts(host, "liz@front.example")
    claims.accepts(host, "nora@behind.example")
    claims.refuses_unknown(host, "nobody@front.example")
    claims.refuses_unknown(host, "nobody@behind.example")
    claims.refuses_relay(host)


@on_each
def test_host_has_the_release_that_is_claimed_for_it(host: str) -> None:
    assert ".".join(faults.parameter(host, "mail_version").split(".")[:2]) == RELEASES[host]


@on_each
@pytest.mark.parametrize("address", ["mia@front.example", "oscar@behind.example", "postmaster@behind.example"])
def test_takes_listed_recipients_and_passes_them_on(host: str, address: str) -> None:
    claims.delivers_once(host, address)


@on_each
def test_refuses_unknown_recipients_and_strangers(host: str) -> None:
    serves_both_domains(host)
    claims.relays_for_no_stranger(host, "behind.example")


def test_second_run_changes_nothing_and_touches_no_file() -> None:
    unchanged()


@on_each
def test_service_runs_and_starts_with_the_host(host: str) -> None:
    service = hosts.testinfra_host(host).service("postfix")
    assert service.is_running
    assert service.is_enabled


def test_lost_indexes_are_repaired_by_the_next_run() -> None:
    for host in RELEASES:
        for table in ("relay_recipient_maps", "transport_maps"):
            faults.delete(host, faults.table_of(host, table)[2])
        hosts.on(host, "postfix", "reload")
    changes_once()
    for host in RELEASES:
        serves_both_domains(host)
        claims.delivers_once(host, "liz@front.example")


@pytest.fixture
def fallback_relay() -> Iterator[None]:
    """The hosts hand what they can't deliver to someone else."""
    for host in RELEASES:
        faults.set_parameters(host, {"smtp_fallback_relay": "[tester.lab.example]"})
    yield
    for host in RELEASES:
        faults.unset_parameters(host, "smtp_fallback_relay")


@pytest.mark.usefixtures("fallback_relay")
def test_mail_waits_here_for_the_mail_host_whatever_fallback_there_is() -> None:
    converged()
    sent = {}
    with faults.down("mail"):
        for host in RELEASES:
            for address in ("liz@front.example", "nora@behind.example"):
                unique, message = hosts.new_message()
                said = hosts.talk(address, server=NAMES[host], message=message)
                assert said.data is not None and said.data[0] == 250, said
                sent[host, address] = unique
        for (host, address), unique in sent.items():
            claims.keeps_in_queue(host, unique, address)
            assert not hosts.sunk(unique)
    for (host, address), unique in sent.items():
        assert hosts.flushed(host, unique, address) == 1


ASKED = {"name": FRONT["name"], "mail_host": FRONT["mail_host"], "recipients_policy": "verify"}


def test_recipients_are_not_verified_where_no_answer_could_be_remembered() -> None:
    for host in RELEASES:
        # Debian's 3.11 has cdb, to which no entry can be added; the others do not have it.
        faults.set_parameters(host, {"address_verify_map": "cdb:$data_directory/verify_cache"})
    before = {host: faults.state_of(host) for host in RELEASES}
    run = playbooks.play("releases", CONVERGE, variables={"primary_mx_domains": [ASKED]})
    assert run.said.count("front.example (verify_cache): address_verify_map is cdb:") == len(RELEASES), run.said
    assert run.changed == dict.fromkeys(NAMES.values(), 0)
    assert {host: faults.state_of(host) for host in RELEASES} == before
    for host in RELEASES:
        faults.unset_parameters(host, "address_verify_map")


@pytest.mark.long
def test_one_domain_is_verified_while_another_goes_and_both_come_back() -> None:
    def code_for(host: str, address: str) -> int:
        return hosts.talk(address, server=NAMES[host]).rcpt[0][0]

    def comes_to_take(host: str, address: str) -> bool:
        return hosts.wait_for(lambda: code_for(host, address) == 250, claims.SECONDS_TO_QUEUE)

    gone = {"name": "behind.example", "state": "absent", "force": True}
    changes_once(variables={"primary_mx_domains": [ASKED], "secondary_mx_domains": [gone]})
    for host in RELEASES:
        # The first answer about an address is 450, while the mail host is being asked.
        assert comes_to_take(host, "liz@front.example")
        assert code_for(host, "nobody@front.example") == 450
        claims.refuses_relay(host, "nora@behind.example")
    with faults.down("mail"):
        for host in RELEASES:
            assert comes_to_take(host, "newcomer@front.example")
    changes_once()
    for host in RELEASES:
        serves_both_domains(host)
        claims.relays_for_no_stranger(host, "front.example")
