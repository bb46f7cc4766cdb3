# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Generated from meta/settings.yml by ./run generate; change it there.
"""The options of a domain item and the settings of the whole host, as data for the hosts."""

from __future__ import annotations

from typing import Any

DOMAIN_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "role": {"type": "str", "choices": ["primary", "secondary"]},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "recipients": {"type": "list", "elements": "str"},
    "recipients_file": {"type": "list", "elements": "str"},
    "recipients_policy": {"type": "str", "choices": ["listed", "any", "verify", "external"]},
    "probe_recipient": {"type": "str"},
    "subdomains": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "waiting_mail": {"type": "str", "default": "refuse", "choices": ["refuse", "bounce"]},
    "mail_host": {"type": "list", "elements": "str"},
    "port": {"type": "int"},
    "mx_lookup": {"type": "bool", "default": False},
    "has_list": {"type": "bool", "default": False},
    "recipients_count": {"type": "int", "default": 0},
    "recipients_digest": {"type": "str"},
    "lists_postmaster": {"type": "bool", "default": False},
}
# Of these the options that no user writes.
SUMMARY_OPTIONS = ("has_list", "recipients_count", "recipients_digest", "lists_postmaster")
SETTINGS: dict[str, dict[str, Any]] = {
    "recipient_check": {"type": "str", "choices": ["table", "none"], "default": "table", "both_roles": "equal"},
    "proxy_interfaces": {
        "type": "list",
        "elements": "str",
        "default": [],
        "both_roles": "shared",
        "form": "addresses",
        "split": "words",
    },
    "inet_interfaces": {"type": "str", "default": "", "both_roles": "shared", "split": "words"},
    "table_type": {"type": "str", "default": "", "both_roles": "shared"},
    "table_directory": {"type": "path", "default": "", "both_roles": "shared"},
    "config_directory": {"type": "path", "default": "/etc/postfix", "planned": False},
    "queue_lifetime": {
        "type": "str",
        "default": "",
        "both_roles": "shared",
        "parameter": "maximal_queue_lifetime",
        "form": "time",
        "unit": "d",
        "least": "5m",
        "because": "mail would be returned before it is tried again",
    },
    "mail_host_tls": {
        "type": "str",
        "choices": ["none", "may", "dane", "secure"],
        "default": "",
        "both_roles": "shared",
    },
    "mail_host_concurrency": {
        "type": "str",
        "default": "",
        "both_roles": "shared",
        "parameter": "relay_destination_concurrency_limit",
        "form": "number",
        "least": 1,
        "because": "no limit would be left",
    },
    "message_size_limit": {
        "type": "str",
        "default": "",
        "both_roles": "shared",
        "parameter": "message_size_limit",
        "form": "number",
        "least": 65536,
        "because": "messages that every mail server has to take (RFC 5321, 4.5.3.1.7) would be refused",
        "or_else": "0",
    },
    "relay_restrictions": {"type": "list", "elements": "str", "default": [], "both_roles": "shared", "ordered": True},
    "client_restrictions": {"type": "list", "elements": "str", "default": [], "both_roles": "shared", "ordered": True},
    "etrn_restrictions": {"type": "list", "elements": "str", "default": [], "both_roles": "shared", "ordered": True},
    "smtputf8": {"type": "bool", "default": "", "both_roles": "shared"},
    "ipv6": {"type": "bool", "default": "", "both_roles": "shared"},
    "postmaster": {"type": "bool", "default": True},
    "undeclared_domains": {"type": "str", "choices": ["refuse", "any"], "default": "refuse", "both_roles": "either"},
    "max_removals": {"type": "str", "default": "", "form": "removals"},
    "remove_undeclared": {"type": "bool", "default": False},
    "manage_package": {"type": "bool", "default": True},
    "manage_service": {"type": "bool", "default": True},
    "verify": {"type": "bool", "default": True, "planned": False},
    "unproven": {"type": "str", "choices": ["warn", "fail"], "default": "warn"},
    "accepted": {"type": "list", "elements": "dict", "default": []},
    "verify_fail_on": {
        "type": "list",
        "elements": "str",
        "choices": ["local", "dns", "remote"],
        "default": ["local"],
        "split": "words",
        "planned": False,
    },
    "ended_run": {"type": "str", "default": "", "planned": False},
    "fail_on_drift": {"type": "bool", "default": False, "planned": False},
}
