# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import Content
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.passage import (
    Client,
    networks_of,
    passage,
)

RELAY = "smtpd_relay_restrictions"
VALUES = {
    "mynetworks": "127.0.0.0/8 192.0.2.0/24",
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_security_options": "noanonymous",
    "smtpd_sasl_tls_security_options": "noanonymous",
    "smtpd_restriction_classes": "friends, circle",
    "friends": "check_client_access hash:/friends, permit_sasl_authenticated",
    "circle": "circle",
    "relay_clientcerts": "hash:/certs",
}
CONTENTS = {
    "hash:/friends": Content((("192.0.2.1", "OK"), ("198.51.100", "permit"), ("spam.example", "REJECT"))),
    "hash:/names": Content((("partner.example", "OK"),)),
    "hash:/rejects": Content((("spam.example", "REJECT"), ("slow.example", "450 later"))),
    "hash:/classes": Content((("any.example", "reject_unlisted_recipient, permit"),)),
    "hash:/mine": Content((("192.0.2.1", "permit_mynetworks"), ("vip.example", "friends"))),
    "cidr:/half": Content((("0.0.0.0/1", "OK"),)),
    "cidr:/some": Content((("192.0.2.0/28", "OK"), ("0.0.0.0/0", "REJECT"))),
    "regexp:/names": Content((("/example$/", "OK"),), {}),
    "regexp:/all": Content((("/./", "OK"),), {"x1.example": "OK"}),
    "regexp:/no": Content((("/./", "REJECT no"),), {"x1.example": "REJECT no"}),
    "pcre:/part": Content((("/(.*)/", "$1"),), {}),
    "tcp:host:1": Content(None, {}),
    "ldap:/l": Content(None, {"x1.example": "OK"}),
    "hash:/rcpt": Content((("alice@ours.example", "OK"), ("sub.ours.example", "OK"))),
    "hash:/abuse": Content((("postmaster@", "OK"),)),
    "hash:/certs": Content((("AB:CD", "laptop"),)),
    "hash:/ccert": Content((("AB:CD", "OK"),)),
    "proxy:hash:/friends": Content((("192.0.2.1", "OK"),)),
    "hash:/users": Content((("bob", "OK"),)),
}


def client(**values: str) -> Client:
    known = {**VALUES, **values}
    return Client(lambda name: known.get(name, ""), CONTENTS, lambda key: key.endswith("ours.example"))


CLOSED = ", reject_unauth_destination"


@pytest.mark.parametrize(
    "value",
    [
        "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
        "permit_mynetworks permit_sasl_authenticated defer_unauth_destination permit",
        "REJECT_UNAUTH_DESTINATION, permit",
        "reject",
        "reject_rbl_client reject, reject_unauth_destination",
        "sleep 1, reject",
        "check_client_access hash:/rejects" + CLOSED,
        "check_client_access hash:/friends" + CLOSED,
        "check_client_access proxy:hash:/friends" + CLOSED,
        "check_client_access cidr:/some" + CLOSED,
        "check_client_access regexp:/no" + CLOSED,
        "check_client_access hash:/mine" + CLOSED,
        "check_client_access static:REJECT" + CLOSED,
        "friends" + CLOSED,
        "check_recipient_access hash:/rcpt" + CLOSED,
        "hash:/rcpt" + CLOSED,
        "check_recipient_mx_access static:OK" + CLOSED,
        "check_reverse_client_hostname_access static:OK" + CLOSED,
        "check_sasl_access static:OK" + CLOSED,
        "check_ccert_access hash:/ccert" + CLOSED,
        "permit_tls_clientcerts" + CLOSED,
        "permit_auth_destination" + CLOSED,
        "warn_if_reject reject_unauth_destination, reject",
        "warn_if_reject check_client_access hash:/rejects" + CLOSED,
    ],
)
def test_list_is_closed_by_members_that_let_no_stranger_through(value: str) -> None:
    found = passage(RELAY, value, client())
    assert (found.closed, found.open, found.doubts) == (True, False, [])


@pytest.mark.parametrize(
    ("value", "member"),
    [
        ("permit" + CLOSED, "permit"),
        ("permit_naked_ip_address" + CLOSED, "permit_naked_ip_address"),
        ("permit_tls_all_clientcerts" + CLOSED, "permit_tls_all_clientcerts"),
        ("check_sender_access static:{OK}" + CLOSED, "check_sender_access static:{OK}"),
        ("check_sender_access static:ok" + CLOSED, "check_sender_access static:ok"),
        ("check_sender_access randmap:{OK}" + CLOSED, "check_sender_access randmap:{OK}"),
        ("check_sender_access hash:/abuse" + CLOSED, "check_sender_access hash:/abuse"),
        ("check_helo_access hash:/names" + CLOSED, "check_helo_access hash:/names"),
        ("check_client_access hash:/names" + CLOSED, "check_client_access hash:/names"),
        ("check_client_access hash:/classes" + CLOSED, "check_client_access hash:/classes"),
        ("check_recipient_access hash:/abuse" + CLOSED, "check_recipient_access hash:/abuse"),
        ("static:OK" + CLOSED, "static:OK"),
        ("regexp:/all" + CLOSED, "regexp:/all"),
        ("check_client_access ldap:/l" + CLOSED, "check_client_access ldap:/l"),
        ("warn_if_reject check_sender_access static:OK" + CLOSED, "check_sender_access static:OK"),
    ],
)
def test_list_is_opened_by_what_permits_a_stranger(value: str, member: str) -> None:
    found = passage(RELAY, value, client())
    assert [(doubt.member, doubt.proven) for doubt in found.doubts] == [(member, True)]
    assert found.open


@pytest.mark.parametrize(
    ("value", "member"),
    [
        ("check_policy_service inet:127.0.0.1:1" + CLOSED, "check_policy_service inet:127.0.0.1:1"),
        ("permit_dnswl_client list.example" + CLOSED, "permit_dnswl_client list.example"),
        ("check_sender_access tcp:host:1" + CLOSED, "check_sender_access tcp:host:1"),
        ("check_sender_access hash:/unread" + CLOSED, "check_sender_access hash:/unread"),
        ("check_client_access regexp:/names" + CLOSED, "check_client_access regexp:/names"),
        ("check_sender_access pcre:/part" + CLOSED, "check_sender_access pcre:/part"),
        ("permit_somebody" + CLOSED, "permit_somebody"),
        ("${x?permit}" + CLOSED, "${x?permit}"),
        ("circle" + CLOSED, "circle"),
    ],
)
def test_what_cannot_be_told_is_a_doubt(value: str, member: str) -> None:
    found = passage(RELAY, value, client())
    assert [(doubt.member, doubt.proven) for doubt in found.doubts] == [(member, False)]
    assert not found.open


@pytest.mark.parametrize(
    "value", ["", "permit_mynetworks", "warn_if_reject reject_unauth_destination", "permit_auth_destination"]
)
def test_list_that_ends_without_rejecting_is_open(value: str) -> None:
    found = passage(RELAY, value, client())
    assert [(doubt.member, doubt.proven) for doubt in found.doubts] == [("", True)]


def test_classes_may_name_classes_ten_times() -> None:
    classes = {f"c{number}": f"c{number + 1}" for number in range(1, 10)} | {"c10": "reject_unauth_destination"}
    found = passage(RELAY, "c1", client(smtpd_restriction_classes=" ".join(classes), **classes))
    assert (found.closed, found.doubts) == (True, [])


def test_what_two_members_leave_in_doubt_is_told_once() -> None:
    asked = "check_policy_service inet:127.0.0.1:1"
    found = passage(RELAY, f"{asked}, {asked}{CLOSED}", client())
    assert [doubt.member for doubt in found.doubts] == [asked]


def test_addresses_that_a_table_permits_are_summed_with_mynetworks() -> None:
    found = passage(RELAY, "permit_mynetworks, check_client_access cidr:/half" + CLOSED, client())
    assert sorted(map(str, found.networks)) == ["0.0.0.0/1", "127.0.0.0/8", "192.0.2.0/24"]
    assert found.doubts == []


def test_tables_that_have_not_been_read_are_named() -> None:
    found = passage(RELAY, "check_client_access proxy:hash:/unread, hash:/names" + CLOSED, client())
    assert found.needed == {"proxy:hash:/unread"}


def test_nothing_behind_the_end_is_read() -> None:
    assert passage(RELAY, "reject_unauth_destination, check_sender_access hash:/unread", client()).needed == set()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"smtpd_sasl_security_options": ""}, "smtpd_sasl_security_options allows anonymous logins (no noanonymous)"),
        (
            {"smtpd_sasl_tls_security_options": "noplaintext"},
            "smtpd_sasl_tls_security_options allows anonymous logins (no noanonymous)",
        ),
    ],
)
def test_login_without_a_name_is_an_opening(values: dict[str, str], why: str) -> None:
    found = passage(RELAY, "permit_sasl_authenticated" + CLOSED, client(**values))
    assert [(doubt.why, doubt.proven) for doubt in found.doubts] == [(why, True)]
    assert (
        passage(RELAY, "permit_sasl_authenticated" + CLOSED, client(**values, smtpd_sasl_auth_enable="no")).doubts == []
    )


@pytest.mark.parametrize(
    ("table", "proven"), [("static:x", True), ("regexp:/names", False), ("tcp:host:1", False), ("hash:/certs", None)]
)
def test_certificates_have_to_be_listed(table: str, proven: bool | None) -> None:
    found = passage(RELAY, "permit_tls_clientcerts" + CLOSED, client(relay_clientcerts=table))
    assert [doubt.proven for doubt in found.doubts] == ([] if proven is None else [proven])


@pytest.mark.parametrize(
    ("value", "doubts"),
    [
        ("127.0.0.0/8 [::1]/128", []),
        ("!10.0.0.1, 10.0.0.0/8", []),
        ("example", [("example", False)]),
        ("unknown", [("unknown", False)]),
        ("static:all", [("static:all", True)]),
        ("cidr:/some", []),
        ("regexp:/names", [("regexp:/names", False)]),
        ("regexp:/all", [("regexp:/all", True)]),
        ("hash:/names", [("hash:/names (partner.example)", False)]),
        ("/nets", [("name.example", False)]),
        ("/unread", [("/unread", False)]),
    ],
)
def test_networks_are_addresses_that_are_listed(value: str, doubts: list[tuple[str, bool]]) -> None:
    contents = {
        **CONTENTS,
        "/nets": Content((("/more", ""), ("name.example", ""))),
        "/more": Content((("192.0.2.9", ""),)),
    }
    clients = Client(lambda name: value if name == "mynetworks" else "", contents, lambda _key: False)
    found = networks_of("mynetworks", clients)
    assert [(doubt.member, doubt.proven) for doubt in found.doubts] == doubts
