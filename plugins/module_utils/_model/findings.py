# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the evidence about a host says of it and of its relay domains: findings, each with its remedy."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.accepted import Accepted, accept
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import checks_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    ABOUT_A_DOMAIN,
    DOMAIN_ON_MAIL_HOST,
    SEVERAL_HOSTS,
    STRANGER,
    TABLE,
    UNREADABLE,
    WHOLE_HOST,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.several_hosts import HostOfDomain
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.stranger import StrangerEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts, TableEvidence


def judge(
    state: HostState,
    tables: Sequence[TableEvidence],
    domains: Sequence[DomainEvidence],
    facts: HostFacts | None = None,
    accepted: Sequence[Accepted] = (),
) -> list[Finding]:
    """All findings, those about the whole host first."""
    known = facts or HostFacts()
    found = [finding for check in checks_of(WHOLE_HOST) for finding in check(state, known)]
    found += [finding for table in tables for check in checks_of(TABLE) for finding in check(table)]
    checks, on_mail_hosts = checks_of(*ABOUT_A_DOMAIN), checks_of(DOMAIN_ON_MAIL_HOST)
    for domain in domains:
        found += [finding for check in checks for finding in check(domain, state)]
        found += [finding for other in domain.others for check in on_mail_hosts for finding in check(other, state)]
    return accept(dict.fromkeys(found), accepted, state.today)


def stranger_findings(told: StrangerEvidence) -> list[Finding]:
    """What is wrong with what a stranger is told."""
    return [finding for check in checks_of(STRANGER) for finding in check(told)]


def disagreements(domain: str, hosts: Sequence[HostOfDomain]) -> list[Finding]:
    """What the MX hosts of a domain differ in."""
    return [finding for check in checks_of(SEVERAL_HOSTS) for finding in check(domain, hosts)]


def unreadable(error: MxRelayError) -> Finding:
    """What is wrong if Postfix, or we, can't read main.cf or master.cf."""
    (finding,) = (finding for check in checks_of(UNREADABLE) for finding in check(error))
    return finding
