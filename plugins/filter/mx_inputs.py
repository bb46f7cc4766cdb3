# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a playbook was given, on the controller, and completes it for a host."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput

# What the filters do is imported where they do it: each task that uses a filter of a collection loads all of them.


def mx_inputs(
    specification: Mapping[str, Any], given: Mapping[str, Any], names: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """See `inputs` and `to_validate`; warns of what is `unknown`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.inputs import inputs, to_validate, unknown

    for warning in unknown(specification, names):
        Display().warning(warning)
    try:
        return to_validate(inputs(specification, given))
    except InvalidInput as error:
        raise AnsibleFilterError(error.message) from None


def mx_given(specification: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """See `values`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.inputs import values

    try:
        return values(specification, given)
    except InvalidInput as error:
        raise AnsibleFilterError(error.message) from None


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"mx_inputs": mx_inputs, "mx_given": mx_given}
