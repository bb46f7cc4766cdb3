# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version table against what Postfix itself prints, and against its release notes where no Postfix is to be had.

fixtures/postconf_d holds real output of 3.5, 3.7, 3.10 and 3.11. Whatever is said here of a release before 3.5 comes
from release notes and manual pages alone: it was never held against a Postfix of that age.
"""

from __future__ import annotations

import pathlib
from typing import Mapping

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import default_text
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import (
    CHANGES,
    DEFAULTS,
    RENAMED,
    default_in,
    missing_parameter,
    name_in,
    release,
    supports,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import parse_parameters

FIXTURES = pathlib.Path(__file__).parents[4] / "unit/fixtures/postconf_d"
SUITES = {"bullseye": "3.5.25", "bookworm": "3.7.11", "trixie": "3.10.13", "sid": "3.11.7"}
DEFERRING = "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination"
LEVELS = ((0,), (1,), (2,), (3, 6), (3, 11))
# Changes that are parameters, so that postconf tells whether they are there.
PARAMETERS = (
    "proxy_interfaces",
    "relay_recipient_maps",
    "smtp_fallback_relay",
    "smtp_tls_security_level",
    "smtpd_relay_restrictions",
    "unverified_recipient_defer_code",
    "compatibility_level",
    "maillog_file",
    "default_cache_db_type",
)


def printed(suite: str) -> Mapping[str, str]:
    return parse_parameters((FIXTURES / f"{suite}.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("suite", SUITES)
def test_fixture_is_of_the_release_it_stands_for(suite: str) -> None:
    assert printed(suite)["mail_version"] == SUITES[suite]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("parameter", sorted(DEFAULTS))
def test_default_is_what_postconf_prints(suite: str, level: tuple[int, ...], parameter: str) -> None:
    text = ".".join(map(str, level))
    real = printed(suite).get(parameter)
    assert default_in(SUITES[suite], level, parameter) == (None if real is None else default_text(real, text))


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("parameter", PARAMETERS)
def test_parameter_is_there_where_postconf_has_it(suite: str, parameter: str) -> None:
    assert supports(SUITES[suite], parameter) is (parameter in printed(suite))


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("parameter", sorted(RENAMED))
def test_name_is_the_one_that_postconf_has(suite: str, parameter: str) -> None:
    real = printed(suite)
    old = RENAMED[parameter].old
    expected = parameter if parameter in real else old
    assert expected in real
    assert name_in(SUITES[suite], parameter) == expected


@pytest.mark.parametrize(
    ("version", "level", "parameter", "value"),
    [
        ("2.9.15", (0,), "smtpd_relay_restrictions", None),
        ("2.9.15", (0,), "smtpd_recipient_restrictions", "permit_mynetworks, reject_unauth_destination"),
        ("2.10.0", (0,), "smtpd_recipient_restrictions", ""),
        ("2.11.11", (0,), "smtpd_relay_restrictions", DEFERRING),
        ("3.2.0", (0,), "smtpd_relay_restrictions", DEFERRING),
        ("3.3.0", (0,), "smtpd_relay_restrictions", ""),
        ("2.11.11", (2,), "relay_domains", "$mydestination"),
        ("3.0.0", (1,), "relay_domains", "$mydestination"),
        ("3.0.0", (2,), "relay_domains", ""),
        ("2.6.0", (0,), "address_verify_map", ""),
        ("2.7.0", (0,), "address_verify_map", "btree:$data_directory/verify_cache"),
        ("2.5.0", (0,), "unverified_recipient_defer_code", None),
        ("2.2.12", (0,), "smtp_fallback_relay", None),
        ("2.2.12", (0,), "smtp_tls_security_level", None),
        ("2.11.11", (0,), "smtputf8_enable", None),
    ],
)
def test_default_before_what_can_be_run_is_what_release_notes_say(
    version: str, level: tuple[int, ...], parameter: str, value: str | None
) -> None:
    assert default_in(version, level, parameter) == value


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
    ("version", "change", "there"),
    [
        ("2.1.6", "dumped_tables", False),
        ("2.2.0", "dumped_tables", True),
        ("2.1.6", "relay_service_has_guard", False),
        ("2.2.0", "relay_service_has_guard", True),
        ("2.8.20", "relay_service_has_guard", True),
        ("2.9.0", "relay_service_has_guard", False),
        ("2.9.15", "expanded_values", False),
        ("2.10.0", "expanded_values", True),
        ("2.10.10", "service_fields", False),
        ("2.11.0", "service_fields", True),
        ("2.9.15", "smtpd_relay_restrictions", False),
        ("2.10.0", "smtpd_relay_restrictions", True),
        ("2.2.12", "smtp_fallback_relay", False),
        ("2.3.0", "smtp_fallback_relay", True),
        ("2.5.17", "unverified_recipient_defer_code", False),
        ("2.6.0", "unverified_recipient_defer_code", True),
        ("2.11.11", "braced_overrides", False),
        ("3.0.0", "braced_overrides", True),
        ("3.1.15", "quoted_keys", False),
        ("3.2.0", "quoted_keys", True),
        ("3.10.13", "default_cache_db_type", False),
        ("3.11.6", "default_cache_db_type", True),
    ],
)
def test_supports(version: str, change: str, there: bool) -> None:
    assert supports(version, change) is there


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
            "postscreen_denylist_action is called postscreen_blacklist_action before Postfix 3.6; use that name here",
        ),
        (
            "2.9.15",
            "smtpd_relay_restrictions",
            "smtpd_relay_restrictions needs Postfix 2.10 or later; leave it out here",
        ),
        ("2.10.0", "smtpd_relay_restrictions", ""),
        ("3.5.25", "no_such_parameter", ""),
    ],
)
def test_missing_parameter_is_explained_by_the_release(version: str, parameter: str, reason: str) -> None:
    assert missing_parameter(version, parameter) == reason


def test_every_line_names_its_source() -> None:
    lines = [*CHANGES.values(), *RENAMED.values(), *(line for lines in DEFAULTS.values() for line in lines)]
    assert [line for line in lines if not line.source] == []
    assert [name for name, change in CHANGES.items() if not change.what] == []


def test_lines_of_a_default_are_in_the_order_of_the_releases() -> None:
    for name, lines in DEFAULTS.items():
        order = [(line.since, line.level) for line in lines]
        assert order == sorted(order), name
