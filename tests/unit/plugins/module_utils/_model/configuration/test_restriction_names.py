# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import (
    ARGUMENTS,
    problem,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import (
    REMOVED_RESTRICTIONS,
    RESTRICTIONS,
)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "permit_mynetworks, permit_sasl_authenticated defer_unauth_destination",
        "PERMIT_MYNETWORKS,reject",
        "check_client_access hash:/x, check_policy_service { inet:127.0.0.1:10023, timeout=10s } reject",
        "check_policy_service unix:private/policy",
        "reject_rbl_client list.example=127.0.0.[2..11], sleep 5",
        "warn_if_reject reject_unknown_sender_domain",
        "hash:/legacy permit",
        "grey, permit",
        "$mine whatever follows",
        "check_client_access $table permit",
        "check_client_access inline:{127.0.0.1=reject}",
    ],
)
def test_list_that_smtpd_can_use(value: str) -> None:
    assert problem(value, ("grey",), "3.10.13") == ""


@pytest.mark.parametrize(
    ("value", "version", "message"),
    [
        ("reject_unauth_destinations", "3.10.13",
         '"reject_unauth_destinations" is not a restriction that smtpd knows; '
         'did you mean "reject_unauth_destination"?'),
        ("permit_mynetworks, gray", "3.10.13", '"gray" is not a restriction that smtpd knows; did you mean "grey"?'),
        ("OK", "", '"OK" is not a restriction that smtpd knows; correct it, or name it in smtpd_restriction_classes'),
        ("check_client_access", "3.10.13",
         "check_client_access has no table after it; add it, as in check_client_access hash:/etc/postfix/access"),
        ("CHECK_CLIENT_ACCESS", "3.10.13",
         "CHECK_CLIENT_ACCESS has no table after it; add it, as in CHECK_CLIENT_ACCESS hash:/etc/postfix/access"),
        ("check_client_access permit", "3.10.13",
         "check_client_access has no table after it; add it, as in check_client_access hash:/etc/postfix/access"),
        ("check_client_access /etc/x", "3.10.13",
         '"/etc/x" is not a table for check_client_access; '
         "give one, as in check_client_access hash:/etc/postfix/access"),
        ("check_policy_service policy", "3.10.13",
         '"policy" is not an endpoint for check_policy_service; '
         "give one, as in check_policy_service unix:private/policy"),
        ("check_client_access hash:/x, gray", "3.10.13",
         '"gray" is not a restriction that smtpd knows; did you mean "grey"?'),
        ("sleep x", "3.10.13", '"x" is not a number for sleep; give one, as in sleep 1'),
        ("reject_rbl_client", "3.10.13",
         "reject_rbl_client has no domain after it; add it, as in reject_rbl_client list.example"),
        ("check_sasl_access hash:/x", "2.10.9",
         "check_sasl_access needs Postfix 2.11 or later, and this host has 2.10.9; leave it out here"),
        ("permit_naked_ip_address", "3.10.13",
         "permit_naked_ip_address was removed in Postfix 3.9, and this host has 3.10.13; "
         "use permit_mynetworks or permit_sasl_authenticated"),
    ],
)  # fmt: skip
def test_what_smtpd_could_not_use(value: str, version: str, message: str) -> None:
    assert problem(value, ("grey",), version) == message


def test_later_release_may_know_more_names() -> None:
    assert problem("qwertz", (), "3.12.0") == ""
    assert problem("permit_mynetwork", (), "3.12.0") != ""


def test_restriction_that_was_removed_later_may_be_used() -> None:
    assert problem("permit_naked_ip_address", (), "3.8.6") == ""


def test_every_restriction_with_a_release_is_known() -> None:
    assert set(RESTRICTIONS) | set(REMOVED_RESTRICTIONS) <= set(ARGUMENTS)
