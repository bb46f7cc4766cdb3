# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which numbers and times Postfix's daemons take. With any other, a daemon that reads the parameter ends at its start.

`postfix check` and `postconf` take all of them. The limits are those of the tables in the daemons' sources (Postfix
3.10), by which mail_conf_int(3), mail_conf_long(3) and mail_conf_time(3) judge.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import (
    INTEGER,
    SECONDS,
    TIME,
    Kind,
)

INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
HUNDRED_DAYS = 100 * SECONDS["d"]


class Limits(NamedTuple):
    """The least and the most that a daemon takes, of a time in seconds."""

    least: int
    most: int


# Read as 64 bits; all others as 32.
_LONG = frozenset(
    {"lmdb_map_size", "mailbox_size_limit", "message_size_limit", "queue_minfree", "virtual_mailbox_limit"}
)
_AT_LEAST_ONE = frozenset(
    {
        "address_verify_negative_expire_time",
        "address_verify_negative_refresh_time",
        "address_verify_pending_request_limit",
        "address_verify_poll_count",
        "address_verify_poll_delay",
        "address_verify_positive_expire_time",
        "address_verify_positive_refresh_time",
        "anvil_rate_time_unit",
        "anvil_status_update_time",
        "application_event_drain_time",
        "berkeley_db_create_buffer_size",
        "berkeley_db_read_buffer_size",
        "bounce_size_limit",
        "command_time_limit",
        "connection_cache_protocol_timeout",
        "connection_cache_status_update_time",
        "connection_cache_ttl_limit",
        "daemon_timeout",
        "debug_peer_level",
        "default_process_limit",
        "default_recipient_refill_delay",
        "default_recipient_refill_limit",
        "deliver_lock_attempts",
        "deliver_lock_delay",
        "fast_flush_purge_time",
        "fast_flush_refresh_time",
        "fork_attempts",
        "fork_delay",
        "hash_queue_depth",
        "header_address_token_limit",
        "header_size_limit",
        "hopcount_limit",
        "initial_destination_concurrency",
        "ipc_idle",
        "ipc_timeout",
        "ipc_ttl",
        "lmdb_map_size",
        "lmtp_connection_cache_time_limit",
        "lmtp_connection_reuse_time_limit",
        "lmtp_data_done_timeout",
        "lmtp_data_init_timeout",
        "lmtp_data_xfer_timeout",
        "lmtp_lhlo_timeout",
        "lmtp_mail_timeout",
        "lmtp_min_data_rate",
        "lmtp_pix_workaround_delay_time",
        "lmtp_quit_timeout",
        "lmtp_rcpt_timeout",
        "lmtp_rset_timeout",
        "lmtp_starttls_timeout",
        "lmtp_xforward_timeout",
        "max_idle",
        "max_use",
        "maximal_backoff_time",
        "milter_command_timeout",
        "milter_connect_timeout",
        "milter_content_timeout",
        "mime_boundary_length_limit",
        "mime_nesting_limit",
        "minimal_backoff_time",
        "postscreen_bare_newline_ttl",
        "postscreen_cache_retention_time",
        "postscreen_command_count_limit",
        "postscreen_command_time_limit",
        "postscreen_dnsbl_max_ttl",
        "postscreen_dnsbl_min_ttl",
        "postscreen_dnsbl_threshold",
        "postscreen_dnsbl_timeout",
        "postscreen_greet_ttl",
        "postscreen_greet_wait",
        "postscreen_non_smtp_command_ttl",
        "postscreen_pipelining_ttl",
        "postscreen_upstream_proxy_timeout",
        "qmgr_daemon_timeout",
        "qmgr_ipc_timeout",
        "qmgr_message_active_limit",
        "qmgr_message_recipient_limit",
        "qmgr_message_recipient_minimum",
        "qmqpd_timeout",
        "queue_file_attribute_count_limit",
        "queue_run_delay",
        "service_throttle_time",
        "smtp_connection_cache_time_limit",
        "smtp_connection_reuse_time_limit",
        "smtp_data_done_timeout",
        "smtp_data_init_timeout",
        "smtp_data_xfer_timeout",
        "smtp_helo_timeout",
        "smtp_mail_timeout",
        "smtp_min_data_rate",
        "smtp_pix_workaround_delay_time",
        "smtp_quit_timeout",
        "smtp_rcpt_timeout",
        "smtp_rset_timeout",
        "smtp_starttls_timeout",
        "smtp_xforward_timeout",
        "smtpd_hard_error_limit",
        "smtpd_history_flush_threshold",
        "smtpd_junk_command_limit",
        "smtpd_min_data_rate",
        "smtpd_policy_service_max_idle",
        "smtpd_policy_service_max_ttl",
        "smtpd_policy_service_retry_delay",
        "smtpd_policy_service_timeout",
        "smtpd_policy_service_try_limit",
        "smtpd_proxy_timeout",
        "smtpd_recipient_limit",
        "smtpd_recipient_overshoot_limit",
        "smtpd_soft_error_limit",
        "smtpd_starttls_timeout",
        "smtpd_timeout",
        "smtpd_upstream_proxy_timeout",
        "socketmap_max_reply_size",
        "stale_lock_time",
        "tls_daemon_random_bytes",
        "tls_random_bytes",
        "tls_random_prng_update_period",
        "tls_random_reseed_period",
        "transport_retry_time",
        "trigger_timeout",
        "virtual_alias_address_length_limit",
        "virtual_alias_expansion_limit",
        "virtual_alias_recursion_limit",
        "virtual_minimum_uid",
    }
)
_OTHERS: Mapping[str, Limits] = {
    "bounce_queue_lifetime": Limits(0, HUNDRED_DAYS),
    "default_delivery_slot_discount": Limits(0, 100),
    "delay_logging_resolution_limit": Limits(0, 6),
    "in_flow_delay": Limits(0, 10),
    "line_length_limit": Limits(512, INT_MAX),
    "lmtp_tls_session_cache_timeout": Limits(0, HUNDRED_DAYS),
    "maximal_queue_lifetime": Limits(0, HUNDRED_DAYS),
    "postlogd_watchdog_timeout": Limits(10, INT_MAX),
    "postscreen_post_queue_limit": Limits(5, INT_MAX),
    "postscreen_pre_queue_limit": Limits(10, INT_MAX),
    "postscreen_watchdog_timeout": Limits(10, INT_MAX),
    "qmgr_fudge_factor": Limits(10, 100),
    "smtp_tls_session_cache_timeout": Limits(0, HUNDRED_DAYS),
    "smtpd_client_ipv4_prefix_length": Limits(0, 32),
    "smtpd_client_ipv6_prefix_length": Limits(0, 128),
    "smtpd_forbid_bare_newline_reject_code": Limits(500, 599),
    "smtpd_sasl_response_limit": Limits(12288, INT_MAX),
    "smtpd_tls_session_cache_timeout": Limits(0, HUNDRED_DAYS),
    "tlsproxy_watchdog_timeout": Limits(10, INT_MAX),
    "unverified_recipient_defer_code": Limits(200, 499),
    "unverified_recipient_reject_code": Limits(200, 599),
    "unverified_sender_defer_code": Limits(200, 499),
    "unverified_sender_reject_code": Limits(200, 599),
}
# Of a transport's own parameters, such as `relay_initial_destination_concurrency`, by how they end; see qmgr(8).
_OF_TRANSPORTS: Mapping[str, Limits] = {
    "_delivery_slot_discount": Limits(0, 100),
    "_initial_destination_concurrency": Limits(1, INT_MAX),
    "_recipient_refill_delay": Limits(1, INT_MAX),
    "_recipient_refill_limit": Limits(1, INT_MAX),
}
_NUMBER = re.compile(r"[-+]?[0-9]+\Z")
_TIME = re.compile(r"([0-9]+)([smhdw]?)\Z")


def limits_of(name: str, kind: Kind) -> Limits:
    """What a daemon takes for a number or a time of this name."""
    if name in _LONG:
        return Limits(-LONG_MAX - 1, LONG_MAX)
    if name in _AT_LEAST_ONE:
        return Limits(1, INT_MAX)
    usual = Limits(0 if kind.name == TIME else -INT_MAX - 1, INT_MAX)
    of_transport = next((limits for end, limits in _OF_TRANSPORTS.items() if name.endswith(end)), usual)
    return _OTHERS.get(name, of_transport)


def beyond(name: str, kind: Kind, text: str) -> str:
    """What a daemon takes, in words, where the number or time is none of that; "" where it is.

    Text that is neither is not judged here.
    """
    limits = limits_of(name, kind)
    if kind.name == INTEGER and _NUMBER.match(text):
        inside = limits.least <= int(text) <= limits.most
        return "" if inside else f"a whole number from {limits.least} to {limits.most}"
    match = _TIME.match(text) if kind.name == TIME else None
    if match is None:
        return ""
    number, unit = int(match.group(1)), SECONDS[match.group(2) or kind.unit or "s"]
    # conv_time(3) counts in 32 bits, and takes no product that comes near their end.
    counted = unit == 1 or number < INT_MAX // unit
    inside = counted and limits.least <= number * unit <= limits.most
    return "" if inside else f"a time from {_duration(limits.least)} to {_duration(limits.most)}"


def _duration(period: int) -> str:
    """So many seconds in the largest unit that divides them, weeks left out."""
    unit = next((unit for unit in "dhm" if period and period % SECONDS[unit] == 0), "s")
    return f"{period // SECONDS[unit]}{unit}"
