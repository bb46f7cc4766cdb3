# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import Content
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.servers import doubtful, relaying

CLOSED = "permit_mynetworks, reject_unauth_destination"
VALUES = {
    "mynetworks": "127.0.0.0/8",
    "smtpd_relay_restrictions": CLOSED,
    "smtpd_recipient_restrictions": "",
}


def service(name: str, command: str = "smtpd", kind: str = "inet", **overrides: str) -> Service:
    return Service(name, kind, "n", "-", "n", "-", "-", command, overrides)


def host(*services: Service, contents: dict[str, Content] | None = None, **values: str) -> HostState:
    known = {**VALUES, **values}
    return HostState(parameters=known, values=known, services=services, contents=contents or {})


def told(state: HostState) -> list[tuple[str, str, str, bool]]:
    """Of each server what is doubtful: which server, where, the member, whether it is proven open."""
    return [
        (server.key, doubt.where, doubt.member, doubt.proven)
        for server in relaying(state).servers
        for doubt in server.doubts
    ]


def test_closed_host_has_nothing_to_tell() -> None:
    state = host(service("smtp"), service("127.0.0.1:10025", smtpd_relay_restrictions="permit"))
    assert told(state) == []
    assert [(server.key, server.everybody) for server in relaying(state).servers] == [("main.cf", ())]


@pytest.mark.parametrize(
    ("values", "open_lists"),
    [
        ({"smtpd_relay_restrictions": ""}, [("main.cf", "smtpd_relay_restrictions", "", True)]),
        ({"smtpd_relay_restrictions": "", "smtpd_recipient_restrictions": CLOSED}, []),
        ({"smtpd_relay_restrictions": "permit", "smtpd_recipient_restrictions": CLOSED}, []),
        (
            {
                "smtpd_relay_restrictions": "permit",
                "smtpd_recipient_restrictions": "check_policy_service unix:p, reject",
            },
            [("main.cf", "smtpd_recipient_restrictions", "check_policy_service unix:p", False)],
        ),
        (
            {"smtpd_relay_restrictions": "permit_mynetworks", "smtpd_recipient_restrictions": "permit_mynetworks"},
            [("main.cf", "smtpd_relay_restrictions", "", True)],
        ),
    ],
)
def test_one_closed_list_is_enough(values: dict[str, str], open_lists: list[tuple[str, str, str, bool]]) -> None:
    assert told(host(service("smtp"), **values)) == open_lists


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"smtpd_relay_restrictions": "permit"}, [("2525/inet", "smtpd_relay_restrictions", "permit", True)]),
        ({"smtpd_recipient_restrictions": "permit"}, []),
        (
            {"smtpd_relay_restrictions": "", "smtpd_recipient_restrictions": "static:OK, reject"},
            [("2525/inet", "smtpd_relay_restrictions", "", True)],
        ),
        (
            {"smtpd_authorized_xclient_hosts": "static:all"},
            [("2525/inet", "smtpd_authorized_xclient_hosts", "static:all", True)],
        ),
        ({"smtpd_authorized_xclient_hosts": "192.0.2.7"}, []),
        (
            {"smtpd_upstream_proxy_protocol": "haproxy"},
            [("2525/inet", "smtpd_relay_restrictions", "permit_mynetworks", True)],
        ),
        ({"smtpd_command_filter": "pcre:/f"}, [("2525/inet", "smtpd_command_filter", "pcre:/f", False)]),
        ({"allow_untrusted_routing": "yes"}, [("2525/inet", "allow_untrusted_routing", "yes", False)]),
        ({"allow_untrusted_routing": "YES"}, [("2525/inet", "allow_untrusted_routing", "yes", False)]),
    ],
)
def test_service_is_judged_by_its_own_overrides(
    overrides: dict[str, str], expected: list[tuple[str, str, str, bool]]
) -> None:
    assert told(host(service("smtp"), service("2525", **overrides))) == expected


def test_override_of_a_name_that_a_list_refers_to_counts() -> None:
    values = {"mine": CLOSED, "smtpd_relay_restrictions": CLOSED}
    state = host(service("2525", mine="permit_mynetworks, static:OK, reject"), **values)
    written = {**state.parameters, "smtpd_relay_restrictions": "$mine"}
    found = told(HostState(parameters=written, values=state.values, services=state.services))
    assert found == [("2525/inet", "smtpd_relay_restrictions", "static:OK", True)]


@pytest.mark.parametrize(
    ("values", "overrides", "everybody"),
    [
        ({"mynetworks": "0.0.0.0/1, 128.0.0.0/1"}, {}, [("0.0.0.0/1", "128.0.0.0/1")]),
        ({}, {"mynetworks": "0.0.0.0/0"}, [(), ("0.0.0.0/0",)]),
    ],
)
def test_networks_of_everybody_are_told(
    values: dict[str, str], overrides: dict[str, str], everybody: list[tuple[str, ...]]
) -> None:
    state = host(service("2525", **overrides), **values)
    assert [server.everybody for server in relaying(state).servers] == everybody


def test_addresses_of_a_table_and_of_mynetworks_are_summed() -> None:
    contents = {"cidr:/a": Content((("18.0.0.0/8", "OK"),))}
    values = {"mynetworks": "17.0.0.0/8", "smtpd_relay_restrictions": "check_client_access cidr:/a, " + CLOSED}
    state = host(service("smtp"), contents=contents, **values)
    assert told(state) == [("main.cf", "smtpd_relay_restrictions", "check_client_access", True)]
    assert told(host(service("smtp"), contents=contents, **{**values, "mynetworks": "127.0.0.0/8"})) == []


@pytest.mark.parametrize(
    ("command", "values", "expected"),
    [
        ("qmqpd", {"qmqpd_authorized_clients": ""}, []),
        ("qmqpd", {"qmqpd_authorized_clients": "192.0.2.7"}, []),
        ("qmqpd", {"qmqpd_authorized_clients": "0.0.0.0/0"}, [("628/inet", "qmqpd_authorized_clients", "", True)]),
        (
            "qmqpd",
            {"qmqpd_authorized_clients": "example"},
            [("628/inet", "qmqpd_authorized_clients", "example", False)],
        ),
        ("mysmtpd", {}, [("628/inet", "628/inet", "mysmtpd", False)]),
        ("../sbin/smtpd", {}, []),
        ("postscreen", {}, []),
    ],
)
def test_other_programs_are_known_or_named(
    command: str, values: dict[str, str], expected: list[tuple[str, str, str, bool]]
) -> None:
    assert told(host(service("628", command), **values)) == expected


PROXIED = {"smtpd_upstream_proxy_protocol": "haproxy"}


@pytest.mark.parametrize(
    ("overrides", "member"),
    [
        ({"smtpd_relay_restrictions": "permit_inet_interfaces, reject"}, "permit_inet_interfaces"),
        ({"smtpd_relay_restrictions": "ours, reject"}, "permit_mynetworks"),
        (
            {"smtpd_relay_restrictions": "check_client_access cidr:/a, reject"},
            "check_client_access cidr:/a",
        ),
        (
            {"smtpd_relay_restrictions": "check_client_access inline:{192.0.2.7=ours}, reject"},
            "check_client_access inline:{192.0.2.7=ours}",
        ),
    ],
)
def test_where_clients_claim_their_address_a_permitted_one_is_an_opening(
    overrides: dict[str, str], member: str
) -> None:
    contents = {
        "cidr:/a": Content((("192.0.2.7", "OK"),)),
        "inline:{192.0.2.7=ours}": Content((("192.0.2.7", "ours"),)),
    }
    values = {"ours": "permit_mynetworks", "smtpd_restriction_classes": "ours"}
    state = host(service("2525", **PROXIED, **overrides), contents=contents, **values)
    assert told(state) == [("2525/inet", "smtpd_relay_restrictions", member, True)]
    assert told(host(service("2525", **overrides), contents=contents, **values)) == []


@pytest.mark.parametrize(
    "overrides",
    [
        {"mynetworks": ""},
        {"smtpd_relay_restrictions": "reject_unauth_destination"},
        {"smtpd_relay_restrictions": "reject_unauth_destination, permit_mynetworks"},
        {"smtpd_relay_restrictions": "permit_sasl_authenticated, reject"},
        {"smtpd_relay_restrictions": "check_client_access cidr:/a, reject"},
    ],
)
def test_where_clients_claim_their_address_and_nothing_is_granted_by_it_nothing_is_told(
    overrides: dict[str, str],
) -> None:
    contents = {"cidr:/a": Content((("192.0.2.7", "REJECT"),))}
    assert told(host(service("smtp"), service("2525", **PROXIED, **overrides), contents=contents)) == []


def test_claimed_address_may_not_open_the_way_to_claim_more() -> None:
    hosts = {"smtpd_authorized_xclient_hosts": "127.0.0.1", "mynetworks": ""}
    state = host(service("2525", **PROXIED, **hosts))
    assert told(state) == [("2525/inet", "smtpd_authorized_xclient_hosts", "127.0.0.1", True)]
    assert told(host(service("2525", **hosts))) == []


def test_claims_to_the_loopback_address_alone_are_no_strangers() -> None:
    assert told(host(service("smtp"), service("127.0.0.1:2525", **PROXIED))) == []


def test_protocol_in_main_cf_holds_for_all() -> None:
    expected = [("main.cf", "smtpd_relay_restrictions", "permit_mynetworks", True)]
    assert told(host(service("smtp"), **PROXIED)) == expected


@pytest.mark.parametrize(
    ("screen", "behind", "expected"),
    [
        ({"postscreen_upstream_proxy_protocol": "haproxy"}, {}, True),
        ({}, {}, False),
        ({"postscreen_upstream_proxy_protocol": "haproxy"}, {"mynetworks": ""}, False),
        ({"postscreen_upstream_proxy_protocol": "haproxy", "smtpd_service_name": "other"}, {}, False),
    ],
)
def test_what_clients_claim_to_postscreen_goes_on_to_the_smtpd_behind_it(
    screen: dict[str, str], behind: dict[str, str], expected: bool
) -> None:
    state = host(service("smtp", "postscreen", **screen), service("smtpd", kind="pass", **behind))
    opening = ("smtpd/pass", "smtpd_relay_restrictions", "permit_mynetworks", True)
    assert told(state) == [opening] * expected


def test_what_is_needed_is_named_once_for_all() -> None:
    overridden: dict[str, Any] = {"smtpd_relay_restrictions": "check_client_access hash:/b, reject"}
    state = host(service("2525", **overridden), smtpd_relay_restrictions="check_client_access hash:/a, reject")
    assert relaying(state).needed == {"hash:/a", "hash:/b"}


def test_what_is_proven_open_is_told_from_what_is_in_doubt() -> None:
    state = host(smtpd_relay_restrictions="check_policy_service unix:p, permit", smtpd_recipient_restrictions="")
    (server,) = relaying(state).servers
    assert [doubt.member for doubt in server.openings] == ["permit"]
    assert [(of.key, doubt.member) for of, doubt in doubtful([server])] == [("main.cf", "check_policy_service unix:p")]
