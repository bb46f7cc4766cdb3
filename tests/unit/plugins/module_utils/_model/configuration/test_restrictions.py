# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "permit_mynetworks permit_sasl_authenticated defer_unauth_destination",
            "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
        ),
        (
            "check_client_access hash:/c, defer_unauth_destination, reject_unknown_recipient_domain",
            "check_client_access hash:/c, reject_unauth_destination, reject_unknown_recipient_domain",
        ),
        ("permit_mynetworks  reject_unauth_destination", "permit_mynetworks  reject_unauth_destination"),
        ("permit_mynetworks, reject", "permit_mynetworks, reject"),
        ("permit, defer_unauth_destination", "permit, defer_unauth_destination"),
        ("reject_rbl_client reject, defer_unauth_destination", "reject_rbl_client reject, reject_unauth_destination"),
        ("", ""),
    ],
)
def test_only_a_closing_deferral_becomes_a_rejection(before: str, after: str) -> None:
    assert restrictions.rejecting(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "check_recipient_access hash:/v"),
        (
            "permit_mynetworks, reject_unauth_destination, permit",
            "permit_mynetworks, reject_unauth_destination, check_recipient_access hash:/v, permit",
        ),
        ("permit_mynetworks, reject", "permit_mynetworks, check_recipient_access hash:/v, reject"),
        (
            "permit_auth_destination, reject_unauth_destination",
            "check_recipient_access hash:/v, permit_auth_destination, reject_unauth_destination",
        ),
        (
            "permit_mynetworks, permit_auth_destination",
            "permit_mynetworks, check_recipient_access hash:/v, permit_auth_destination",
        ),
        ("reject_rbl_client rbl.example", "reject_rbl_client rbl.example, check_recipient_access hash:/v"),
        ("check_recipient_access  hash:/v", "check_recipient_access  hash:/v"),
    ],
)
def test_check_is_put_where_it_can_only_restrict(before: str, after: str) -> None:
    check = "check_recipient_access hash:/v"
    assert restrictions.with_check(before, check) == after
    assert restrictions.with_check(after, check) == after


def test_check_is_taken_out_again() -> None:
    check = "check_recipient_access hash:/v"
    assert restrictions.without_check(f"permit_mynetworks, {check}, reject", check) == "permit_mynetworks, reject"
    assert restrictions.without_check("permit_mynetworks  reject", check) == "permit_mynetworks  reject"


def test_use_of_verification_is_seen() -> None:
    assert restrictions.uses_verification("permit, reject_unverified_sender") == ["reject_unverified_sender"]
    assert restrictions.uses_verification("reject_unknown_sender_domain") == []


@pytest.mark.parametrize(
    ("value", "present", "after"),
    [
        ("a, reject_unauth_destination", "", "a, reject_unauth_destination"),
        ("a reject_unauth_destination", "a", "a reject_unauth_destination"),
        (
            "permit_mynetworks, reject_unauth_destination, permit_auth_destination",
            "check_client_access hash:/a, permit_mynetworks, reject_unauth_destination, reject_rbl_client x",
            "permit_mynetworks, reject_unauth_destination, check_client_access hash:/a, reject_rbl_client x, "
            "permit_auth_destination",
        ),
        ("permit_mx_backup, reject_unauth_destination", "b", "permit_mx_backup, reject_unauth_destination, b"),
        (
            "warn_if_reject a, reject_unauth_destination, permit",
            "warn_if_reject b, warn_if_reject a, b",
            "warn_if_reject a, reject_unauth_destination, warn_if_reject b, b, permit",
        ),
    ],
)
def test_what_a_list_has_besides_comes_behind_what_closes_it(value: str, present: str, after: str) -> None:
    assert restrictions.with_others(value, present) == after
    assert restrictions.with_others(value, after) == after


@pytest.mark.parametrize(
    ("value", "end", "after"),
    [
        ("", "", "x"),
        ("a, check_client_access hash:/t", "", "a, check_client_access hash:/t, x"),
        ("a, permit", "permit", "a, x, permit"),
        ("permit_mynetworks, REJECT, b", "reject", "permit_mynetworks, x, REJECT, b"),
        ("permit_mx_backup, reject", "permit_mx_backup", "x, permit_mx_backup, reject"),
    ],
)
def test_last_member_comes_before_what_ends_the_list(value: str, end: str, after: str) -> None:
    assert restrictions.end_of(value) == end
    assert restrictions.with_last(value, "x") == after


@pytest.mark.parametrize(
    ("fewer", "more", "expected"),
    [
        ("a, b", "a, ours, b", ("ours", 1)),
        ("a, b", "a, b, ours", ("ours", 2)),
        ("", "ours", ("ours", 0)),
        ("check_x_access hash:/a", "check_x_access hash:/b, check_x_access hash:/a", ("check_x_access hash:/b", 0)),
        ("check_x_access hash:/a, b", "check_x_access hash:/a, c, b", ("c", 2)),
        ("a, b", "a b", None),
        ("a, b", "a, c", None),
        ("a, b", "b, a, c", None),
        ("a", "a, b, c", None),
        ("a, b", "a", None),
    ],
)
def test_one_restriction_more_is_seen(fewer: str, more: str, expected: tuple[str, int] | None) -> None:
    assert restrictions.one_more(fewer, more) == expected


def test_names_in_capitals_are_the_same_restrictions() -> None:
    assert restrictions.restrictions_of("CHECK_Recipient_Access hash:/t/a, Reject") == [
        ("CHECK_Recipient_Access", "hash:/t/a"),
        ("Reject", ""),
    ]
    assert restrictions.rejecting("permit_mynetworks, DEFER_Unauth_Destination") == (
        "permit_mynetworks, reject_unauth_destination"
    )


def test_argument_follows_what_is_named_as_a_check_of_access_from_end_to_end() -> None:
    assert restrictions.parts("check_policy, other_access, reject") == ["check_policy", "other_access", "reject"]


def test_what_ends_a_list_before_it_is_closed_does_not_count() -> None:
    assert restrictions.with_others(
        "permit_mynetworks, permit_auth_destination, reject_unauth_destination", "ours"
    ) == ("permit_mynetworks, permit_auth_destination, reject_unauth_destination, ours")
