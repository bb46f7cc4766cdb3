# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    best_exchanger,
    faces_strangers,
    open_services,
    overrides_for_strangers,
    unknown_host,
    written_value,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    MxRecord,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import OWN, host, service


@pytest.mark.parametrize(
    ("records", "own"),
    [
        ([], None),
        ([MxRecord(10, "other", ("192.0.2.1",))], None),
        ([MxRecord(10, "other", ()), OWN], None),
        ([OWN], OWN),
        ([MxRecord(20, "other", ("192.0.2.1",)), OWN], OWN),
        ([MxRecord(30, "other", ("192.0.2.1",)), OWN], OWN),
        ([MxRecord(20, "alias.example", ("192.0.2.9",))], MxRecord(20, "alias.example", ("192.0.2.9",))),
    ],
)
def test_best_exchanger_is_told(records: list[MxRecord], own: MxRecord | None) -> None:
    assert best_exchanger(records, host(), ()) == own


@pytest.mark.parametrize(
    ("mx_lookup", "addresses", "records", "unknown"),
    [
        (False, [], [], True),
        (False, [], [OWN], True),
        (True, [], [OWN], False),
        (True, [], [], True),
        (False, ["192.0.2.1"], [], False),
        # No answer came.
        (False, [], None, False),
    ],
)
def test_host_is_unknown_if_dns_says_that_mail_can_not_reach_it(
    mx_lookup: bool, addresses: list[str], records: list[MxRecord] | None, unknown: bool
) -> None:
    on = host(mx={} if records is None else {"m": records}, host_addresses={"m": addresses})
    assert unknown_host("m", mx_lookup, on) is unknown
    assert unknown_host("", mx_lookup, on) is False


@pytest.mark.parametrize(
    ("name", "kind", "command", "faces"),
    [
        ("smtp", "inet", "smtpd -o a=b", True),
        ("smtpd", "pass", "smtpd", True),
        ("192.0.2.9:25", "inet", "smtpd", True),
        ("127.0.0.1:10025", "inet", "smtpd", False),
        ("[::1]:10025", "inet", "smtpd", False),
        ("localhost:10025", "inet", "smtpd", False),
        ("smtp", "unix", "smtpd", False),
        ("smtp", "inet", "postscreen", False),
        ("smtp", "inet", "", False),
    ],
)
def test_strangers_reach_an_smtp_server_that_listens_to_more_than_this_host(
    name: str, kind: str, command: str, faces: bool
) -> None:
    assert faces_strangers(service(name, kind, command)) is faces


def test_service_is_open_by_its_own_lists_alone() -> None:
    on = host(
        services=[
            service("smtp", "inet", "smtpd"),
            service("mua", "inet", "smtpd", smtpd_relay_restrictions="permit"),
            service("shut", "inet", "smtpd", smtpd_relay_restrictions="$mine"),
            service("local", "unix", "smtpd", smtpd_relay_restrictions="permit"),
        ],
        values={"mine": "reject_unauth_destination"},
    )
    assert [opened.name for opened in open_services("permit", "", on)] == ["mua"]
    assert open_services("permit", "reject", on) == []


def test_overrides_are_told_of_services_that_strangers_reach() -> None:
    on = host(
        services=[
            service("smtp", "inet", "smtpd", mynetworks="$mine"),
            service("127.0.0.1:25", "inet", "smtpd", mynetworks="all"),
            service("mua", "inet", "smtpd"),
        ],
        values={"mine": "10.0.0.0/8"},
    )
    assert overrides_for_strangers(on, "mynetworks") == [("mynetworks of smtp/inet", "10.0.0.0/8")]


def test_value_is_told_as_main_cf_has_it() -> None:
    on = host(explicit={"relay_domains": "$mine"}, values={"relay_domains": "x.example", "relayhost": "[smart]"})
    assert written_value(on, "relay_domains") == "$mine"
    assert written_value(on, "relayhost") == "[smart]"
