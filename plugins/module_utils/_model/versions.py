# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed in which Postfix release, as far as a relay depends on it. Each line names its source."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """`what` is there from release `since` on; `source` is the Postfix document that says so."""

    since: tuple[int, int]
    what: str
    source: str


CHANGES = {
    "proxy_interfaces": Change((2, 0), "proxy_interfaces", "postconf(5) proxy_interfaces"),
    "relay_recipient_maps": Change((2, 0), "relay_recipient_maps", "postconf(5) relay_recipient_maps"),
    "relay_service": Change(
        (2, 0), "the relay service in master.cf, and relay_transport", "postconf(5) relay_transport"
    ),
    "relay_service_is_guarded": Change(
        (2, 2),
        "relay_transport and the relay service need no settings of ours against a fallback relay",
        "STANDARD_CONFIGURATION_README, primary or backup MX host",
    ),
    "smtp_fallback_relay": Change(
        (2, 3), "smtp_fallback_relay, until then called fallback_relay", "postconf(5) smtp_fallback_relay"
    ),
    "unverified_recipient_defer_code": Change(
        (2, 6), "unverified_recipient_defer_code", "postconf(5) unverified_recipient_defer_code"
    ),
    "texthash": Change((2, 8), "texthash tables", "DATABASE_README, texthash"),
    "expanded_values": Change((2, 10), "postconf -x", "postconf(1) -x"),
    "smtpd_relay_restrictions": Change((2, 10), "smtpd_relay_restrictions", "postconf(5) smtpd_relay_restrictions"),
    "lmdb": Change((2, 11), "lmdb tables", "DATABASE_README, lmdb"),
    "compatibility_level": Change((3, 0), "compatibility_level", "postconf(5) compatibility_level"),
    "braced_overrides": Change((3, 0), "-o { name = value } in master.cf", "master(5) -o { name = value }"),
    "chroot_off_by_default": Change((3, 0), "chroot off by default, at level 1", "COMPATIBILITY_README, chroot"),
    "smtputf8": Change((3, 0), "smtputf8_enable", "postconf(5) smtputf8_enable"),
    "queue_as_json": Change((3, 1), "postqueue -j", "postqueue(1) -j"),
    "quoted_keys": Change((3, 2), "quoted keys with white space in tables", "postmap(1) table file format"),
    "relay_restrictions_first": Change(
        (3, 6),
        "smtpd_relay_restrictions before smtpd_recipient_restrictions, at level 3.6",
        "postconf(5) smtpd_relay_before_recipient_restrictions",
    ),
    "default_cache_db_type": Change((3, 11), "default_cache_db_type", "RELEASE_NOTES 3.11"),
}


def release(version: str) -> tuple[int, int]:
    """Major and minor number of a mail_version such as `3.10.13`, `3.11-RC1` or `2.9-20111219`."""
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def supports(version: str, change: str) -> bool:
    """Whether Postfix `version` has `change`, one of the names in CHANGES."""
    return release(version) >= CHANGES[change].since
