# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.evidence import gather
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_parameters
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import (
    read_classes,
    read_relay_domains,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import TableEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.index_states import (
    CURRENT,
    MISSING,
    NO_SOURCE,
    NO_SUCH_TYPE,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost, FakeNetwork

MAIL = MxRecord(10, "mail.example", ("192.0.2.1",))


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path), "relay_domains = x.example\n")


def evidence(
    host: FakeMxHost, *names: str, network: FakeNetwork | None = None
) -> tuple[list[TableEvidence], list[DomainEvidence]]:
    reader = MapReader(host.postfix())
    state = read_parameters(host.postfix(), reader)
    state = state.having(read_relay_domains(names, state, reader))
    classes = read_classes(names, state, reader)
    return gather(names, host.postfix(), replace(state, classes=classes), reader, network)


def domain(host: FakeMxHost, name: str = "x.example", network: FakeNetwork | None = None) -> DomainEvidence:
    (found,) = evidence(host, name, network=network)[1]
    return found


def test_domain_that_nothing_is_known_of(host: FakeMxHost) -> None:
    assert domain(host, "z.example") == DomainEvidence("z.example", relay_transport="relay")


def test_domain_is_relayed_through_the_member_that_has_it(host: FakeMxHost) -> None:
    assert domain(host).relayed == "x.example"
    # By parent_domain_matches_subdomains.
    assert domain(host, "sub.x.example").relayed == "x.example"
    host.write("main.cf", "relay_domains = .x.example\nparent_domain_matches_subdomains =\n")
    assert (domain(host, "sub.x.example").relayed, domain(host).relayed) == (".x.example", "")


def test_recipients_are_counted_in_all_local_maps(host: FakeMxHost) -> None:
    host.table("one", "a@x.example x\nB@x.example x\npostmaster@x.example x\n")
    host.table("two", "b@x.example x\nc@x.example x\n@y.example x\n")
    maps = f"hash:{host.path('one')}, hash:{host.path('two')}"
    host.write("main.cf", f"relay_domains = x.example, y.example\nrelay_recipient_maps = {maps}\n")
    x, y = evidence(host, "x.example", "y.example")[1]
    assert (x.recipients, x.wildcard, x.other_maps) == (4, False, False)
    assert (y.recipients, y.wildcard, y.other_maps) == (0, True, False)
    host.write("main.cf", f"relay_domains = x.example\nrelay_recipient_maps = {maps}, ldap:/l\n")
    assert (domain(host).recipients, domain(host).other_maps) == (4, True)


@pytest.mark.parametrize(
    ("result", "parameter", "verified"),
    [
        ("reject_unlisted_recipient, reject_unverified_recipient", "smtpd_recipient_restrictions", True),
        ("reject_unverified_recipient", "smtpd_relay_restrictions", True),
        ("reject_unlisted_recipient", "smtpd_recipient_restrictions", False),
        ("reject_unverified_recipient", "smtpd_client_restrictions", False),
    ],
)
def test_domain_is_verified_if_smtpd_asks_its_mail_host(
    host: FakeMxHost, result: str, parameter: str, verified: bool
) -> None:
    host.table("verify", f"x.example {result}\n")
    host.write(
        "main.cf", f"relay_domains = x.example\n{parameter} = check_recipient_access hash:{host.path('verify')}\n"
    )
    assert domain(host).verified is verified


def test_first_key_counts_and_then_the_first_member(host: FakeMxHost) -> None:
    host.table("first", "* smtp:[all]\n.example smtp:[parent]\n")
    host.table("second", "x.example smtp:[own]\n* smtp:[never]\n")
    first, second = (f"hash:{host.path(name)}" for name in ("first", "second"))
    host.write("main.cf", f"relay_domains = x.example\ntransport_maps = {first}, {second}\n")
    found = [found.answer for found in evidence(host, "x.example", "y.example", "y.test")[1]]
    assert found == [
        Capture(second, "x.example", "smtp:[own]"),
        Capture(first, ".example", "smtp:[parent]"),
        Capture(first, "*", "smtp:[all]"),
    ]


@pytest.mark.parametrize(
    ("recipients", "routed"),
    [
        ("News@x.example x\n", (2, True)),
        ("news@x.example x\nstaff@x.example x\nother@y.example x\n@x.example x\n", (2, True)),
        ("news@x.example x\npostmaster@x.example x\n", (2, False)),
    ],
)
def test_addresses_that_have_transport_rows_are_held_against_the_listed(
    host: FakeMxHost, recipients: str, routed: tuple[int, bool]
) -> None:
    host.table("routes", "NEWS@x.example lmtp:l\nstaff@x.example lmtp:l\n@x.example smtp:\ny.example smtp:\n")
    host.table("listed", recipients)
    maps = {"transport_maps": "routes", "relay_recipient_maps": "listed"}
    lines = "".join(f"{name} = proxy:hash:{host.path(table)}\n" for name, table in maps.items())
    host.write("main.cf", f"relay_domains = x.example, y.example\n{lines}")
    x, y = evidence(host, "x.example", "y.example")[1]
    assert (x.routed_addresses, x.all_routed) == routed
    assert (y.routed_addresses, y.all_routed) == (0, False)


def test_nothing_is_asked_of_dns_without_a_network(host: FakeMxHost) -> None:
    found = domain(host)
    assert (found.asked, found.exchangers, found.policy) == (False, None, None)


@pytest.mark.parametrize(
    ("nexthop", "names", "records", "addresses", "exchangers", "unknown"),
    [
        ("[mail.example]", ["mail.example"], {}, ("192.0.2.1",), None, False),
        ("[mail.example]", [], {"mail.example": ()}, (), None, True),
        # Postfix does not look at its MX records.
        ("[mail.example]", [], {"mail.example": (MAIL,)}, (), None, True),
        # DNS did not answer.
        ("[mail.example]", [], {}, (), None, False),
        ("mail.example", [], {"mail.example": (MAIL,)}, (), (MAIL,), False),
        ("mail.example", [], {"mail.example": ()}, (), (), True),
    ],
)
def test_nexthop_is_asked_for_as_postfix_does(
    host: FakeMxHost,
    nexthop: str,
    names: list[str],
    records: dict[str, tuple[MxRecord, ...]],
    addresses: tuple[str, ...],
    exchangers: tuple[MxRecord, ...] | None,
    unknown: bool,
) -> None:
    host.table("transport", f"x.example relay:{nexthop}\n")
    host.write("main.cf", f"relay_domains = x.example\ntransport_maps = hash:{host.path('transport')}\n")
    network = FakeNetwork()
    network.names = dict.fromkeys(names, ("192.0.2.1",))
    network.records = {**records, "x.example": (MAIL,)}
    network.published = {"x.example": "version: STSv1"}
    found = domain(host, network=network)
    assert (found.nexthop_addresses, found.nexthop_exchangers, found.nexthop_unknown) == (
        addresses,
        exchangers,
        unknown,
    )
    assert (found.asked, found.exchangers, found.policy) == (True, (MAIL,), "version: STSv1")


def test_tables_are_told_with_the_state_of_their_index(host: FakeMxHost) -> None:
    host.table("domains", "x.example x\n")
    host.write("recipients", "a@x.example x\nb@x.example x\n")
    for name in ("domains", "recipients"):
        os.utime(host.path(name), (0, 1000))
    domains, recipients, transport = (f"hash:{host.path(name)}" for name in ("domains", "recipients", "transport"))
    host.write(
        "main.cf",
        f"relay_domains = {domains}\nrelay_recipient_maps = {recipients}, ldap:/l\ntransport_maps = {transport}\n",
    )
    assert evidence(host)[0] == [
        TableEvidence("relay_domains", domains, CURRENT, 1, 1000),
        TableEvidence("relay_recipient_maps", recipients, MISSING, 2, 1000),
        TableEvidence("transport_maps", transport, NO_SOURCE, 0),
        TableEvidence("relay_recipient_maps", "ldap:/l", NO_SUCH_TYPE, 0),
    ]
