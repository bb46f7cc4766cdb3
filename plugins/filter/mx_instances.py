# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes, of what the inventory declares of a host, the instances of Postfix to judge, on the controller."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput

# What the filters do is imported where they do it: each task that uses a filter of a collection loads all of them.


def mx_instances(variables: Mapping[str, Any], groups: Sequence[str], directory: str = "") -> list[dict[str, Any]]:
    """See `instances`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.instances import instances

    try:
        return instances(variables, groups, directory)
    except InvalidInput as error:
        raise AnsibleFilterError(f"mx_instances: {error.message}") from None


def mx_scopes(given: object, name: str) -> list[str]:
    """See `scopes`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.instances import scopes

    try:
        return scopes(given, name)
    except InvalidInput as error:
        raise AnsibleFilterError(f"mx_scopes: {error.message}") from None


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"mx_instances": mx_instances, "mx_scopes": mx_scopes}
