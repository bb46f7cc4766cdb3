# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_plan and mx_info take, and what they do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.info import inform
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.plan import plan_mx
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.probe import as_stranger
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import forget
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.undo import Undone, remember, undo
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import FAIL, WARN
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MxPlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.settings import DOMAIN_OPTIONS, SETTINGS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import SystemNetwork
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import SmtpProber

CONFIG_DIRECTORY: dict[str, Any] = {"type": "path", "default": "/etc/postfix"}

# None stands for "not given", which the model fills, since the other role's value may take its place.
SETTING_OPTIONS: dict[str, Any] = {
    name: {part: setting[part] for part in ("type", "elements", "choices") if part in setting}
    for name, setting in SETTINGS.items()
}

PLAN_SPEC: dict[str, Any] = {
    "role": {"type": "str", "choices": ["secondary_mx", "primary_mx", "mx"], "default": "mx"},
    "config_directory": CONFIG_DIRECTORY,
    "domains": {"type": "list", "elements": "dict", "default": [], "options": DOMAIN_OPTIONS},
    "settings": {"type": "dict", "options": SETTING_OPTIONS},
    "peer": {
        "type": "dict",
        "options": {
            "role": {"type": "str"},
            "domains": {"type": "list", "elements": "str", "default": []},
            "settings": {"type": "dict", "default": {}},
        },
    },
    "run_tags": {"type": "list", "elements": "str", "default": ["all"]},
    "skip_tags": {"type": "list", "elements": "str", "default": []},
    "after_install": {"type": "bool", "default": False},
    "record": {"type": "str"},
    # What the controller knows of this run and of another: see plugin_utils/runs.py.
    "_run": {"type": "dict"},
}

UNDO_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "state": {"type": "str", "choices": ["remembered", "undone", "forgotten"], "required": True},
    "plan": {"type": "dict"},
    "record": {"type": "str"},
}

INFO_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "domains": {"type": "list", "elements": "str", "default": []},
    "resolver": {"type": "list", "elements": "str", "default": []},
    "outage": {"type": "str"},
    "unproven": {"type": "str", "choices": [WARN, FAIL], "default": WARN},
    "accepted": {"type": "list", "elements": "dict", "default": []},
    "probe": {"type": "bool", "default": False},
    "probe_server": {"type": "str"},
    "probe_port": {"type": "int", "default": 25},
    "probe_recipients": {"type": "dict", "default": {}},
}


def plan_params(params: dict[str, Any]) -> dict[str, Any]:
    """The params of mx_plan with the settings among the others, and with what concerns the run filled."""
    flat = {name: value for name, value in params.items() if name != "settings"}
    given = params["settings"] or {}
    for name, setting in SETTINGS.items():
        value = given.get(name)
        if value is None and not setting.get("planned", True):
            value = flat.get(name, setting["default"])
        flat[name] = value
    return flat


def plan(params: dict[str, Any], postfix: Postfix, _check_mode: bool) -> Outcome:
    """The work of mx_plan, which check mode does not change. `params` are those of `plan_params`."""
    outcome = plan_mx(params, postfix, SystemNetwork())
    # The list of domains has been said once; a long one takes longer to travel back than all else.
    said = {name: value for name, value in params.items() if name not in ("domains", "peer", "_run")}
    outcome.results["invocation"] = {"module_args": said}
    return outcome


def keep_undo(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """The work of mx_undo, of which check mode does nothing."""
    name = str(params["record"] or "")
    result = {**asdict(Undone()), "record": name, "outdated": False}
    if check_mode:
        return Outcome(results=result)
    if params["state"] == "remembered":
        record, outdated = remember(postfix, MxPlan.from_result(params["plan"]), name)
        return Outcome(changed=True, results={**result, "record": record, "outdated": outdated})
    if params["state"] == "forgotten":
        return Outcome(changed=forget(postfix, name), results=result)
    done = undo(postfix, MxPlan.from_result(params["plan"]), name)
    return Outcome(changed=bool(done.undone), results={**result, **asdict(done)})


def info(params: dict[str, Any], postfix: Postfix, _check_mode: bool) -> Outcome:
    """The work of mx_info, which check mode does not change."""
    if params["probe_server"]:
        return as_stranger(params, SmtpProber())
    return inform(params, postfix, SystemNetwork(params["resolver"]), SmtpProber())
