# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_metrics takes, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics.collect import (
    LOG_MEGABYTES,
    MetricsRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics.installation import (
    apply_metrics,
    plan_metrics,
    plan_no_metrics,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.info import MAX_AGE
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.accepted import read_accepted
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import every_check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import FAIL, WARN
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.plugin_line import read_thresholds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.queue import DOMAINS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import names_in
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

DIRECTORY = "/var/lib/prometheus/node-exporter"
INTERVAL = 300
# Postfix' own choice.
QUEUE = "/var/spool/postfix"
# Less than this keeps a host busy with nothing else.
LEAST_INTERVAL = 30

METRICS_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "directory": {"type": "path", "default": DIRECTORY},
    "interval": {"type": "int", "default": INTERVAL},
    "domains": {"type": "int", "default": DOMAINS},
    "dns": {"type": "bool", "default": False},
    "resolver": {"type": "list", "elements": "str", "default": []},
    "log_megabytes": {"type": "int", "default": LOG_MEGABYTES},
    "list_max_age": {"type": "str", "default": MAX_AGE},
    "outage": {"type": "str"},
    "unproven": {"type": "str", "choices": [WARN, FAIL], "default": WARN},
    "accepted": {"type": "list", "elements": "dict", "default": []},
    "thresholds": {"type": "dict", "default": {}},
}


def manage_metrics(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """The work of mx_metrics. Raises MxRelayError."""
    present = params["state"] == "present"
    if present:
        # On a host that is to get Postfix, check mode tells what would come after it.
        queue = postfix.queue_directory() if postfix.installed() or not check_mode else QUEUE
        change = plan_metrics(postfix, _request(params), params["directory"], params["interval"], queue)
    else:
        change = plan_no_metrics(postfix, params["directory"])
    if not check_mode:
        apply_metrics(postfix, change)
    return Outcome(
        changed=change.changed,
        diffs=list(change.diffs),
        results={"path": change.path, "program": change.files.program, "unit": change.files.unit},
    )


def _request(params: Mapping[str, Any]) -> MetricsRequest:
    """The options as the program is to have them. Raises InvalidInput for a value that it could not use."""
    for name, least in (("interval", LEAST_INTERVAL), ("domains", 0), ("log_megabytes", 0)):
        if params[name] < least:
            raise InvalidInput(f"{name} is {params[name]}; give at least {least}")
    for name in ("list_max_age", "outage"):
        if params[name] and seconds(params[name]) is None:
            raise InvalidInput(f'"{params[name]}" ({name}) is not a Postfix time value; use a value such as 5d or 12h')
    read_accepted(params["accepted"], every_check())
    read_thresholds(params["thresholds"])
    return MetricsRequest(
        dns=params["dns"],
        resolver=names_in(params["resolver"], "resolver"),
        domains=params["domains"],
        log_megabytes=params["log_megabytes"],
        list_max_age=params["list_max_age"] or MAX_AGE,
        outage=params["outage"] or "",
        unproven=params["unproven"],
        accepted=params["accepted"],
        thresholds=params["thresholds"],
    )
