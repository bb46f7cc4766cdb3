# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks SMTP servers, few at a time and never with a message: mail hosts from this host, this host from elsewhere."""

from __future__ import annotations

import secrets
import time
from typing import Any, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.stranger import foreign_recipients
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import best_other_exchanger
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import program, sending_service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings import stranger_findings
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import address, domain_name
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.people import unnamed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import names_in
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import PORT, Prober

# Beyond these, a probe is a nuisance to the one who is probed.
DOMAINS = 20
SECONDS = 60.0
# Postfix slows down clients that err often.
ERRORS_AT_ONCE = 4


def unknown_recipient(domain: str) -> str:
    """A recipient that nobody has."""
    return f"mxrelay-probe-{secrets.token_hex(6)}@{domain}"


def ask_mail_hosts(domains: Sequence[DomainEvidence], state: HostState, prober: Prober) -> list[str]:
    """Gives each domain what its mail host says to this host. Returns what was left out, a line each."""
    deadline = time.monotonic() + SECONDS
    helo = state.value("myhostname")
    silent: dict[tuple[str, int], Talk] = {}
    targets = [
        (domain, target) for domain in domains for target in [_target(domain, state)] if domain.relayed and target
    ]
    for domain, target in targets[:DOMAINS]:
        if target in silent:
            domain.talk = silent[target]
            continue
        if time.monotonic() >= deadline:
            break
        recipients = [domain.probe_recipient] if domain.probe_recipient else []
        domain.talk = prober.talk(target[0], target[1], helo, [*recipients, unknown_recipient(domain.name)], deadline)
        if domain.talk.failure and time.monotonic() >= deadline:
            # It failed for want of time, which is not the mail host's fault.
            domain.talk = None
            break
        if domain.talk.failure:
            silent[target] = domain.talk
    left = sum(1 for domain, _target in targets if domain.talk is None)
    return [f"the mail hosts of {left} more domains were not asked; name these domains to ask them"] if left else []


def _target(domain: DomainEvidence, state: HostState) -> tuple[str, int] | None:
    """The mail host and its port, None where mail of the domain does not leave by SMTP or nobody knows where to."""
    service = sending_service(state, domain.agent)
    if domain.agent not in ("relay", "smtp") and (service is None or program(service) != "smtp"):
        return None
    if domain.nexthop and (domain.bracketed or not domain.nexthop_exchangers):
        return domain.nexthop, _port(domain)
    records = domain.nexthop_exchangers if domain.nexthop else domain.exchangers
    other = best_other_exchanger(records or (), state)
    return (other, PORT) if other else None


def _port(domain: DomainEvidence) -> int:
    result = domain.route
    port = result.rpartition("]")[2] if "]" in result else result.partition(":")[2]
    digits = port.rpartition(":")[2]
    return int(digits) if ":" in port and digits.isdigit() else PORT


def as_stranger(params: Mapping[str, Any], prober: Prober) -> Outcome:
    """What the host `probe_server` says to a stranger, as a module's outcome. Raises InvalidInput."""
    server = str(params["probe_server"])
    port = int(params.get("probe_port") or PORT)
    names = [
        domain_name(name, f"domains[{index}]") for index, name in enumerate(names_in(params.get("domains"), "domains"))
    ]
    listed: dict[str, str] = {}
    for name, given in (params.get("probe_recipients") or {}).items():
        if given:
            listed[domain_name(name, "probe_recipients")] = address(given, f"probe_recipients[{name}]")
    if not names:
        raise InvalidInput("mx_info: probe_server needs the domains to ask about (domains); name at least one")
    deadline = time.monotonic() + SECONDS
    unknown = {name: unknown_recipient(name) for name in names[:DOMAINS]}
    talks: dict[str, Talk] = {}
    foreign: list[Talk] = []
    for name in unknown:
        asked = [*([listed[name]] if name in listed else []), f"postmaster@{name}", unknown[name]]
        talks[name] = prober.talk(server, port, "", asked, deadline)
        if talks[name].banner is None:
            break
    else:
        spellings = foreign_recipients(names[0])
        for first in range(0, len(spellings), ERRORS_AT_ONCE):
            foreign.append(prober.talk(server, port, "", spellings[first : first + ERRORS_AT_ONCE], deadline))
    left = len(dict.fromkeys(names)) - len(unknown)
    findings = stranger_findings(server, talks, listed, unknown, foreign)
    people = frozenset() if params.get("show_recipients") else frozenset(listed.values())
    return Outcome(
        results={
            "findings": unnamed([finding.as_result() for finding in findings], people),
            "probes": unnamed([told(talk) for talk in [*talks.values(), *foreign]], people),
            "notes": [f"{left} more domains were not asked about; name them to ask about them"] if left else [],
        }
    )


def told(talk: Talk) -> dict[str, Any]:
    """What a server answered, as a result."""
    return {
        "server": talk.server,
        "failure": talk.failure,
        "banner": talk.banner,
        "mail": talk.mail,
        "recipients": dict(talk.recipients),
    }
