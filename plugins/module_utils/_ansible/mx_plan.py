# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_plan takes, and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.plan import plan_mx
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.settings import DOMAIN_OPTIONS, SETTINGS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import SystemNetwork
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

if TYPE_CHECKING:
    from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import Prober

# None stands for "not given", which the model fills, since the other role's value may take its place.
SETTING_OPTIONS: dict[str, Any] = {
    name: {part: setting[part] for part in ("type", "elements", "choices") if part in setting}
    for name, setting in SETTINGS.items()
    if setting.get("handed", True)
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
    "record": {"type": "str"},
    # What the controller knows of this run and of another: see plugin_utils/runs.py.
    "_run": {"type": "dict"},
    # What sources make of lists, which stays on the controller: see plugin_utils/followed_lists.py.
    "_followed": {"type": "dict"},
    # The arguments of the other role, which comes next: see plugin_utils/peer_plan.py.
    "_peer": {"type": "dict"},
}


def plan_params(params: dict[str, Any]) -> dict[str, Any]:
    """The params of mx_plan with the settings among the others, and with what concerns the run filled."""
    flat = {name: value for name, value in params.items() if name != "settings"}
    given = params["settings"] or {}
    for name in SETTING_OPTIONS:
        value = given.get(name)
        if value is None and not SETTINGS[name].get("planned", True):
            value = flat.get(name, SETTINGS[name]["default"])
        flat[name] = value
    return flat


def plan(params: dict[str, Any], postfix: Postfix, _check_mode: bool) -> Outcome:
    """The work of mx_plan, which check mode does not change. `params` are those of `plan_params`."""
    outcome = _planned(params, postfix)
    outcome.results["peer_plan"] = _peer_plan(params, outcome.results, postfix)
    return outcome


def _planned(params: dict[str, Any], postfix: Postfix) -> Outcome:
    outcome = plan_mx(params, postfix, SystemNetwork(), _prober)
    # The list of domains has been said once; a long one takes longer to travel back than all else.
    said = {name: value for name, value in params.items() if name not in ("domains", "peer", "_run", "_peer")}
    outcome.results["invocation"] = {"module_args": said}
    return outcome


def _prober() -> Prober:
    # Seldom needed, and what it imports takes a while.
    from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import SmtpProber

    return SmtpProber()


def _peer_plan(params: dict[str, Any], own: dict[str, Any], postfix: Postfix) -> dict[str, Any] | None:
    """The plan of the role that comes next, which will find the host as it is if this one changes nothing."""
    given = params.get("_peer")
    if not given or own["pending"] or own["refusals"] or own["left_behind"]:
        return None
    validated = ArgumentSpecValidator(PLAN_SPEC).validate({**given, "_run": params["_run"]})
    theirs = {} if validated.error_messages else plan_params(validated.validated_parameters)
    if theirs.get("config_directory") != postfix.config_directory:
        return None
    try:
        planned = _planned(theirs, postfix)
    except MxRelayError:
        return None
    return {**planned.results, "warnings": planned.warnings}
