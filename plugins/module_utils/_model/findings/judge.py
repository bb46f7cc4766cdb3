# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the evidence about a host says of it and of its relay domains: findings, each with its remedy."""

from __future__ import annotations

from typing import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts, TableEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings.dns import dns_findings
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings.domain import domain_findings
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings.host import host_findings, table_findings
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings.probe import mail_host_findings


def judge(
    state: HostState,
    tables: Sequence[TableEvidence],
    domains: Sequence[DomainEvidence],
    facts: HostFacts | None = None,
) -> list[Finding]:
    """All findings, those about the whole host first."""
    found = [*host_findings(state, facts or HostFacts()), *table_findings(tables)]
    for domain in domains:
        found += domain_findings(domain, state)
        if domain.relayed:
            found += dns_findings(domain, state)
            found += mail_host_findings(domain, state)
    return list(dict.fromkeys(found))
