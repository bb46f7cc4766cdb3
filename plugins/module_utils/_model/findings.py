# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the evidence about a host says of it and of its relay domains: findings, each with its remedy."""

from __future__ import annotations

from typing import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.dns_findings import dns_findings
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.domain_findings import domain_findings
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence import (
    DomainEvidence,
    HostFacts,
    TableEvidence,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.finding import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.host_findings import (
    host_findings,
    table_findings,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx_host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.probe_findings import mail_host_findings


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
