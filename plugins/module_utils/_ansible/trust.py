# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_trust takes, and what it does."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust.change import (
    carry_out,
    plan_result,
    plan_trust,
    rehearse,
    settle,
    take_back,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust.probe import probe_mail_host
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.hosts import MxHost, read_hosts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.plan import TrustRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.trust_table import NAME
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import SystemNetwork
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import PORT, SmtpProber

PRESENT = "present"
ABSENT = "absent"
PROBED = "probed"
SETTLED = "settled"
UNDONE = "undone"

TRUST_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "state": {"type": "str", "choices": [PRESENT, ABSENT, PROBED, SETTLED, UNDONE], "default": PRESENT},
    "hosts": {"type": "list", "elements": "dict", "default": []},
    "domains": {"type": "list", "elements": "str", "default": []},
    "server": {"type": "str"},
    "port": {"type": "int", "default": PORT},
    "helo": {"type": "str", "default": ""},
}


def trust(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """The work of mx_trust. Raises MxRelayError."""
    state = params["state"]
    if state == PROBED:
        proof = probe_mail_host(params["server"], params["port"], params["helo"], params["domains"], SmtpProber())
        return Outcome(results={"proof": proof})
    path = os.path.join(postfix.config_directory, NAME)
    if state == SETTLED:
        return Outcome(changed=False if check_mode else settle(postfix))
    if state == UNDONE:
        done = [] if check_mode else take_back(postfix, TrustRequest(path=path))
        return Outcome(changed=bool(done), results={"undone": done})
    hosts = read_hosts(params["hosts"]) if state == PRESENT else []
    if state == PRESENT and not hosts:
        raise InvalidInput(
            "trust_mx: there is no MX host to trust; put them into the groups primary_mx and secondary_mx, or name "
            "them in trust_mx_hosts"
        )
    own = SystemNetwork().own_addresses()
    request = TrustRequest(hosts, path, state == PRESENT, params["domains"], own)
    return _change(request, hosts, postfix, check_mode)


def _change(request: TrustRequest, hosts: list[MxHost], postfix: Postfix, check_mode: bool) -> Outcome:
    planned = plan_trust(postfix, request)
    warnings: list[str] = []
    if planned.changed:
        warnings = rehearse(postfix, planned) if check_mode else carry_out(postfix, request, planned)
    return Outcome(
        changed=planned.changed,
        diffs=planned.diffs,
        warnings=list(dict.fromkeys(warnings)),
        results={**plan_result(planned), "addresses": {host.name: list(host.addresses) for host in hosts}},
    )
