# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that relays for nobody yet, and what is decided about domains on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import every_check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    HostState,
    MxRecord,
    TableState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import host_after, refusals_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import Decision, decide
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest, read_request

RECIPIENTS = TableState("hash:/t/relay_recipients", "/t/relay_recipients", "hash", True, "hash:/t/relay_recipients")
TRANSPORT = TableState("hash:/t/transport", "/t/transport", "hash", True, "hash:/t/transport")
VERIFY = TableState("hash:/t/relay_verify", "/t/relay_verify", "hash")
PATTERNS = TableState("regexp:/t/relay_recipients_subdomains", "/t/relay_recipients_subdomains", "regexp")
# The row of PATTERNS for WIDE.
PATTERN = "/@[^@]+\\.x\\.example$/"
WIDE = {"name": "x.example", "recipients_policy": "any", "subdomains": True}
# The MX record that names host().
OWN = MxRecord(20, "mx.example", ("192.0.2.9",))
CLOSED = "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"
VALUES = {
    "myhostname": "mx.example",
    "inet_interfaces": "all",
    "mynetworks": "127.0.0.0/8",
    "relay_recipient_maps": "hash:/t/relay_recipients",
    "transport_maps": "hash:/t/transport",
    "relay_transport": "relay",
    "relayhost": "",
    "smtp_fallback_relay": "",
    "smtpd_relay_restrictions": CLOSED,
    "smtpd_recipient_restrictions": "",
    "unverified_recipient_defer_code": "450",
    "proxy_interfaces": "",
}


def service(name: str = "relay", kind: str = "unix", command: str = "smtp", **overrides: str) -> Service:
    return Service(name, kind, "-", "-", "-", "-", "-", command, dict(overrides))


def host(**fields: Any) -> HostState:
    """A host that relays for nobody yet; `values` are changes to its parameters, all of them set in main.cf."""
    values = {**VALUES, **fields.pop("values", {})}
    values = {name: value for name, value in values.items() if value is not None}
    defaults: dict[str, Any] = {
        "installed": True,
        "version": (3, 10, 13),
        "parameters": values,
        "values": values,
        "explicit": values,
        "services": [service("smtp", "inet", "smtpd"), service()],
        "recipients": RECIPIENTS,
        "transport": TRANSPORT,
        "verify": VERIFY,
        "own_addresses": frozenset({"127.0.0.1", "::1", "192.0.2.9"}),
    }
    return HostState(**{**defaults, **fields})


def listed(name: str = "x.example", **fields: Any) -> dict[str, Any]:
    return {"name": name, "has_list": True, "recipients_count": 2, "recipients_digest": "d", **fields}


def decided(request: MxRequest, on: HostState) -> Decision:
    """What is decided, with what would be wrong with the host afterwards among the reasons to refuse."""
    decision = decide(request, on)
    after = host_after(on, decision.main_cf, decision.services)
    refused = {refusal.domain for refusal in decision.refusals}
    wrong = refusals_after(request, after, (), decision.routes, True, refused) if on.installed else []
    return replace(decision, refusals=[*decision.refusals, *wrong])


def secondary(*domains: dict[str, Any], on: HostState | None = None, **settings: Any) -> Decision:
    request = read_request({"role": "secondary_mx", "domains": list(domains) or [listed()], **settings}, every_check())
    return decided(request, on or host())


def primary(*domains: dict[str, Any], on: HostState | None = None, **settings: Any) -> Decision:
    items = [{"mail_host": "mail.example", **domain} for domain in domains or [listed()]]
    request = read_request({"role": "primary_mx", "domains": items, **settings}, every_check())
    return decided(request, on or host())


def checks(plan: Decision) -> list[tuple[str, str]]:
    return [(refusal.domain, refusal.check) for refusal in plan.refusals]
