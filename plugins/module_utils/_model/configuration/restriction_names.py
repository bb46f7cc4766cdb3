# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The restrictions that smtpd knows, and what is wrong with a list of them.

`postfix check` accepts a misspelled restriction, but smtpd answers "451 4.3.5 Server configuration error" to every
client. Names are those of postconf(5); the releases that brought or removed them are in versions.py.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import (
    is_newer_than_known,
    missing_restriction,
)

RESTRICTION_LISTS = frozenset(
    {
        "smtpd_client_restrictions",
        "smtpd_data_restrictions",
        "smtpd_end_of_data_restrictions",
        "smtpd_etrn_restrictions",
        "smtpd_helo_restrictions",
        "smtpd_recipient_restrictions",
        "smtpd_relay_restrictions",
        "smtpd_sender_restrictions",
    }
)
TABLE = "table"
_ENDPOINT = "endpoint"
_DOMAIN = "domain"
_NUMBER = "number"
# What each restriction is followed by, "" for nothing.
ARGUMENTS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "check_recipient_maps",
            "check_relay_domains",
            "defer",
            "defer_if_permit",
            "defer_if_reject",
            "defer_unauth_destination",
            "permit",
            "permit_auth_destination",
            "permit_inet_interfaces",
            "permit_mx_backup",
            "permit_mynetworks",
            "permit_naked_ip_address",
            "permit_sasl_authenticated",
            "permit_tls_all_clientcerts",
            "permit_tls_clientcerts",
            "reject",
            "reject_authenticated_sender_login_mismatch",
            "reject_invalid_helo_hostname",
            "reject_invalid_hostname",
            "reject_known_sender_login_mismatch",
            "reject_maps_rbl",
            "reject_multi_recipient_bounce",
            "reject_non_fqdn_helo_hostname",
            "reject_non_fqdn_hostname",
            "reject_non_fqdn_recipient",
            "reject_non_fqdn_sender",
            "reject_plaintext_session",
            "reject_sender_login_mismatch",
            "reject_unauth_destination",
            "reject_unauth_pipelining",
            "reject_unauthenticated_sender_login_mismatch",
            "reject_unknown_address",
            "reject_unknown_client",
            "reject_unknown_client_hostname",
            "reject_unknown_helo_hostname",
            "reject_unknown_hostname",
            "reject_unknown_recipient_domain",
            "reject_unknown_reverse_client_hostname",
            "reject_unknown_sender_domain",
            "reject_unlisted_recipient",
            "reject_unlisted_sender",
            "reject_unverified_recipient",
            "reject_unverified_sender",
            "warn_if_reject",
        ),
        "",
    ),
    **dict.fromkeys(
        (
            "check_ccert_access",
            "check_client_a_access",
            "check_client_access",
            "check_client_mx_access",
            "check_client_ns_access",
            "check_etrn_access",
            "check_helo_a_access",
            "check_helo_access",
            "check_helo_mx_access",
            "check_helo_ns_access",
            "check_recipient_a_access",
            "check_recipient_access",
            "check_recipient_mx_access",
            "check_recipient_ns_access",
            "check_reverse_client_hostname_a_access",
            "check_reverse_client_hostname_access",
            "check_reverse_client_hostname_mx_access",
            "check_reverse_client_hostname_ns_access",
            "check_sasl_access",
            "check_sender_a_access",
            "check_sender_access",
            "check_sender_mx_access",
            "check_sender_ns_access",
        ),
        TABLE,
    ),
    **dict.fromkeys(
        (
            "permit_dnswl_client",
            "permit_rhswl_client",
            "reject_rbl",
            "reject_rbl_client",
            "reject_rhsbl_client",
            "reject_rhsbl_helo",
            "reject_rhsbl_recipient",
            "reject_rhsbl_reverse_client",
            "reject_rhsbl_sender",
        ),
        _DOMAIN,
    ),
    "check_policy_service": _ENDPOINT,
    "sleep": _NUMBER,
}
_TABLE_NAME = re.compile(r"[a-z][a-z0-9_-]*:.", re.ASCII)
_NEVER_PERMITTING = re.compile(r"check_(\w+_(a|mx|ns)|reverse_client_hostname)_access\Z", re.ASCII)
_ENDPOINT_NAME = re.compile(r"(inet|unix):.|\{", re.ASCII)
_DIGITS = re.compile(r"\d+\Z", re.ASCII)


def is_table_name(word: str) -> bool:
    """Whether a member of a list is a table, `type:name`, which stands for an access restriction."""
    return bool(_TABLE_NAME.match(word))


def never_permits(name: str) -> bool:
    """Whether the table of this restriction must not permit (postconf(5)): smtpd then answers 451."""
    return bool(_NEVER_PERMITTING.match(name))


def problem(value: str, classes: Collection[str], version: str) -> str:
    """What smtpd could not use in a restriction list, with the remedy; "" if it can use all of it.

    `classes` are the names in smtpd_restriction_classes, `version` the host's mail_version, "" if it is unknown.
    What comes after a `$name` is not judged, since it may be the argument of something inside.
    """
    words = split_items(value)
    place = 0
    while place < len(words):
        word = words[place]
        if "$" in word:
            return ""
        if word in classes or is_table_name(word):
            place += 1
            continue
        found = _word_problem(word, classes, version)
        if found:
            return found
        needed = ARGUMENTS.get(word.lower())
        if needed:
            place += 1
            found = _argument_problem(word, needed, words[place] if place < len(words) else "")
            if found:
                return found
        place += 1
    return ""


def _word_problem(word: str, classes: Collection[str], version: str) -> str:
    name = word.lower()
    if name not in ARGUMENTS:
        near = difflib.get_close_matches(name, sorted({*ARGUMENTS, *classes}), n=1)
        if not near and is_newer_than_known(version):
            return ""
        remedy = f'did you mean "{near[0]}"?' if near else "correct it, or name it in smtpd_restriction_classes"
        return f'"{word}" is not a restriction that smtpd knows; {remedy}'
    return missing_restriction(version, word) if version else ""


def _argument_problem(word: str, needed: str, argument: str) -> str:
    if "$" in argument:
        return ""
    if not argument or argument.lower() in ARGUMENTS:
        return f"{word} has no {needed} after it; add it, as in {_EXAMPLES[needed].format(word)}"
    valid = {
        TABLE: is_table_name(argument),
        _ENDPOINT: _ENDPOINT_NAME.match(argument),
        _NUMBER: _DIGITS.match(argument),
        _DOMAIN: True,
    }
    if not valid[needed]:
        article = "an" if needed == _ENDPOINT else "a"
        return f'"{argument}" is not {article} {needed} for {word}; give one, as in {_EXAMPLES[needed].format(word)}'
    return ""


_EXAMPLES = {
    TABLE: "{0} hash:/etc/postfix/access",
    _ENDPOINT: "{0} unix:private/policy",
    _DOMAIN: "{0} list.example",
    _NUMBER: "{0} 1",
}
