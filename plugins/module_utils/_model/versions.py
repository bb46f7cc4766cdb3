# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed in which Postfix release, as far as a relay depends on it. Each line names its source.

Seen running: 3.5, 3.7, 3.10 and 3.11. Lines about what came before 3.5 are from Postfix's own documents, and untested
on a Postfix of that age; tests/unit/plugins/module_utils/_model/test_versions.py says which line is held against what.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping, Sequence


@dataclass(frozen=True)
class Change:
    """`what` is there from release `since` on, and before `until`; `source` is the Postfix document that says so."""

    since: tuple[int, int]
    what: str
    source: str
    until: tuple[int, int] | None = None


CHANGES = {
    "proxy_interfaces": Change((2, 0), "proxy_interfaces", "RELEASE_NOTES-2.0, 20021024"),
    "relay_recipient_maps": Change((2, 0), "relay_recipient_maps", "postconf(5) relay_recipient_maps"),
    "relay_service": Change(
        (2, 0), "the relay service in master.cf, and relay_transport", "RELEASE_NOTES-2.0, New relay transport"
    ),
    "reject_unlisted_recipient": Change(
        (2, 1), "smtpd_reject_unlisted_recipient", "postconf(5) smtpd_reject_unlisted_recipient"
    ),
    "reject_unverified_recipient": Change(
        (2, 1), "reject_unverified_recipient", "ADDRESS_VERIFICATION_README, introduction"
    ),
    "dumped_tables": Change((2, 2), "postmap -s", "RELEASE_NOTES-2.2, 20041210"),
    "smtp_tls": Change((2, 2), "TLS in the SMTP client", "postconf(5) smtp_use_tls"),
    "relay_service_is_guarded": Change(
        (2, 2),
        "relay_transport and the relay service need no settings of ours against a fallback relay",
        "STANDARD_CONFIGURATION_README, primary or backup MX host",
    ),
    # Gone again: there the guard is ours to set wherever a fallback relay is.
    "relay_service_has_guard": Change(
        (2, 2),
        "-o fallback_relay= (from 2.5 on -o smtp_fallback_relay=) on the relay service as it is shipped",
        "conf/master.cf of 2.2 to 2.8",
        until=(2, 9),
    ),
    "smtp_fallback_relay": Change(
        (2, 3), "smtp_fallback_relay, until then called fallback_relay", "RELEASE_NOTES-2.3, 20051208"
    ),
    "smtp_tls_security_level": Change((2, 3), "smtp_tls_security_level", "RELEASE_NOTES-2.3, 20060614"),
    "postmulti": Change((2, 6), "postmulti, and multi_instance_* parameters", "RELEASE_NOTES-2.6, 20090121"),
    "unverified_recipient_defer_code": Change(
        (2, 6), "unverified_recipient_defer_code", "RELEASE_NOTES-2.6, unverified_recipient_defer_code"
    ),
    "persistent_verify_cache": Change((2, 7), "a verify cache that outlives a restart", "RELEASE_NOTES-2.7, 20100101"),
    "texthash": Change((2, 8), "texthash tables", "DATABASE_README, texthash"),
    "edit_without_e": Change((2, 8), "postconf name=value without -e", "postconf(1) -e"),
    "master_cf_listing": Change((2, 9), "postconf -M, -f and -C", "RELEASE_NOTES-2.9, 20111106"),
    "expanded_values": Change((2, 10), "postconf -x and -o", "RELEASE_NOTES-2.10, postconf -x"),
    "smtpd_relay_restrictions": Change((2, 10), "smtpd_relay_restrictions", "RELEASE_NOTES-2.10, 20130613"),
    "service_fields": Change((2, 11), "postconf -F, -P, -Me, -MX and -M#", "postconf(1) -F"),
    "lmdb": Change((2, 11), "lmdb tables", "DATABASE_README, lmdb"),
    "compatibility_level": Change((3, 0), "compatibility_level", "RELEASE_NOTES-3.0, 20141001"),
    "braced_overrides": Change(
        (3, 0), "-o { name = value } in master.cf", "RELEASE_NOTES-3.0, -o { parameter = value }"
    ),
    "chroot_off_by_default": Change((3, 0), "chroot off by default, at level 1", "RELEASE_NOTES-3.0, 20141001"),
    "smtputf8": Change((3, 0), "smtputf8_enable", "RELEASE_NOTES-3.0, 20141001"),
    "inline_tables": Change((3, 0), "inline tables", "DATABASE_README, inline"),
    "parameter_names": Change((3, 1), "postconf -H", "postconf(1) -H"),
    "queue_as_json": Change((3, 1), "postqueue -j", "RELEASE_NOTES-3.1, 20151129"),
    "quoted_keys": Change((3, 2), "quoted keys with white space in tables", "RELEASE_NOTES-3.2, double quotes"),
    "maillog_file": Change((3, 4), "maillog_file", "postconf(5) maillog_file"),
    "relay_restrictions_first": Change(
        (3, 6),
        "smtpd_relay_restrictions before smtpd_recipient_restrictions, at level 3.6",
        "RELEASE_NOTES-3.6, 20210131",
    ),
    "default_cache_db_type": Change((3, 11), "default_cache_db_type", "RELEASE_NOTES-3.11, 20251226"),
    "redirected_tables": Change(
        (3, 11), "non_bdb_migration_level, which can give hash and btree tables another type", "NON_BERKELEYDB_README"
    ),
}


@dataclass(frozen=True)
class Renamed:
    """Before release `since` the parameter is called `old`, which later releases still take."""

    since: tuple[int, int]
    old: str
    source: str


RENAMED: Mapping[str, Renamed] = {
    "smtp_fallback_relay": Renamed((2, 3), "fallback_relay", "RELEASE_NOTES-2.3, 20051208"),
    "postscreen_allowlist_interfaces": Renamed(
        (3, 6), "postscreen_whitelist_interfaces", "RELEASE_NOTES-3.6, Changes in parameter names"
    ),
    "postscreen_denylist_action": Renamed(
        (3, 6), "postscreen_blacklist_action", "RELEASE_NOTES-3.6, Changes in parameter names"
    ),
    "postscreen_dnsbl_allowlist_threshold": Renamed(
        (3, 6), "postscreen_dnsbl_whitelist_threshold", "RELEASE_NOTES-3.6, Changes in parameter names"
    ),
}


@dataclass(frozen=True)
class Default:
    """From release `since` on and at compatibility level `level` or higher, an unset parameter means `value`."""

    since: tuple[int, int]
    value: str
    source: str
    level: tuple[int, ...] = (0,)


_DEFERRING = "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination"

# Each parameter's lines in the order of the releases; the last that applies is right. Only what changed is here.
DEFAULTS: Mapping[str, Sequence[Default]] = {
    "address_verify_map": (
        Default((2, 1), "", "postconf(5) address_verify_map"),
        Default((2, 7), "btree:$data_directory/verify_cache", "RELEASE_NOTES-2.7, 20100101"),
        Default((3, 11), "$default_cache_db_type:$data_directory/verify_cache", "RELEASE_NOTES-3.11, 20251226"),
    ),
    "append_dot_mydomain": (
        Default((2, 0), "yes", "postconf(5) append_dot_mydomain"),
        Default((3, 0), "no", "RELEASE_NOTES-3.0, 20141001", (1,)),
    ),
    "mynetworks_style": (
        Default((2, 0), "subnet", "postconf(5) mynetworks_style"),
        Default((3, 0), "host", "RELEASE_NOTES-3.0, 20141009", (2,)),
    ),
    "relay_domains": (
        Default((2, 0), "$mydestination", "postconf(5) relay_domains"),
        Default((3, 0), "", "RELEASE_NOTES-3.0, 20141009", (2,)),
    ),
    "relay_transport": (Default((2, 0), "relay", "RELEASE_NOTES-2.0, New relay transport"),),
    "respectful_logging": (
        Default((3, 6), "no", "RELEASE_NOTES-3.6, 20210220"),
        Default((3, 6), "yes", "RELEASE_NOTES-3.6, 20210220", (3, 6)),
    ),
    "smtp_fallback_relay": (Default((2, 3), "$fallback_relay", "RELEASE_NOTES-2.3, 20051208"),),
    "smtp_tls_security_level": (
        Default((2, 3), "", "postconf(5) smtp_tls_security_level"),
        Default((3, 11), "may", "RELEASE_NOTES-3.11, 20250623", (3, 11)),
    ),
    "smtpd_recipient_restrictions": (
        Default((2, 0), "permit_mynetworks, reject_unauth_destination", "RELEASE_NOTES-2.10, 20130613"),
        Default((2, 10), "", "RELEASE_NOTES-2.10, 20130613"),
    ),
    "smtpd_relay_before_recipient_restrictions": (
        Default((3, 6), "no", "RELEASE_NOTES-3.6, 20210131"),
        Default((3, 6), "yes", "RELEASE_NOTES-3.6, 20210131", (3, 6)),
    ),
    "smtpd_relay_restrictions": (
        Default((2, 10), _DEFERRING, "RELEASE_NOTES-2.10, 20130613"),
        Default((3, 3), "", "RELEASE_NOTES-3.3, 20180106"),
        Default((3, 3), _DEFERRING, "RELEASE_NOTES-3.3, 20180106", (1,)),
    ),
    "smtputf8_enable": (
        Default((3, 0), "no", "RELEASE_NOTES-3.0, 20141001"),
        Default((3, 0), "yes", "RELEASE_NOTES-3.0, 20141001", (1,)),
    ),
    "unverified_recipient_defer_code": (Default((2, 6), "450", "postconf(5) unverified_recipient_defer_code"),),
}


def release(version: str | Sequence[int]) -> tuple[int, int]:
    """Major and minor number of a mail_version such as `3.10.13`, `3.11-RC1` or `2.9-20111219`, or of its numbers."""
    if not isinstance(version, str):
        return (version[0], version[1]) if len(version) > 1 else (0, 0)
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def supports(version: str | Sequence[int], change: str) -> bool:
    """Whether Postfix `version` has `change`, one of the names in CHANGES."""
    known = CHANGES[change]
    return known.since <= release(version) and (known.until is None or release(version) < known.until)


def name_in(version: str | Sequence[int], parameter: str) -> str:
    """What Postfix `version` calls a parameter that is given by its present name."""
    renamed = RENAMED.get(parameter)
    return renamed.old if renamed and release(version) < renamed.since else parameter


def default_in(version: str | Sequence[int], level: Sequence[int], parameter: str) -> str | None:
    """What an unset parameter means to Postfix `version` at a compatibility level; None where it has none such.

    `parameter` is one of DEFAULTS. Before 3.0 there is no level, and any is ignored. Tables and values that depend on
    how Postfix was built are not here.
    """
    found = None
    for line in DEFAULTS[parameter]:
        if line.since <= release(version) and tuple(level) >= line.level:
            found = line.value
    return found


def missing_parameter(version: str | Sequence[int], parameter: str) -> str:
    """Why Postfix `version` does not know the parameter, and what to do; "" where the release is not the cause."""
    known, renamed = CHANGES.get(parameter), RENAMED.get(parameter)
    if renamed and release(version) < renamed.since:
        return f"{parameter} is called {renamed.old} before Postfix {_shown(renamed.since)}; use that name here"
    if known and release(version) < known.since:
        return f"{parameter} needs Postfix {_shown(known.since)} or later; leave it out here"
    return ""


def _shown(numbers: tuple[int, int]) -> str:
    return f"{numbers[0]}.{numbers[1]}"
