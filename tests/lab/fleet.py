# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a fleet that no lab has room for, from what its modules would return."""

from __future__ import annotations

from typing import Any

import jinja2

from lab import artifact

NOW = 1795359476.0


def evidence(hosts: int, domains_each: int) -> dict[str, dict[str, Any]]:
    """What the modules would return of this many hosts; every tenth domain has an error, every seventh a queue."""
    return {f"mx{number:03d}.provider.example": _host(number, domains_each) for number in range(hosts)}


def _host(number: int, domains: int) -> dict[str, Any]:
    names = [f"customer-{number:03d}-{place:03d}.example" for place in range(domains)]
    findings = [
        {
            "domain": name,
            "check": "own_nexthop",
            "severity": "error",
            "scope": "local",
            "message": f"its mail is sent to mx{number:03d}.provider.example, which is this host",
            "remedy": "name the host that keeps its mailboxes in transport_maps",
        }
        for name in names[::10]
    ]
    reason = {"reason": "connect to mail.example[192.0.2.25]:25: Connection timed out", "recipients": 4}
    queue = {"count": 4, "recipients": 4, "size": 40000, "held": 0, "oldest": 1, "age": 7200, "reasons": [reason]}
    table = {"parameters": ["relay_recipient_maps"], "modified": int(NOW) - 86400 * (number + 1)}
    return {
        "mx": {
            "findings": findings,
            "domains": {name: _domain(number, name) for name in names},
            "tables": [{"index": "current"}],
            "message_size_limit": 10240000,
            "smtputf8": True,
        },
        "queue": {"total": queue, "domains": dict.fromkeys(names[::7], queue)},
        "postfix": {
            "version": "3.10.13",
            "instance": {"myhostname": f"mx{number:03d}.provider.example"},
            "parameters": {"relayhost": ""},
            "tables": [table],
        },
        "error": "",
    }


def _domain(number: int, name: str) -> dict[str, Any]:
    source = {"name": "staff", "type": "ldap", "host": "localhost", "age": 300, "count": 42, "problem": ""}
    return {
        "relayed": name,
        "recipients": 42,
        "recipients_digest": name,
        "recipients_policy": "listed",
        "sources": [source],
        "wildcard": False,
        "other_maps": False,
        "transport": {"member": "hash:/etc/postfix/transport", "key": name, "result": f"relay:[mail.{name}]"},
        "mx": [
            {"preference": 10, "host": f"mail.{name}", "addresses": ["192.0.2.25"], "this_host": False},
            {
                "preference": 100,
                "host": f"mx{number:03d}.provider.example",
                "addresses": ["198.51.100.7"],
                "this_host": True,
            },
        ],
    }


def page(hosts: int, domains_each: int) -> str:
    """The report as the role's template writes it."""
    report = artifact.imported("plugin_utils.report").report
    loader = jinja2.FileSystemLoader(artifact.COLLECTION / "roles/report/templates")
    template = jinja2.Environment(loader=loader, trim_blocks=True, undefined=jinja2.StrictUndefined).get_template(
        "report.html.j2"
    )
    return template.render(__report_view=report(evidence(hosts, domains_each), NOW), report_title="A fleet")
