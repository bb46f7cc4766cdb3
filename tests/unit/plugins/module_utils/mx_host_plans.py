# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for a primary MX on a host with real files."""

from __future__ import annotations

from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.plan import plan_mx
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import rows_digest
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import contents
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost, FakeNetwork

CLOSED = "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n"


def listed(name: str = "x.example", *local_parts: str, **fields: Any) -> dict[str, Any]:
    addresses = {f"{local_part}@{name}": "x" for local_part in local_parts or ("a",)}
    summary = {"has_list": True, "recipients_count": len(addresses), "recipients_digest": rows_digest(addresses)}
    return {"name": name, "mail_host": "mail.example", **summary, **fields}


def plan(
    host: FakeMxHost, *domains: dict[str, Any], network: FakeNetwork | None = None, **params: Any
) -> dict[str, Any]:
    """The results for a primary MX, after a check that planning touched no file."""
    before = contents(host.config_directory)
    outcome = plan_mx(
        {"role": "primary_mx", "domains": list(domains), **params}, host.postfix(), network or FakeNetwork()
    )
    assert contents(host.config_directory) == before
    assert outcome.changed is False
    return {**outcome.results, "warnings": outcome.warnings}


def converged(host: FakeMxHost) -> None:
    """What a run for listed() leaves behind."""
    host.write(
        "main.cf",
        f"{CLOSED}relay_domains = x.example\n"
        f"relay_recipient_maps = hash:{host.path('relay_recipients')}\n"
        f"transport_maps = hash:{host.path('transport')}\n",
    )
    host.table("relay_recipients", "a@x.example x\npostmaster@x.example x\n")
    host.table("transport", "x.example relay:[mail.example]\n")


def checks(results: dict[str, Any]) -> list[tuple[str, str]]:
    return [(refusal["domain"], refusal["check"]) for refusal in results["refusals"]]
