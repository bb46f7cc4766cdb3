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


@pytest.mark.parametrize(
    ("version", "feature", "there"),
    [
        ("2.1.6", "table_listing", False),
        ("2.2.0", "table_listing", True),
        ("2.3.19", "flush_by_queue_id", False),
        ("2.4.0", "flush_by_queue_id", True),
        ("2.8.20", "own_names_listed", False),
        ("2.9.0", "own_names_listed", True),
        ("2.11.11", "braced_overrides", False),
        ("3.0.0", "braced_overrides", True),
        ("3.1.15", "quoted_keys", False),
        ("3.2.0", "quoted_keys", True),
        ("2.1.6", "relay_service_is_guarded", False),
        ("2.2.0", "relay_service_is_guarded", True),
        ("2.8.20", "master_cf_listing", False),
        ("2.9.0", "master_cf_listing", True),
        ("2.11.11", "chroot_off_by_default", False),
        ("3.0.0", "chroot_off_by_default", True),
        ("3.0.15", "queue_as_json", False),
        ("3.1.0", "queue_as_json", True),
        ("3.4.29", "nexthop_list", False),
        ("3.5.0", "nexthop_list", True),
        ("3.10.13", "redirected_tables", False),
        ("3.11.6", "redirected_tables", True),
    ],
)
def test_supports(version: str, feature: str, there: bool) -> None:
    assert supports(version, feature) is there


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


def test_release_later_than_the_table_may_know_more() -> None:
    assert [is_newer_than_known(version) for version in ("3.10.13", "3.11.7", "3.12.0")] == [False, False, True]


def test_every_line_names_its_source() -> None:
    introduced = [*FEATURES.values(), *PARAMETERS.values()]
    sources = [line.source for line in (*introduced, *RENAMED.values(), *REMOVED_RESTRICTIONS.values())]
    assert "" not in sources
