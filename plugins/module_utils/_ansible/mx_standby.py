# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_standby takes, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.standby import apply_standby, plan_standby
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.standby_files import StandbyRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_names
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

STANDBY_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "domains": {"type": "list", "elements": "str", "required": True},
    "subdomains": {"type": "list", "elements": "str", "default": []},
    "own": {"type": "list", "elements": "str", "default": []},
    "name": {"type": "str"},
}


def change_standby(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """The work of mx_standby. Raises MxRelayError."""
    values = postfix.parameters(["queue_directory", "mail_owner", "myhostname"], ("-x",))
    wanted = StandbyRequest(
        tuple(domain_names(params["domains"], "domains")),
        tuple(domain_names(params["subdomains"], "subdomains")),
        tuple(params["own"] or [values["myhostname"]]),
        str(params["name"] or values["myhostname"]),
    )
    change = plan_standby(postfix, wanted, values["queue_directory"], values.get("mail_owner", ""))
    if not check_mode:
        apply_standby(postfix, change)
    return Outcome(
        changed=change.changed, diffs=list(change.diffs), results={"standby": "present" if wanted.domains else "absent"}
    )
