# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version table against what Postfix itself prints, and against its release notes where no Postfix is to be had.

fixtures/postconf_d holds real output of 3.5, 3.7, 3.10 and 3.11. Whatever is said here of a release before 3.5 comes
from release notes and manual pages, and from one trial of old releases (docs/releases.md): no test runs such a Postfix.
"""

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import (
    FEATURES,
    PARAMETERS,
    REMOVED_RESTRICTIONS,
    RENAMED,
    RESTRICTIONS,
    first_release,
    is_newer_than_known,
    missing_parameter,
    missing_restriction,
    name_in,
    release,
    supports,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.release_defaults import SUITES, printed


@pytest.mark.parametrize("suite", SUITES)
def test_fixture_is_of_the_release_it_stands_for(suite: str) -> None:
    assert printed(suite)["mail_version"] == SUITES[suite]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("parameter", sorted(PARAMETERS))
def test_parameter_is_there_where_postconf_has_it(suite: str, parameter: str) -> None:
    missing = missing_parameter(SUITES[suite], parameter)
    assert (missing == "") is (parameter in printed(suite))


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("parameter", sorted(RENAMED))
def test_name_is_the_one_that_postconf_has(suite: str, parameter: str) -> None:
    real = printed(suite)
    old = RENAMED[parameter].old
    expected = parameter if parameter in real else old
    assert expected in real
    assert name_in(SUITES[suite], parameter) == expected


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("3.10.13", (3, 10)),
        ("3.11-RC1", (3, 11)),
        ("2.9-20111219", (2, 9)),
        ("3.12-20260101-nonprod", (3, 12)),
        ("", (0, 0)),
        ((3, 10, 13), (3, 10)),
        ((), (0, 0)),
    ],
)
def test_release(version: str | tuple[int, ...], numbers: tuple[int, int]) -> None:
    assert release(version) == numbers


# The last release without it, and the first with it, by Postfix's release notes and manual pages.
FEATURE_BOUNDS = {
    "delimiter_set": ("2.10.10", "2.11.0"),
    "table_listing": ("2.1.6", "2.2.0"),
    "relay_service_is_guarded": ("2.1.6", "2.2.0"),
    "flush_by_queue_id": ("2.3.19", "2.4.0"),
    "relay_service_ships_bare": ("2.8.20", "2.9.0"),
    "master_cf_listing": ("2.8.20", "2.9.0"),
    "own_names_listed": ("2.8.20", "2.9.0"),
    "proxy_protocol": ("2.9.15", "2.10.0"),
    "postscreen": ("2.7.16", "2.8.0"),
    "inline_tables": ("2.11.11", "3.0.0"),
    "braced_overrides": ("2.11.11", "3.0.0"),
    "chroot_off_by_default": ("2.11.11", "3.0.0"),
    "policy_attributes": ("2.11.11", "3.0.0"),
    "refused_mail_retry": ("2.11.11", "3.0.0"),
    "queue_as_json": ("3.0.15", "3.1.0"),
    "quoted_keys": ("3.1.15", "3.2.0"),
    "forced_expiry": ("3.4.29", "3.5.0"),
    "nexthop_list": ("3.4.29", "3.5.0"),
    "inline_patterns": ("3.6.15", "3.7.0"),
    "redirected_tables": ("3.10.13", "3.11.0"),
}
PARAMETER_BOUNDS = {
    "proxy_interfaces": ("1.1.13", "2.0.0"),
    "relay_recipient_maps": ("1.1.13", "2.0.0"),
    "inet_protocols": ("2.1.6", "2.2.0"),
    "smtp_tls_security_level": ("2.2.12", "2.3.0"),
    "data_directory": ("2.4.16", "2.5.0"),
    "unverified_recipient_defer_code": ("2.5.17", "2.6.0"),
    "smtpd_relay_restrictions": ("2.9.15", "2.10.0"),
    "smtp_dns_support_level": ("2.10.10", "2.11.0"),
    "compatibility_level": ("2.11.11", "3.0.0"),
    "smtputf8_enable": ("2.11.11", "3.0.0"),
    "maillog_file": ("3.3.22", "3.4.0"),
    "default_cache_db_type": ("3.10.13", "3.11.0"),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_feature_is_there_from_its_first_release_on(feature: str) -> None:
    without, with_ = FEATURE_BOUNDS[feature]
    assert (supports(without, feature), supports(with_, feature)) == (False, True)


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_parameter_is_there_from_its_first_release_on(parameter: str) -> None:
    without, with_ = PARAMETER_BOUNDS[parameter]
    assert (missing_parameter(without, parameter) == "", missing_parameter(with_, parameter)) == (False, "")


@pytest.mark.parametrize(
    ("version", "parameter", "name"),
    [
        ("2.2.12", "smtp_fallback_relay", "fallback_relay"),
        ("2.3.0", "smtp_fallback_relay", "smtp_fallback_relay"),
        ("3.5.25", "postscreen_denylist_action", "postscreen_blacklist_action"),
        ("3.6.0", "postscreen_denylist_action", "postscreen_denylist_action"),
        ("2.2.12", "relay_domains", "relay_domains"),
    ],
)
def test_name_in(version: str, parameter: str, name: str) -> None:
    assert name_in(version, parameter) == name


@pytest.mark.parametrize(
    ("version", "parameter", "reason"),
    [
        (
            "3.5.25",
            "postscreen_denylist_action",
            "postscreen_denylist_action is called postscreen_blacklist_action before Postfix 3.6, and this host has "
            "3.5.25; use that name here",
        ),
        (
            "2.9.15",
            "smtpd_relay_restrictions",
            "smtpd_relay_restrictions needs Postfix 2.10 or later, and this host has 2.9.15; leave it out here",
        ),
        ("2.10.0", "smtpd_relay_restrictions", ""),
        (
            "2.5.17",
            "unverified_recipient_defer_code",
            "unverified_recipient_defer_code needs Postfix 2.6 or later, and this host has 2.5.17; leave it out here",
        ),
        ("2.6.0", "unverified_recipient_defer_code", ""),
        (
            "2.1.6",
            "inet_protocols",
            "inet_protocols needs Postfix 2.2 or later, and this host has 2.1.6; leave it out here",
        ),
        (
            "2.8.20",
            "postscreen_allowlist_interfaces",
            "postscreen_allowlist_interfaces needs Postfix 2.9 or later, and this host has 2.8.20; leave it out here",
        ),
        (
            "2.9.0",
            "postscreen_allowlist_interfaces",
            "postscreen_allowlist_interfaces is called postscreen_whitelist_interfaces before Postfix 3.6, and this "
            "host has 2.9.0; use that name here",
        ),
        (
            "2.7.16",
            "postscreen_denylist_action",
            "postscreen_denylist_action needs Postfix 2.8 or later, and this host has 2.7.16; leave it out here",
        ),
        (
            "2.10.1",
            "postscreen_dnsbl_allowlist_threshold",
            "postscreen_dnsbl_allowlist_threshold needs Postfix 2.11 or later, and this host has 2.10.1; "
            "leave it out here",
        ),
        ("3.5.25", "no_such_parameter", ""),
    ],
)
def test_missing_parameter_is_explained_by_the_release(version: str, parameter: str, reason: str) -> None:
    assert missing_parameter(version, parameter) == reason


def test_first_release_is_written_as_people_write_it() -> None:
    assert (first_release("quoted_keys"), first_release("redirected_tables")) == ("3.2", "3.11")
    assert first_release("unverified_recipient_defer_code") == "2.6"


@pytest.mark.parametrize(
    ("version", "restriction", "reason"),
    [
        (
            "2.9.15",
            "Defer_unauth_destination",
            "Defer_unauth_destination needs Postfix 2.10 or later, and this host has 2.9.15; leave it out here",
        ),
        ("2.10.0", "defer_unauth_destination", ""),
        ("3.8.6", "reject_maps_rbl", ""),
        (
            "3.9.0",
            "reject_maps_rbl",
            "reject_maps_rbl was removed in Postfix 3.9, and this host has 3.9.0; use reject_rbl_client",
        ),
        ("2.0.0", "permit_mynetworks", ""),
        ("2.0.20", "defer_if_permit", ""),
        ("2.1.6", "reject_rhsbl_helo", ""),
        ("2.2.12", "permit_inet_interfaces", ""),
        (
            "2.1.6",
            "permit_inet_interfaces",
            "permit_inet_interfaces needs Postfix 2.2 or later, and this host has 2.1.6; leave it out here",
        ),
    ],
)
def test_missing_restriction_is_explained_by_the_release(version: str, restriction: str, reason: str) -> None:
    assert missing_restriction(version, restriction) == reason


# As postconf(5) says of each "available in Postfix version", with the release before that.
RESTRICTION_BOUNDS = {
    ("2.0", "2.1"): (
        "check_helo_mx_access check_helo_ns_access check_policy_service check_recipient_mx_access "
        "check_recipient_ns_access check_sender_mx_access check_sender_ns_access defer_if_reject "
        "reject_authenticated_sender_login_mismatch reject_multi_recipient_bounce reject_rhsbl_helo "
        "reject_unauthenticated_sender_login_mismatch reject_unlisted_recipient reject_unlisted_sender "
        "reject_unverified_recipient reject_unverified_sender"
    ),
    ("2.1", "2.2"): "check_ccert_access permit_inet_interfaces permit_tls_all_clientcerts permit_tls_clientcerts",
    ("2.2", "2.3"): (
        "reject_invalid_helo_hostname reject_non_fqdn_helo_hostname reject_plaintext_session "
        "reject_unknown_client_hostname reject_unknown_helo_hostname reject_unknown_reverse_client_hostname sleep"
    ),
    ("2.5", "2.6"): "check_reverse_client_hostname_access",
    ("2.6", "2.7"): (
        "check_client_mx_access check_client_ns_access check_reverse_client_hostname_mx_access "
        "check_reverse_client_hostname_ns_access"
    ),
    ("2.7", "2.8"): "permit_dnswl_client permit_rhswl_client reject_rhsbl_reverse_client",
    ("2.9", "2.10"): "defer_unauth_destination",
    ("2.10", "2.11"): "check_sasl_access reject_known_sender_login_mismatch",
    ("2.11", "3.0"): (
        "check_client_a_access check_helo_a_access check_recipient_a_access check_reverse_client_hostname_a_access "
        "check_sender_a_access"
    ),
}


@pytest.mark.parametrize("bounds", RESTRICTION_BOUNDS, ids=lambda bounds: bounds[1])
def test_restriction_is_there_from_its_first_release_on(bounds: tuple[str, str]) -> None:
    names = RESTRICTION_BOUNDS[bounds].split()
    assert [name for name in names if not missing_restriction(bounds[0], name)] == []
    assert [name for name in names if missing_restriction(bounds[1], name)] == []


def test_each_restriction_with_a_release_is_held_to_it() -> None:
    assert sorted(" ".join(RESTRICTION_BOUNDS.values()).split()) == sorted(RESTRICTIONS)


def test_release_later_than_the_table_may_know_more() -> None:
    assert [is_newer_than_known(version) for version in ("3.10.13", "3.11.7", "3.12.0")] == [False, False, True]


def test_every_line_names_its_source() -> None:
    introduced = [*FEATURES.values(), *PARAMETERS.values()]
    sources = [line.source for line in (*introduced, *RENAMED.values(), *REMOVED_RESTRICTIONS.values())]
    assert "" not in sources
