# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new host of each Postfix release has before anything is set on it, for tests of what is planned there.

test_release_defaults.py holds it against what Postfix itself prints, and against release notes for what is older.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import release
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import parse_parameters

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures/postconf_d"
SUITES = {"bullseye": "3.5.25", "bookworm": "3.7.11", "trixie": "3.10.13", "sid": "3.11.7"}


def printed(suite: str) -> Mapping[str, str]:
    """What `postconf -d` of Debian's suite prints."""
    return parse_parameters((FIXTURES / f"{suite}.txt").read_text(encoding="utf-8"))


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


def shipped_guard(version: Sequence[int]) -> dict[str, str]:
    """The overrides that the relay service has as it is shipped, against a fallback relay.

    From conf/master.cf of 2.2 to 2.8; the name of the parameter there changed in 2.5.
    """
    if not (2, 2) <= release(version) < (2, 9):
        return {}
    return {"fallback_relay" if release(version) < (2, 5) else "smtp_fallback_relay": ""}
