# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import CHANGES, release, supports


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("3.10.13", (3, 10)),
        ("3.11-RC1", (3, 11)),
        ("2.9-20111219", (2, 9)),
        ("3.12-20260101-nonprod", (3, 12)),
        ("", (0, 0)),
    ],
)
def test_release(version: str, numbers: tuple[int, int]) -> None:
    assert release(version) == numbers


@pytest.mark.parametrize(
    ("version", "change", "there"),
    [
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


def test_every_change_names_its_source() -> None:
    assert [name for name, change in CHANGES.items() if not change.source or not change.what] == []
