# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.lists import (
    RECIPIENT_LIST,
    before_and_behind,
    checks_recipients,
    distrusting,
    distrusts,
    inserted,
    may_check_recipients,
    place_in_list,
    removed,
    why_not_first,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.reading import ListReading

ELEMENT = "check_client_access cidr:/t"
CLIENTS = "smtpd_client_restrictions"


# What the rows of tables come to: nothing, a class, another class, a restriction; of the last none can be listed.
RESULTS = {
    "hash:/c": ("REJECT", "OK", "DUNNO"),
    "hash:/r": ("OK",),
    "hash:/grey": ("DUNNO", "class_grey"),
    "hash:/users": ("class_users",),
    "hash:/two": ("class_two",),
    "hash:/verify": ("REJECT not you", "reject_unverified_recipient, permit"),
    "pcre:/text": ("REJECT $1", "$1"),
    "static:reject": ("reject",),
    "mysql:/m": None,
    "cidr:/t": ("permit",),
}


def reading(**values: str) -> ListReading:
    classes = {name: value for name, value in values.items() if name.startswith("class_")}
    return ListReading(lambda value: expand(value, values), classes, RESULTS)


BY_ROWS = reading(
    class_grey="check_policy_service inet:127.0.0.1:10023",
    class_users="check_recipient_access hash:/r, reject",
    class_two="check_client_access hash:/users",
)


@pytest.mark.parametrize(
    ("name", "part", "expected"),
    [
        (CLIENTS, "reject_rbl_client list.example", True),
        (CLIENTS, "hash:/clients", True),
        (CLIENTS, "reject", True),
        (CLIENTS, "permit_mynetworks", False),
        (RECIPIENT_LIST, "check_policy_service unix:private/spf", True),
        (RECIPIENT_LIST, "reject_unauth_destination", False),
        (RECIPIENT_LIST, "reject_unverified_recipient", False),
        (RECIPIENT_LIST, "check_recipient_access hash:/r", False),
        (RECIPIENT_LIST, "check_recipient_mx_access hash:/r", False),
        (RECIPIENT_LIST, "hash:/recipients", False),
        ("smtpd_data_restrictions", "reject_unauth_pipelining", False),
        ("smtpd_sender_restrictions", "REJECT_UNKNOWN_SENDER_DOMAIN", True),
    ],
)
def test_distrust_is_what_refuses_a_client_for_itself_or_for_a_sender(name: str, part: str, expected: bool) -> None:
    assert distrusts(name, part) is expected


def test_bare_table_checks_recipients_only_in_their_list() -> None:
    assert checks_recipients(RECIPIENT_LIST, "hash:/r") is True
    assert checks_recipients(CLIENTS, "hash:/r") is False
    assert checks_recipients(CLIENTS, "check_recipient_access hash:/r") is True


def test_what_only_warns_is_no_distrust() -> None:
    found = ["warn_if_reject", "reject_unknown_client_hostname", "reject"]
    assert distrusting(CLIENTS, found, reading()) == ["reject"]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("check_recipient_access hash:/r", []),
        (
            "check_recipient_access hash:/grey",
            ["check_recipient_access hash:/grey (its rows lead to check_policy_service inet:127.0.0.1:10023)"],
        ),
        ("check_client_access hash:/grey", ["check_client_access hash:/grey"]),
        (
            "check_recipient_access mysql:/m",
            [
                "check_recipient_access mysql:/m (its rows cannot be listed, and may lead to check_policy_service "
                "inet:127.0.0.1:10023, reject, check_client_access hash:/users)"
            ],
        ),
    ],
)
def test_rows_of_a_check_of_recipients_that_lead_to_distrust_are_told(part: str, expected: list[str]) -> None:
    assert distrusting(CLIENTS, [part], BY_ROWS) == expected


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("check_client_access hash:/c, reject_rbl_client a", 0),
        ("check_client_access hash:/grey, reject_rbl_client a", 0),
        ("check_client_access hash:/users, reject_rbl_client a", 2),
        ("hash:/users, reject_rbl_client a", 1),
        ("reject_rbl_client a, check_helo_access hash:/two, reject_rbl_client b", 4),
        ("check_sender_access hash:/verify, reject_rbl_client a", 2),
        # What can't be told may be a check of recipients.
        ("check_sender_access pcre:/text, reject_rbl_client a", 2),
        ("check_sender_access mysql:/m, reject_rbl_client a", 2),
        ("check_sender_access ldap:/unread, reject_rbl_client a", 2),
        # Behind a check, what refuses everybody else belongs to it.
        ("check_recipient_access hash:/r, check_client_access static:reject, reject_rbl_client a", 4),
        ("check_client_access static:reject", 0),
    ],
)
def test_place_is_behind_tables_whose_rows_lead_to_a_check_of_recipients(value: str, place: int) -> None:
    assert place_in_list(CLIENTS, value, ELEMENT, BY_ROWS) == place


def test_table_may_check_recipients_by_its_rows_alone() -> None:
    tables = ("hash:/c", "hash:/users", "hash:/two", "mysql:/m")
    told = [may_check_recipients(CLIENTS, f"check_client_access {table}", BY_ROWS) for table in tables]
    assert told == [False, True, True, True]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (f"reject_rbl_client a, {ELEMENT}", ""),
        (
            f"reject_unlisted_recipient, {ELEMENT}, reject_rbl_client a",
            "; it is in front of a check of recipients, so put that check first",
        ),
        (
            f"check_client_access hash:/users, {ELEMENT}, reject_rbl_client a",
            "; rows of check_client_access hash:/users lead to a check of recipients, so MX hosts are exempt only "
            "behind it: put it first",
        ),
        (
            "reject_rbl_client a, check_client_access mysql:/m",
            "; rows of check_client_access mysql:/m cannot be listed and may lead to a check of recipients, so MX "
            "hosts are exempt only behind it: put it first, or use a table whose rows can be listed",
        ),
    ],
)
def test_remedy_names_what_keeps_the_element_from_its_place(value: str, why: str) -> None:
    assert why_not_first(CLIENTS, value, ELEMENT, BY_ROWS) == why


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("reject_rbl_client a, permit", 0),
        ("permit_mynetworks, check_recipient_access hash:/r, check_policy_service unix:p", 3),
        (f"permit_mynetworks, {ELEMENT}, reject_unlisted_recipient reject_rbl_client a", 2),
        ("permit_mynetworks, $checks, reject_rbl_client a", 2),
        ("class_checks, reject_rbl_client a", 1),
        ("permit_mynetworks, check_recipient_maps, reject_rbl_client a", 2),
        # Whom the check of recipients does not let through is refused by what closes the list.
        ("permit_mynetworks, check_recipient_access hash:/r, reject", 4),
        ("check_client_access hash:/c, reject", 0),
        # What it stands for is not known here.
        ("reject_rbl_client a, ${v?{reject_unverified_recipient}}, reject_rbl_client b", 3),
    ],
)
def test_place_is_behind_the_last_check_of_recipients(value: str, place: int) -> None:
    known = reading(checks="reject_unverified_recipient", class_checks="reject_unlisted_recipient, permit_mynetworks")
    assert place_in_list(RECIPIENT_LIST, value, ELEMENT, known) == place


def test_what_stands_before_the_element_still_refuses() -> None:
    value = f"reject_rbl_client a, {ELEMENT}, class_more, permit"
    known = reading(class_more="reject_rbl_client b, class_more")
    assert before_and_behind(CLIENTS, value, ELEMENT, known) == (
        ["reject_rbl_client a"],
        ["reject_rbl_client b", "class_more"],
    )
    assert before_and_behind(CLIENTS, "reject", ELEMENT, known) == (["reject"], [])


@pytest.mark.parametrize(
    ("value", "place", "result"),
    [
        ("permit_mynetworks,reject", 0, "check_client_access,cidr:/t,permit_mynetworks,reject"),
        ("permit_mynetworks, reject", 1, f"permit_mynetworks, {ELEMENT}, reject"),
        ("$mua_restrictions", 0, "check_client_access,cidr:/t,$mua_restrictions"),
        ("a,b", 2, "a,b,check_client_access,cidr:/t"),
        ("", 0, "check_client_access,cidr:/t"),
    ],
)
def test_value_of_an_override_gets_the_element_and_loses_it_again(value: str, place: int, result: str) -> None:
    assert inserted(value, ELEMENT, place) == result
    assert removed(result, ELEMENT) == value


def test_only_the_element_is_removed() -> None:
    assert removed(f"{ELEMENT}x, a, {ELEMENT}, {ELEMENT} , b", ELEMENT) == f"{ELEMENT}x, a, b"
    assert removed("check_client_access hash:/t", ELEMENT) == "check_client_access hash:/t"
