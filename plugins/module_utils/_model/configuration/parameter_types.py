# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of value a parameter takes, and whether two values mean the same to Postfix.

`postconf -d` does not tell kinds, but its values show them: Postfix's own table of parameters gives each a default of
its kind, and the unit that a time without one has is that of the default (conv_time(3), postconf(5)). What the
default does not show is in the tables below, each with the parameters of postconf(5) that it is about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    DOMAIN_LISTS,
    Value,
    default_text,
    folded_domain,
    split_items,
    value_text,
)

BOOLEAN = "boolean"
TIME = "time"
INTEGER = "integer"
TEXT = "text"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# Members are addresses, address/mask, host names, files and tables: a "namadr_list".
NETWORK_LISTS = frozenset(
    {
        "authorized_verp_clients",
        "debug_peer_list",
        "mynetworks",
        "permit_mx_backup_networks",
        "qmqpd_authorized_clients",
        "smtpd_authorized_verp_clients",
        "smtpd_authorized_xclient_hosts",
        "smtpd_authorized_xforward_hosts",
        "smtpd_client_event_limit_exceptions",
        "smtpd_forbid_bare_newline_exclusions",
        "smtpd_sasl_exceptions_networks",
    }
)
# Postfix asks whether something is in the list, wherever it stands there.
UNORDERED_LISTS = frozenset(
    {
        *DOMAIN_LISTS,
        *NETWORK_LISTS,
        "canonical_classes",
        "hash_queue_names",
        "inet_interfaces",
        "internal_mail_filter_classes",
        "local_header_rewrite_clients",
        "masquerade_classes",
        "masquerade_exceptions",
        "message_drop_headers",
        "multi_instance_directories",
        "notify_classes",
        "parent_domain_matches_subdomains",
        "propagate_unmatched_extensions",
        "proxy_interfaces",
        "proxy_read_maps",
        "proxy_write_maps",
        "recipient_canonical_classes",
        "sender_canonical_classes",
        "smtpd_discard_ehlo_keywords",
        "smtpd_forbidden_commands",
        "smtpd_noop_commands",
        "smtpd_restriction_classes",
        "smtpd_sasl_security_options",
        "smtp_sasl_security_options",
        "smtputf8_autodetect_classes",
    }
)
# Lists whose members may be `type:name`, besides the parameters that end in one of TABLE_ENDINGS.
TABLE_LISTS = frozenset({*DOMAIN_LISTS, *NETWORK_LISTS, "relay_clientcerts"})
TABLE_ENDINGS = ("_maps", "_checks", "_cache_map", "_reply_map", "_verify_map", "_reply_filter", "_status_filter")
# A word, not a number or a truth value, can be right, although the default looks like one.
_TEXT = frozenset(
    {
        "compatibility_level",
        "default_destination_concurrency_negative_feedback",
        "default_destination_concurrency_positive_feedback",
        "lmtp_tcp_port",
        "mail_release_date",
        "maillog_file_permissions",
        "milter_protocol",
        "process_id",
        "smtp_tcp_port",
        "smtpd_forbid_bare_newline",
    }
)
# The only words that these parameters take. `postfix check` accepts a wrong one, but smtpd does not start.
_TLS_CLIENT = ("none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure")
_TLS_SERVER = ("none", "may", "encrypt")
_POSTSCREEN = ("ignore", "enforce", "drop")
_TEMPFAIL = ("defer", "defer_if_permit")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "inet_protocols": ("all", "ipv4", "ipv6"),
    "lmtp_tls_security_level": _TLS_CLIENT,
    "milter_default_action": ("accept", "reject", "tempfail", "quarantine", "shutdown"),
    "mynetworks_style": ("class", "subnet", "host"),
    "postscreen_bare_newline_action": _POSTSCREEN,
    "postscreen_blacklist_action": _POSTSCREEN,
    "postscreen_denylist_action": _POSTSCREEN,
    "postscreen_dnsbl_action": _POSTSCREEN,
    "postscreen_greet_action": _POSTSCREEN,
    "postscreen_non_smtp_command_action": _POSTSCREEN,
    "postscreen_pipelining_action": _POSTSCREEN,
    "postscreen_tls_security_level": _TLS_SERVER,
    "reject_tempfail_action": _TEMPFAIL,
    "smtp_tls_security_level": _TLS_CLIENT,
    "smtpd_tls_security_level": _TLS_SERVER,
    "unknown_address_tempfail_action": _TEMPFAIL,
    "unknown_helo_hostname_tempfail_action": _TEMPFAIL,
    "unverified_recipient_tempfail_action": _TEMPFAIL,
    "unverified_sender_tempfail_action": _TEMPFAIL,
}
_DEEPEST = 10
_COMMENT = re.compile(r"(\S.*?)\s+(#.*)\Z", re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d+\Z", re.ASCII)
_TIME = re.compile(r"(\d+)([smhdw]?)\Z", re.ASCII)
_SAME_AS = re.compile(r"\$(?:\{(\w+)\}|\((\w+)\)|(\w+))\Z", re.ASCII)
# `${stress?{10}:{300}}s`, and in releases before 3.0 `${stress?10}${stress:300}s`: normally the last value.
_CHOSEN = re.compile(r"\$\{\w+\?\{[^{}]*\}:\{([^{}]*)\}\}", re.ASCII)
_IF_SET = re.compile(r"\$\{\w+\?[^{}]*\}", re.ASCII)
_IF_UNSET = re.compile(r"\$\{\w+:([^{}]*)\}", re.ASCII)


@dataclass(frozen=True)
class Kind:
    """The kind of a value; `unit` is what a time without a unit is counted in."""

    name: str
    unit: str = ""


def kind_of(name: str, defaults: Mapping[str, str]) -> Kind:
    """The kind of parameter `name`; `defaults` is what `postconf -d` prints. TEXT if it can't be told."""
    for _step in range(_DEEPEST):
        if name not in defaults:
            name = _general(name)
        if name in _TEXT:
            break
        value = _usual(defaults.get(name, ""))
        if value in ("yes", "no"):
            return Kind(BOOLEAN)
        if _NUMBER.match(value):
            return Kind(INTEGER)
        time = _TIME.match(value)
        if time:
            return Kind(TIME, time.group(2))
        referred = _SAME_AS.match(value)
        if not referred:
            break
        name = referred.group(1) or referred.group(2) or referred.group(3)
    return Kind(TEXT)


def _general(name: str) -> str:
    """The parameter that gives the default of a transport's own: `x_destination_rate_delay` and the like."""
    if name.endswith("_time_limit"):
        return "command_time_limit"
    for first in ("_initial_destination_", "_destination_", "_delivery_slot_", "_minimum_delivery_", "_extra_"):
        place = name.find(first)
        if place > 0:
            return "initial_destination_concurrency" if "_initial_" in first else "default" + name[place:]
    return ""


def _usual(value: str) -> str:
    """A default with its choices made as on a host where nothing else is set and no load is on."""
    value = default_text(value, "9999")
    for _step in range(_DEEPEST):
        chosen = _IF_UNSET.sub(r"\1", _IF_SET.sub("", _CHOSEN.sub(r"\1", value)))
        if chosen == value:
            break
        value = chosen
    return value.strip()


def without_comment(value: str) -> tuple[str, str]:
    """A value up to what was meant as a comment behind it, and that, "" without one. Postfix has only whole lines."""
    match = _COMMENT.match(value.strip())
    return (match.group(1), match.group(2)) if match else (value, "")


def is_number(value: str) -> bool:
    """Whether Postfix reads the value as a whole number."""
    return _NUMBER.match(value) is not None


def seconds(value: str, unit: str = "") -> int | None:
    """A time value in seconds, None if it is not one; `unit` is that of a value without one, seconds unless given.

    See postconf(5) on time units: they are lower case.
    """
    match = _TIME.match(value.strip())
    return int(match.group(1)) * SECONDS[match.group(2) or unit or "s"] if match else None


def same_list(name: str, present: Value, wanted: Value) -> bool:
    """Whether two values of a list have the same meaning, which depends on their order only if Postfix does."""
    left, right = split_items(value_text(present)), split_items(value_text(wanted))
    if left == right:
        return True
    if name not in UNORDERED_LISTS or any(word.startswith("!") for word in (*left, *right)):
        return False
    if name in DOMAIN_LISTS:
        left, right = [folded_domain(word) for word in left], [folded_domain(word) for word in right]
    return set(left) == set(right)


def same_value(kind: Kind, present: str, wanted: str) -> bool:
    """Whether two values of a parameter of this kind have the same meaning."""
    if kind.name == BOOLEAN:
        return present.lower() == wanted.lower()
    if kind.name == INTEGER and is_number(present) and is_number(wanted):
        return int(present) == int(wanted)
    if kind.name == TIME:
        period = seconds(present, kind.unit)
        return period is not None and period == seconds(wanted, kind.unit)
    return present == wanted
