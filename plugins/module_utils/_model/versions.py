# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed in which Postfix release, as far as a relay depends on it. Each line names its source.

Seen running in every test: 3.5, 3.7, 3.10 and 3.11. Lines about what came before 3.5 are from Postfix's own documents,
and from a trial of old releases that docs/releases.md tells of;
tests/unit/plugins/module_utils/_model/test_versions.py says which line is held against what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Introduced:
    """There from release `since` on; `source` is the Postfix document that says so."""

    since: tuple[int, int]
    source: str


FEATURES: Mapping[str, Introduced] = {
    # Each character of recipient_delimiter by itself.
    "delimiter_set": Introduced((2, 11), "postconf(5) recipient_delimiter"),
    # postmap -s
    "table_listing": Introduced((2, 2), "postmap(1), -s"),
    # relay_transport and the relay service need no settings of ours against a fallback relay.
    "relay_service_is_guarded": Introduced((2, 2), "STANDARD_CONFIGURATION_README, primary or backup MX host"),
    # postqueue -i
    "flush_by_queue_id": Introduced((2, 4), "postqueue(1), -i"),
    # Its entry in master.cf comes without such settings: what keeps a fallback relay away was put there by somebody.
    "relay_service_ships_bare": Introduced((2, 9), "conf/master.cf of 2.9, 20111108"),
    # postconf -M, -f and -C
    "master_cf_listing": Introduced((2, 9), "RELEASE_NOTES-2.9, 20111106"),
    # postconf also prints the names that an administrator chose, as `my_nets` for `mynetworks = $my_nets`.
    "own_names_listed": Introduced((2, 9), "RELEASE_NOTES-2.9, user-defined parameter names"),
    # smtpd_upstream_proxy_protocol
    "proxy_protocol": Introduced((2, 10), "postconf(5) smtpd_upstream_proxy_protocol"),
    "postscreen": Introduced((2, 8), "RELEASE_NOTES-2.8, postscreen(8)"),
    # inline:{key=value}
    "inline_tables": Introduced((3, 0), "RELEASE_NOTES-3.0, inline"),
    # -o { name = value } in master.cf
    "braced_overrides": Introduced((3, 0), "RELEASE_NOTES-3.0, -o { parameter = value }"),
    # At compatibility level 1 and above.
    "chroot_off_by_default": Introduced((3, 0), "RELEASE_NOTES-3.0, 20141001"),
    # check_policy_service { endpoint, name = value, ... }
    "policy_attributes": Introduced((3, 0), "RELEASE_NOTES-3.0, per-policy server settings"),
    # postqueue -j
    "queue_as_json": Introduced((3, 1), "RELEASE_NOTES-3.1, 20151129"),
    # Quoted keys with white space in tables.
    "quoted_keys": Introduced((3, 2), "RELEASE_NOTES-3.2, double quotes"),
    # postsuper -e
    "forced_expiry": Introduced((3, 5), "RELEASE_NOTES-3.5, forced message expiration"),
    # relay:[a],[b] in transport_maps
    "nexthop_list": Introduced((3, 5), "RELEASE_NOTES-3.5, multiple relayhosts"),
    # cidr:{{pattern result}, ...}
    "inline_patterns": Introduced((3, 7), "RELEASE_NOTES-3.7, inline pcre, regexp and cidr"),
    # smtp_delivery_status_filter
    "refused_mail_retry": Introduced((3, 0), "RELEASE_NOTES-3.0, delivery status filters"),
    # non_bdb_migration_level, which can give hash and btree tables another type.
    "redirected_tables": Introduced((3, 11), "NON_BERKELEYDB_README"),
}

PARAMETERS: Mapping[str, Introduced] = {
    "proxy_interfaces": Introduced((2, 0), "RELEASE_NOTES-2.0, 20021024"),
    "relay_recipient_maps": Introduced((2, 0), "postconf(5) relay_recipient_maps"),
    "inet_protocols": Introduced((2, 2), "postconf(5) inet_protocols"),
    "smtp_tls_security_level": Introduced((2, 3), "RELEASE_NOTES-2.3, 20060614"),
    "data_directory": Introduced((2, 5), "RELEASE_NOTES-2.5, 20071205"),
    "unverified_recipient_defer_code": Introduced((2, 6), "RELEASE_NOTES-2.6, unverified_recipient_defer_code"),
    "smtpd_relay_restrictions": Introduced((2, 10), "RELEASE_NOTES-2.10, 20130613"),
    "smtp_dns_support_level": Introduced((2, 11), "postconf(5) smtp_dns_support_level"),
    "compatibility_level": Introduced((3, 0), "RELEASE_NOTES-3.0, 20141001"),
    # Its default depends on the compatibility level, and from 3.2 on on how Postfix was built.
    "smtputf8_enable": Introduced((3, 0), "RELEASE_NOTES-3.0, 20141001"),
    "maillog_file": Introduced((3, 4), "postconf(5) maillog_file"),
    "default_cache_db_type": Introduced((3, 11), "RELEASE_NOTES-3.11, 20251226"),
}


@dataclass(frozen=True)
class Renamed:
    """Before release `since` the parameter is called `old`, which later releases still take; `born` brought it."""

    since: tuple[int, int]
    old: str
    source: str
    born: tuple[int, int] = (2, 0)


RENAMED: Mapping[str, Renamed] = {
    "smtp_fallback_relay": Renamed((2, 3), "fallback_relay", "RELEASE_NOTES-2.3, 20051208"),
    "postscreen_allowlist_interfaces": Renamed(
        (3, 6), "postscreen_whitelist_interfaces", "RELEASE_NOTES-3.6, Changes in parameter names", (2, 9)
    ),
    "postscreen_denylist_action": Renamed(
        (3, 6), "postscreen_blacklist_action", "RELEASE_NOTES-3.6, Changes in parameter names", (2, 8)
    ),
    "postscreen_dnsbl_allowlist_threshold": Renamed(
        (3, 6), "postscreen_dnsbl_whitelist_threshold", "RELEASE_NOTES-3.6, Changes in parameter names", (2, 11)
    ),
}


# The release that postconf(5) names where it describes a restriction; one of which it names none is older than 2.1.
RESTRICTIONS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(
        (
            "check_helo_mx_access",
            "check_helo_ns_access",
            "check_policy_service",
            "check_recipient_mx_access",
            "check_recipient_ns_access",
            "check_sender_mx_access",
            "check_sender_ns_access",
            "defer_if_reject",
            "reject_authenticated_sender_login_mismatch",
            "reject_multi_recipient_bounce",
            "reject_rhsbl_helo",
            "reject_unauthenticated_sender_login_mismatch",
            "reject_unlisted_recipient",
            "reject_unlisted_sender",
            "reject_unverified_recipient",
            "reject_unverified_sender",
        ),
        (2, 1),
    ),
    "check_ccert_access": (2, 2),
    "permit_inet_interfaces": (2, 2),
    "permit_tls_all_clientcerts": (2, 2),
    "permit_tls_clientcerts": (2, 2),
    **dict.fromkeys(
        (
            "reject_invalid_helo_hostname",
            "reject_non_fqdn_helo_hostname",
            "reject_plaintext_session",
            "reject_unknown_client_hostname",
            "reject_unknown_helo_hostname",
            "reject_unknown_reverse_client_hostname",
            "sleep",
        ),
        (2, 3),
    ),
    "check_reverse_client_hostname_access": (2, 6),
    "check_client_mx_access": (2, 7),
    "check_client_ns_access": (2, 7),
    "check_reverse_client_hostname_mx_access": (2, 7),
    "check_reverse_client_hostname_ns_access": (2, 7),
    "permit_dnswl_client": (2, 8),
    "permit_rhswl_client": (2, 8),
    "reject_rhsbl_reverse_client": (2, 8),
    "defer_unauth_destination": (2, 10),
    "check_sasl_access": (2, 11),
    "reject_known_sender_login_mismatch": (2, 11),
    "check_client_a_access": (3, 0),
    "check_helo_a_access": (3, 0),
    "check_recipient_a_access": (3, 0),
    "check_reverse_client_hostname_a_access": (3, 0),
    "check_sender_a_access": (3, 0),
}


@dataclass(frozen=True)
class Removed:
    """A server configuration error from release `since` on; `instead` is what does its work there."""

    since: tuple[int, int]
    instead: str
    source: str


_REMOVALS = "RELEASE_NOTES-3.9, an attempt to use them is a server configuration error"
REMOVED_RESTRICTIONS: Mapping[str, Removed] = {
    "check_relay_domains": Removed((3, 9), "reject_unauth_destination", _REMOVALS),
    "permit_naked_ip_address": Removed((3, 9), "permit_mynetworks or permit_sasl_authenticated", _REMOVALS),
    "reject_maps_rbl": Removed((3, 9), "reject_rbl_client", _REMOVALS),
}
# The newest release whose smtpd was asked which restrictions it knows; a later one may know more.
NEWEST = (3, 11)


def release(version: str | Sequence[int]) -> tuple[int, int]:
    """Major and minor number of a mail_version such as `3.10.13`, `3.11-RC1` or `2.9-20111219`, or of its numbers."""
    if not isinstance(version, str):
        return (version[0], version[1]) if len(version) > 1 else (0, 0)
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def supports(version: str | Sequence[int], feature: str) -> bool:
    """Whether Postfix `version` has `feature`, one of the names in FEATURES."""
    return FEATURES[feature].since <= release(version)


def first_release(name: str) -> str:
    """The release that brought a feature, or a parameter, as people write it: `3.0`."""
    return _written((FEATURES.get(name) or PARAMETERS[name]).since)


def name_in(version: str | Sequence[int], parameter: str) -> str:
    """What Postfix `version` calls a parameter that is given by its present name."""
    renamed = RENAMED.get(parameter)
    return renamed.old if renamed and release(version) < renamed.since else parameter


def missing_parameter(version: str, parameter: str) -> str:
    """Why Postfix `version` does not know the parameter, and what to do; "" if the release is not the cause."""
    known, renamed = PARAMETERS.get(parameter), RENAMED.get(parameter)
    if renamed and release(version) < renamed.born:
        known = Introduced(renamed.born, renamed.source)
    elif renamed and release(version) < renamed.since:
        return (
            f"{parameter} is called {renamed.old} before Postfix {_written(renamed.since)}, and this host has "
            f"{version}; use that name here"
        )
    if known and release(version) < known.since:
        return (
            f"{parameter} needs Postfix {_written(known.since)} or later, and this host has {version}; "
            "leave it out here"
        )
    return ""


def missing_restriction(version: str, word: str) -> str:
    """Why smtpd of Postfix `version` can't use a restriction, and what to do; "" if it can."""
    since = RESTRICTIONS.get(word.lower(), (0, 0))
    if release(version) < since:
        return f"{word} needs Postfix {_written(since)} or later, and this host has {version}; leave it out here"
    removed = REMOVED_RESTRICTIONS.get(word.lower())
    if removed and release(version) >= removed.since:
        return (
            f"{word} was removed in Postfix {_written(removed.since)}, and this host has {version}; "
            f"use {removed.instead}"
        )
    return ""


def is_newer_than_known(version: str) -> bool:
    """Whether smtpd of Postfix `version` may know restrictions that are not listed here."""
    return release(version) > NEWEST


def _written(numbers: tuple[int, int]) -> str:
    return f"{numbers[0]}.{numbers[1]}"
