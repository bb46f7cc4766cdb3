# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_trust takes, and what it does."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust.change import (
    Done,
    Run,
    carry_out,
    plan_result,
    plan_trust,
    refuse_beside,
    rehearse,
    settle,
    take_back,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.trust.probe import probe_mail_host
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.hosts import read_hosts
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
    "record": {"type": "str"},
    "_run": {"type": "dict"},
}
REQUIRED_IF = [("state", PROBED, ["server"]), ("state", SETTLED, ["record"]), ("state", UNDONE, ["record"])]


def trust(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """The work of mx_trust. Raises MxRelayError."""
    state = params["state"]
    if state == PROBED:
        proof = probe_mail_host(params["server"], params["port"], params["helo"], params["domains"], SmtpProber())
        return Outcome(results={"proof": proof})
    path = os.path.join(postfix.config_directory, NAME)
    if state == SETTLED:
        return Outcome(changed=False if check_mode else settle(postfix, params["record"]))
    if state == UNDONE:
        done = [] if check_mode else take_back(postfix, TrustRequest(path=path), params["record"])
        return Outcome(changed=bool(done), results={"undone": done})
    hosts = read_hosts(params["hosts"]) if state == PRESENT else []
    if state == PRESENT and not hosts:
        raise InvalidInput(
            "trust_mx: there is no MX host to trust; put them into the groups primary_mx and secondary_mx, or name "
            "them in trust_mx_hosts"
        )
    own = SystemNetwork().own_addresses()
    request = TrustRequest(hosts, path, state == PRESENT, params["domains"], own)
    return _change(request, postfix, _run_of(params), check_mode)


def _run_of(params: dict[str, Any]) -> Run:
    said = params.get("_run") or {}
    return Run(
        str(said.get("controller") or ""),
        int(said.get("pid") or 0),
        str(said.get("ended") or ""),
        str(said.get("await") or ""),
    )


def _change(request: TrustRequest, postfix: Postfix, run: Run, check_mode: bool) -> Outcome:
    refuse_beside(postfix, run)
    planned = plan_trust(postfix, request)
    done = Done(planned)
    if planned.changed:
        done = Done(planned, rehearse(postfix, planned)) if check_mode else carry_out(postfix, request, run)
    return Outcome(
        changed=done.planned.changed,
        diffs=done.planned.diffs,
        warnings=list(dict.fromkeys(done.warnings)),
        results={
            **plan_result(done.planned),
            "addresses": {host.name: list(host.addresses) for host in request.hosts},
            "record": done.record,
        },
    )
