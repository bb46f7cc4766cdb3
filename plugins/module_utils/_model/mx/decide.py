# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what a host needs for its declared relay domains, and every reason not to change it.

Follows "Configuring Postfix as primary or backup MX host for a remote site" of STANDARD_CONFIGURATION_README.
"""

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.domains import (
    absent_domains,
    left_at_subdomains,
    primary_rows,
    recipient_maps,
    recipient_policies,
    refuse_loops,
    refuse_other_classes,
    relay_domains_members,
    secondary_rows,
    subdomain_patterns,
    transport_maps,
    undeclared_domains,
    verification,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.host_wide import (
    asked,
    fallback_guard,
    host_wide,
    relay_restrictions,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MxPlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest


def decide(request: MxRequest, host: HostState) -> MxPlan:
    """The plan for `request` on a host with Postfix. Without Postfix only what the values say can be decided."""
    plan = MxPlan(refusals=list(request.refusals))
    recipient_policies(request, host, plan)
    primary_rows(request, host, plan)
    if host.installed:
        host_wide(request, host, plan)
        refuse_other_classes(request, host, plan)
        refuse_loops(request, host, plan)
        undeclared_domains(request, host, plan)
        absent_domains(request, host, plan)
        secondary_rows(request, host, plan)
        relay_domains_members(request, host, plan)
        recipient_maps(request, host, plan)
        subdomain_patterns(request, host, plan)
        left_at_subdomains(request, host, plan)
        transport_maps(request, host, plan)
        verification(request, host, plan)
        if request.present:
            relay_restrictions(request, host, plan)
            fallback_guard(host, plan)
    else:
        for item in request.present:
            plan.add_item("relay_domains", item.name)
    if request.present:
        wanted = asked(request, host)
        plan.parameters.update(wanted.parameters)
        plan.overrides.update(wanted.overrides)
        plan.refusals += wanted.refusals
    return plan
