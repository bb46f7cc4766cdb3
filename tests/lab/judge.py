# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a host of the lab: shell scripts, and the work of some modules, without starting Python for each.

PYTHONPATH is the folder that holds `ansible_collections`. Standard input is one JSON object a line: `shell` (a script),
`inform` or `stranger` (parameters of mx_info), `plan` (those of mx_plan), `read` (those of recipients_info),
`estimate` (domains and log_bytes). Standard output is one JSON object a line: `out`, what the module returns, what is
estimated for each domain, or `error`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.recipients_info import (
    RECIPIENTS_SPEC,
    recipients_info,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.info import inform
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.plan import plan_mx
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.probe import as_stranger
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import read_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_estimate import estimate
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import LocalCommands
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import SystemNetwork
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import SmtpProber

CONFIG_DIRECTORY = "/etc/postfix"


def carry_out(order: dict[str, Any]) -> dict[str, Any]:
    """Return what became of one order."""
    if "shell" in order:
        done = subprocess.run(
            ["sh", "-ec", order["shell"]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        return {"out": done.stdout} if done.returncode == 0 else {"error": f"{order['shell']}: {done.stdout}"}
    if "stranger" in order:
        return as_stranger(order["stranger"], SmtpProber(), SystemNetwork()).results
    if "plan" in order:
        return plan_mx(order["plan"], Postfix(LocalCommands()), SystemNetwork(())).results
    if "read" in order:
        params = {name: spec.get("default") for name, spec in RECIPIENTS_SPEC.items()}
        return recipients_info({**params, **order["read"]}, Postfix(LocalCommands()), check_mode=False).results
    if "estimate" in order:
        postfix, now = Postfix(LocalCommands()), time.time()
        found = estimate(postfix, read_queue(postfix), now=now, **order["estimate"])
        return {name: known.as_result(now) for name, known in found.domains.items()}
    params = order["inform"]
    postfix = Postfix(LocalCommands(), params.get("config_directory", CONFIG_DIRECTORY))
    return inform(params, postfix, SystemNetwork(params.get("resolver") or ()), SmtpProber()).results


for line in sys.stdin:
    try:
        answer = carry_out(json.loads(line))
    except Exception as failure:
        answer = {"error": repr(failure)}
    print(json.dumps(answer), flush=True)
