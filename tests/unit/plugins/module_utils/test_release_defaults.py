# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The defaults that tests start from, against real output of `postconf -d` and against release notes."""

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import default_text
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.release_defaults import (
    DEFAULTS,
    SUITES,
    default_in,
    printed,
    shipped_guard,
)

DEFERRING = "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination"
LEVELS = ((0,), (1,), (2,), (3, 6), (3, 11))


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("parameter", sorted(DEFAULTS))
def test_default_is_what_postconf_prints(suite: str, level: tuple[int, ...], parameter: str) -> None:
    text = ".".join(map(str, level))
    real = printed(suite).get(parameter)
    assert default_in(SUITES[suite], level, parameter) == (None if real is None else default_text(real, text))


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
    ("version", "guard"),
    [
        ((2, 1), {}),
        ((2, 2), {"fallback_relay": ""}),
        ((2, 5), {"smtp_fallback_relay": ""}),
        ((2, 8), {"smtp_fallback_relay": ""}),
        ((2, 9), {}),
    ],
)
def test_guard_is_shipped_from_2_2_to_2_8(version: tuple[int, int], guard: dict[str, str]) -> None:
    assert shipped_guard(version) == guard


def test_every_default_names_its_source() -> None:
    assert [name for name, lines in DEFAULTS.items() for line in lines if not line.source] == []


def test_lines_of_a_default_are_in_the_order_of_the_releases() -> None:
    for name, lines in DEFAULTS.items():
        order = [(line.since, line.level) for line in lines]
        assert order == sorted(order), name
