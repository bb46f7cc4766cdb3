# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules main_cf, master_cf and postfix_info do: from their options to the engine, and to their results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    ConfigurationPlan,
    MainCfRequest,
    MasterCfRequest,
    apply_configuration,
    plan_main_cf,
    plan_master_cf,
    rehearse_configuration,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.instance import describe
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    main_cf_value,
    value_text,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import (
    SERVICE_TYPES,
    ServiceRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

SERVICE_SPEC = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "required": True, "choices": list(SERVICE_TYPES)},
    "command": {"type": "str"},
    "private": {"type": "bool"},
    "unprivileged": {"type": "bool"},
    "chroot": {"type": "bool"},
    "wakeup": {"type": "str"},
    "process_limit": {"type": "str"},
    "overrides": {"type": "dict", "default": {}},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "renamed_from": {"type": "str"},
}


def change_main_cf(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """What the module main_cf does. Raises MxRelayError."""
    request = MainCfRequest(
        parameters=params["parameters"],
        absent=params["absent"],
        add_items=params["add_items"],
        remove_items=params["remove_items"],
        allow_unknown=params["allow_unknown"],
    )
    plan = _carried_out(plan_main_cf(postfix, request), postfix, check_mode)
    outcome = _outcome(plan, "changed_parameters")
    outcome.results["restart_needed"] = plan.restart_needed
    return outcome


def change_master_cf(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """What the module master_cf does. Raises MxRelayError."""
    services = [_service(item, f"services[{index}]") for index, item in enumerate(params["services"])]
    plan = _carried_out(plan_master_cf(postfix, MasterCfRequest(services)), postfix, check_mode)
    return _outcome(plan, "changed_services")


def _carried_out(plan: ConfigurationPlan, postfix: Postfix, check_mode: bool) -> ConfigurationPlan:
    return rehearse_configuration(postfix, plan) if check_mode else apply_configuration(postfix, plan)


def _outcome(plan: ConfigurationPlan, changes: str) -> Outcome:
    """What both modules return; the changes under the name that the module gives them."""
    return Outcome(
        changed=plan.changed,
        diffs=[plan.diff] if plan.changed else [],
        warnings=plan.warnings,
        results={"path": plan.path, changes: _before_and_after(plan.changes), "reload_needed": plan.changed},
    )


def instance_info(params: Mapping[str, Any], postfix: Postfix, _check_mode: bool) -> Outcome:
    """What the module postfix_info does, in check mode as otherwise. Raises MxRelayError."""
    return Outcome(results=asdict(describe(postfix, params["parameters"])))


def _service(item: Mapping[str, Any], place: str) -> ServiceRequest:
    """An item of services as a request; values of overrides are written as those of main.cf are."""
    try:
        overrides = {
            name: None if value is None else value_text(main_cf_value(value, f"{place}.overrides.{name}"))
            for name, value in (item["overrides"] or {}).items()
        }
    except InvalidInput as error:
        raise InvalidInput(error.message.replace("main.cf", "master.cf", 1)) from None
    return ServiceRequest(**{**item, "overrides": overrides})


def _before_and_after(changes: Mapping[str, tuple[str | None, str | None]]) -> dict[str, dict[str, str | None]]:
    return {name: {"before": before, "after": after} for name, (before, after) in changes.items()}
