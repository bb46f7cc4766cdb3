# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook was given, held against the specification of its variables in `playbooks/NAME.meta.yml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.variables import ALIKE, VARIABLES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import as_list, lines_in, words_in
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.roles import ROLES

# What our playbooks return by set_stats, which AWX hands to the next job of a workflow as extra variables.
STATISTICS = (
    "mx_canary",
    "mx_changed",
    "mx_findings",
    "mx_recipients",
    "mx_report_counts",
    "mx_report_html",
    "mx_report_markdown",
    "mx_sync",
)

Specification = Mapping[str, Mapping[str, Any]]


def inputs(specification: Specification, given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The options of the specification that were `given`, and their values, as validate_argument_spec takes them.

    What a survey leaves blank, the empty string or null, was not given, and a list may be text. Options of `no_log` are
    left out, since nobody else is to see them. Raises InvalidInput for a required option that was not given.
    """
    said = {name: given.get(name) for name in specification if not _is_blank(given.get(name))}
    for name, option in specification.items():
        if option.get("required") and name not in said:
            raise InvalidInput(f"{name} is not given; {_first_words(option)}")
    said = {name: value for name, value in said.items() if not specification[name].get("no_log")}
    return {
        "specification": {name: dict(specification[name]) for name in said},
        "given": {name: _value(value, specification[name], name) for name, value in said.items()},
    }


def to_validate(asked: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What `inputs` returned, but values of any kind: there is nothing to validate, and copying a long list is slow."""
    names = [name for name, option in asked["specification"].items() if option.get("type") != "raw"]
    return {part: {name: asked[part][name] for name in names} for part in ("specification", "given")}


def values(specification: Specification, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every option of the specification with its value: what was `given`, in its type, or else its default.

    Options of `no_log` are left out.

    Raises InvalidInput for what validate_argument_spec would refuse.
    """
    asked = inputs(specification, given)
    result = ArgumentSpecValidator(asked["specification"]).validate(asked["given"])
    if result.error_messages:
        raise InvalidInput("; ".join(result.error_messages))
    defaults = {name: option.get("default") for name, option in specification.items() if not option.get("no_log")}
    return {**defaults, **{name: result.validated_parameters[name] for name in asked["given"]}}


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _first_words(option: Mapping[str, Any]) -> str:
    sentence = option["description"].partition("\n")[0].partition(". ")[0].strip().rstrip(".")
    return f"it is {sentence[0].lower()}{sentence[1:]}"


def _value(value: Any, option: Mapping[str, Any], name: str) -> Any:
    if option.get("type") != "list" or not isinstance(value, str):
        return value
    return as_list(value, name, lines_in if option.get("split") == "lines" else words_in, "write one a line")


def unknown(specification: Specification, names: Iterable[str]) -> list[str]:
    """Warnings of variables that nobody knows: ours by their prefix, or nearly one of the specification."""
    warnings = []
    for name in sorted(names):
        if name in specification or name in STATISTICS:
            continue
        role = next((role for role in ROLES if name.startswith(f"{role}_")), "")
        if role and name[len(role) + 1 :] in VARIABLES:
            continue
        alike = get_close_matches(name, list(specification), 1, ALIKE)
        if alike:
            warnings.append(f"no variable {name}; did you mean {alike[0]}?")
        elif role:
            warnings.append(f"no variable {name}; see the variables of the role {role}")
    return warnings
