# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.admission import (
    STRANGERS,
    Access,
    ListContext,
    accesses,
    evaluate_list,
    verifies,
)

STRANGER = STRANGERS["ipv4"][0]
CLIENT = "smtpd_client_restrictions"
RELAY = "smtpd_relay_restrictions"
CLASSES = {
    "ours": "permit_mynetworks, reject",
    "all": "permit",
    "deep": "ours",
    "loop": "loop",
    "both": "reject, permit",
}
ANSWERS = {
    "cidr:/clients": {STRANGER.address: "REJECT go away"},
    "cidr:/lists": {STRANGER.address: "permit_mynetworks, reject"},
    "cidr:/class": {STRANGER.address: "ours"},
    "cidr:/ok": {STRANGER.address: "ok"},
    "cidr:/number": {STRANGER.address: "1234567"},
    "cidr:/code": {STRANGER.address: "450 later"},
    "cidr:/both": {STRANGER.address: "both"},
    "cidr:/bare": {STRANGER.address: "421"},
    "cidr:/gone": {STRANGER.address: "DISCARD"},
    "cidr:/later": {STRANGER.address: "defer_if_permit Try later"},
    "cidr:/mark": {STRANGER.address: "PREPEND X-Elsewhere: reject"},
    "regexp:/senders": {STRANGER.sender: "554 no"},
    "hash:/domains": {"away.example": "REJECT"},
}


def refused_by(value: str, name: str = CLIENT, delayed: bool = True, domain: str = "") -> str:
    context = ListContext(CLASSES, ANSWERS, delayed=delayed)
    return evaluate_list(name, value, replace(STRANGER, domain=domain), context).refused_by


@pytest.mark.parametrize(
    "value",
    [
        "",
        "permit_mynetworks, permit_sasl_authenticated",
        "permit, reject",
        "warn_if_reject reject",
        "WARN_IF_REJECT reject",
        "warn_if_reject ours, warn_if_reject check_client_access cidr:/clients",
        "all, reject",
        "loop",
        "reject_rbl_client list.example, reject_unknown_client_hostname, reject_unknown_sender_domain, sleep 3",
        "reject_rbl_client reject, reject_rhsbl_sender defer",
        "check_policy_service { inet:host:1, default_action=reject }",
        "check_client_access cidr:/ok, reject",
        "check_client_access cidr:/number, reject",
        "check_client_access cidr:/bare, reject",
        "check_client_access cidr:/gone, reject",
        "warn_if_reject both, reject",
        "warn_if_reject defer_if_permit",
        "warn_if_reject check_client_access cidr:/later",
        "check_client_access cidr:/mark",
        "check_client_access cidr:/nobody, check_sender_access cidr:/clients",
        "check_ccert_access cidr:/clients, check_sasl_access cidr:/clients, check_etrn_access cidr:/clients",
        "defer_if_reject",
        "permit_auth_destination, reject",
        "permit_mx_backup, defer",
        "some_word_of_tomorrow",
    ],
)
def test_list_that_lets_an_ordinary_stranger_through(value: str) -> None:
    assert refused_by(value) == ""


@pytest.mark.parametrize(
    ("value", "domain", "by"),
    [
        ("check_etrn_access hash:/etrn, reject", "x.example", ""),
        ("check_etrn_access hash:/etrn, reject", "sub.x.example", ""),
        ("check_etrn_access hash:/etrn, reject", "y.example", "reject"),
        ("check_etrn_access hash:/etrn", "z.example", "check_etrn_access hash:/etrn"),
        ("hash:/etrn, reject", "x.example", "reject"),
    ],
)
def test_table_of_etrn_decides_in_the_list_of_etrn(value: str, domain: str, by: str) -> None:
    context = ListContext(answers={"hash:/etrn": {"x.example": "OK", "z.example": "REJECT"}})
    stranger = replace(STRANGERS["ipv4"][0], domain=domain)
    assert evaluate_list("smtpd_etrn_restrictions", value, stranger, context).refused_by == by


@pytest.mark.parametrize(
    ("value", "by"),
    [
        ("permit_mynetworks, reject", "reject"),
        ("REJECT", "REJECT"),
        ("permit_mynetworks permit_sasl_authenticated permit_tls_clientcerts defer", "defer"),
        ("permit_dnswl_client list.example, reject", "reject"),
        ("warn_if_reject reject, reject", "reject"),
        ("ours", "reject"),
        ("deep, permit", "reject"),
        ("defer_if_permit", "defer_if_permit"),
        ("defer_if_permit, permit", "defer_if_permit"),
        ("check_client_access cidr:/clients", "check_client_access cidr:/clients"),
        ("cidr:/clients, permit", "cidr:/clients"),
        ("check_client_access cidr:/lists", "check_client_access cidr:/lists"),
        ("check_client_access cidr:/class", "check_client_access cidr:/class"),
        ("check_client_access cidr:/code", "check_client_access cidr:/code"),
        ("check_client_access cidr:/later, permit", "check_client_access cidr:/later"),
        ("check_client_access cidr:/later, reject", "reject"),
        ("check_client_access cidr:/clients, reject", "check_client_access cidr:/clients"),
        ("check_client_a_access cidr:/clients", "check_client_a_access cidr:/clients"),
        ("check_sender_access regexp:/senders", "check_sender_access regexp:/senders"),
        ("check_client_access hash:/whitelist, reject", "reject"),
        ("check_reverse_client_hostname_access cidr:/ok, permit", "check_reverse_client_hostname_access cidr:/ok"),
        ("warn_if_reject check_client_mx_access cidr:/both", "check_client_mx_access cidr:/both"),
    ],
)
def test_list_that_refuses_whoever_is_not_listed(value: str, by: str) -> None:
    assert refused_by(value) == by


def test_list_that_decides_on_destinations_may_end_for_those_of_others() -> None:
    assert refused_by("permit_mynetworks, reject_unauth_destination", RELAY) == ""
    assert refused_by("permit_mynetworks, permit_auth_destination, reject", RELAY) == ""
    assert refused_by("permit_mynetworks, reject_unauth_destination, reject", RELAY) == "reject"


def test_client_list_that_is_read_at_once_knows_neither_sender_nor_recipient() -> None:
    assert refused_by("permit_auth_destination, reject", delayed=False) == "reject"
    assert refused_by("check_sender_access regexp:/senders", delayed=False) == ""
    assert refused_by("check_sender_a_access cidr:/clients", delayed=False) == ""
    assert refused_by("check_sender_a_access cidr:/clients") != ""
    assert refused_by("check_helo_access cidr:/clients", delayed=False) == ""
    assert refused_by("check_helo_access cidr:/clients", "smtpd_helo_restrictions", delayed=False) != ""
    assert refused_by("check_sender_access regexp:/senders", "smtpd_sender_restrictions", delayed=False) != ""
    assert refused_by("check_recipient_access hash:/domains", delayed=False, domain="away.example") == ""


def test_lists_are_read_when_the_recipient_is_known_unless_told_otherwise() -> None:
    assert evaluate_list(CLIENT, "permit_auth_destination, reject", STRANGER, ListContext()).refused_by == ""


def test_strangers_send_from_the_domain_of_their_hosts() -> None:
    assert {stranger.sender for strangers in STRANGERS.values() for stranger in strangers} == {
        f"mxrelay-probe@mxrelay-probe.{top}" for top in ("com", "net", "org", "de", "jp")
    }


def test_table_of_recipients_refuses_a_domain() -> None:
    value = "check_recipient_access hash:/domains"
    assert refused_by(value, RELAY, domain="away.example") == value
    assert refused_by(value, RELAY, domain="other.example") == ""


def test_table_of_etrn_decides_in_no_other_list() -> None:
    assert refused_by("check_etrn_access hash:/domains", RELAY, domain="away.example") == ""


def test_without_tls_and_without_names_of_clients() -> None:
    plain = replace(STRANGER, encrypted=False)
    assert (
        evaluate_list(CLIENT, "reject_plaintext_session", plain, ListContext()).refused_by == "reject_plaintext_session"
    )
    assert evaluate_list(CLIENT, "reject_plaintext_session", STRANGER, ListContext()).refused_by == ""
    unnamed = ListContext(peer_names=False)
    assert evaluate_list(CLIENT, "reject_unknown_client_hostname", STRANGER, unnamed).refused_by != ""


def test_what_may_have_let_him_through_is_told_and_whom_he_met() -> None:
    before = "check_policy_service unix:p, check_sasl_access hash:/users, check_client_access cidr:/nobody"
    value = f"{before}, reject, check_client_access cidr:/behind"
    through = evaluate_list(CLIENT, value, STRANGER, ListContext())
    assert through.perhaps == ("check_policy_service unix:p",)
    assert through.met == (
        Access("check_policy_service", "unix:p"),
        Access("check_client_access", "cidr:/nobody"),
    )
    assert evaluate_list(CLIENT, before, STRANGER, ListContext()).perhaps == ()


def test_message_that_is_discarded_is_accepted_whatever_other_lists_say() -> None:
    through = evaluate_list(
        CLIENT, "warn_if_reject check_client_a_access cidr:/gone, reject", STRANGER, ListContext({}, ANSWERS)
    )
    assert (through.refused_by, through.settled) == ("", True)
    assert not evaluate_list(RELAY, "check_client_access cidr:/gone", STRANGER, ListContext({}, ANSWERS)).settled
    assert refused_by("defer_if_permit, check_client_access cidr:/gone") == "defer_if_permit"
    assert not evaluate_list(CLIENT, "check_client_access cidr:/ok", STRANGER, ListContext({}, ANSWERS)).settled


def test_everything_that_is_asked_is_found_in_classes_too() -> None:
    classes = {"a": "check_sender_access hash:/a, b", "b": "hash:/b, a"}
    value = (
        "a, permit, check_policy_service inet:h:1, CHECK_Client_Access hash:/c, check_policy_service { unix:p, a=b }"
    )
    assert accesses(RELAY, value, classes) == [
        Access("check_sender_access", "hash:/a"),
        Access("check_recipient_access", "hash:/b"),
        Access("check_policy_service", "inet:h:1"),
        Access("check_client_access", "hash:/c"),
        Access("check_policy_service", "{ unix:p, a=b }"),
    ]


@pytest.mark.parametrize(
    ("value", "members"),
    [
        ("reject_unverified_recipient", ["reject_unverified_recipient"]),
        ("asking, permit", ["reject_unverified_recipient (in the restriction class asking)"]),
        ("warn_if_reject reject_unverified_recipient", []),
        ("permit_auth_destination, reject_unverified_recipient", []),
        ("check_client_access cidr:/asking", ["check_client_access cidr:/asking"]),
        ("warn_if_reject check_client_access cidr:/asking", []),
        ("check_client_access cidr:/some", ["check_client_access cidr:/some"]),
        ("warn_if_reject check_client_access cidr:/some", []),
        ("check_client_access cidr:/none", []),
        ("check_recipient_access hash:/here", ["check_recipient_access hash:/here"]),
        ("check_recipient_access hash:/quoted", ["check_recipient_access hash:/quoted"]),
        ("check_recipient_access hash:/elsewhere", []),
        ("check_sender_access hash:/elsewhere", ["check_sender_access hash:/elsewhere"]),
    ],
)
def test_members_by_which_the_mail_host_is_asked_about_recipients(value: str, members: list[str]) -> None:
    context = ListContext(
        {"asking": "reject_unverified_recipient"},
        {"cidr:/asking": {STRANGER.address: "asking"}},
        {
            "cidr:/some": ["192.0.2.1"],
            "hash:/here": ["a@x.example"],
            "hash:/quoted": ['"a@b"@x.example'],
            "hash:/elsewhere": ["a@y.example"],
        },
    )
    assert [*evaluate_list(RELAY, value, replace(STRANGER, domain="x.example"), context).verified_by] == members


def test_list_that_is_read_before_the_recipient_has_nobody_asked_about_him() -> None:
    context = ListContext(verifying={"cidr:/some": ["192.0.2.1"]}, delayed=False)
    value = "reject_unverified_recipient, check_client_access cidr:/some"
    assert evaluate_list(CLIENT, value, STRANGER, context).verified_by == ()


@pytest.mark.parametrize(("depth", "refused"), [(19, True), (20, False)])
def test_classes_and_results_of_tables_are_followed_nineteen_deep(depth: int, refused: bool) -> None:
    classes = {f"c{number}": f"c{number + 1}" for number in range(1, depth)}
    by_class = evaluate_list(CLIENT, "c1", STRANGER, ListContext({**classes, f"c{depth}": "reject"}))
    # The last one has `reject` in a list, which is as deep as what the last class has.
    tables = {f"cidr:/{number}": {STRANGER.address: f"cidr:/{number + 1}"} for number in range(1, depth)}
    last = {f"cidr:/{depth}": {STRANGER.address: "permit_mynetworks, reject"}}
    by_table = evaluate_list(CLIENT, "cidr:/1", STRANGER, ListContext(answers={**tables, **last}))
    assert (by_class.refused_by, by_table.refused_by) == (("reject", "cidr:/1") if refused else ("", ""))


def test_what_names_itself_lets_through() -> None:
    answers = {"cidr:/loop": {STRANGER.address: "cidr:/loop"}}
    assert evaluate_list(CLIENT, "cidr:/loop", STRANGER, ListContext(answers=answers)).refused_by == ""
    assert not verifies("loop", {"loop": "loop"})


@pytest.mark.parametrize(
    ("result", "asks"),
    [
        ("reject_unverified_recipient", True),
        ("permit_mynetworks, REJECT_Unverified_Recipient", True),
        ("asking", True),
        ("silent", False),
        ("reject_unverified_sender", False),
        ("", False),
    ],
)
def test_result_of_a_table_that_has_the_mail_host_asked(result: str, asks: bool) -> None:
    classes = {"asking": "permit_mynetworks, reject_unverified_recipient", "silent": "reject"}
    assert verifies(result, classes) == asks
