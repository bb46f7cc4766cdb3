# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_info, queue_info and postfix_info return of a host, for tests of the report."""

from __future__ import annotations

from typing import Any

from ansible_collections.mxrelay.postfix.plugins.plugin_utils.report import report

NOW = 1795359476.0


def record(preference: int, host: str, this_host: bool = False) -> dict[str, Any]:
    return {"preference": preference, "host": host, "addresses": ["192.0.2.5"], "this_host": this_host}


def finding(
    domain: str, check: str, severity: str = "error", scope: str = "local", message: str = ""
) -> dict[str, Any]:
    text = message or f"{check} is wrong"
    return {
        "domain": domain,
        "check": check,
        "severity": severity,
        "scope": scope,
        "message": text,
        "remedy": f"mend {check}",
    }


def domain(**changes: Any) -> dict[str, Any]:
    return {
        "relayed": "x.example",
        "recipients": 2,
        "recipients_digest": "d1",
        "recipients_policy": "listed",
        "sources": [],
        "wildcard": False,
        "other_maps": False,
        "transport": None,
        "mx": [record(100, "mx2.x.example", True), record(10, "mail.x.example")],
        **changes,
    }


def host(domains: dict[str, Any], *findings: dict[str, Any], **changes: Any) -> dict[str, Any]:
    nothing = {"count": 0, "size": 0, "held": 0, "age": None, "reasons": []}
    return {
        "mx": {
            "findings": list(findings),
            "domains": domains,
            "tables": [{"index": "current"}, {"index": "none"}],
            "message_size_limit": 10240000,
            "smtputf8": True,
        },
        "queue": {"total": nothing, "domains": {}},
        "postfix": {
            "version": "3.10.13",
            "instance": {"myhostname": "mx2.x.example"},
            "parameters": {"relayhost": ""},
            "tables": [{"parameters": ["relay_recipient_maps"], "modified": int(NOW) - 3 * 86400 - 5}],
        },
        "error": "",
        **changes,
    }


def row(found: dict[str, Any]) -> dict[str, Any]:
    """The only row of a report on one host."""
    (only,) = report({"mx2": found}, NOW)["rows"]
    return only
