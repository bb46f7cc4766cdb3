# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_plan and mx_info take, and what they do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.info import inform
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.plan import plan_mx
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.probe import as_stranger
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.undo import Undone, forget, remember, undo
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import ABSENT, PRIMARY, SECONDARY
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import FAIL, WARN
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MxPlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import PRESENT
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
    "host_name": {"type": "str"},
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
}

UNDO_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "state": {"type": "str", "choices": ["remembered", "undone", "forgotten"], "required": True},
    "plan": {"type": "dict"},
}

DECLARED_OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "role": {"type": "str", "choices": [PRIMARY, SECONDARY], "required": True},
    "state": {"type": "str", "choices": [PRESENT, ABSENT], "default": PRESENT},
    "required": {"type": "bool", "default": True},
}

INFO_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "domains": {"type": "list", "elements": "str", "default": []},
    "declared": {"type": "list", "elements": "dict", "options": DECLARED_OPTIONS},
    "host_name": {"type": "str"},
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
    said = {name: value for name, value in params.items() if name not in ("domains", "peer")}
    outcome.results["invocation"] = {"module_args": said}
    return outcome


def keep_undo(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """The work of mx_undo, of which check mode does nothing."""
    if check_mode:
        return Outcome(results=asdict(Undone()))
    if params["state"] == "remembered":
        remember(postfix, MxPlan.from_result(params["plan"]))
        return Outcome(changed=True, results=asdict(Undone()))
    if params["state"] == "forgotten":
        return Outcome(changed=forget(postfix), results=asdict(Undone()))
    done = undo(postfix, MxPlan.from_result(params["plan"]))
    return Outcome(changed=bool(done.undone), results=asdict(done))


def info(params: dict[str, Any], postfix: Postfix, _check_mode: bool) -> Outcome:
    """The work of mx_info, which check mode does not change."""
    if params["probe_server"]:
        return as_stranger(params, SmtpProber())
    return inform(params, postfix, SystemNetwork(params["resolver"]), SmtpProber())
