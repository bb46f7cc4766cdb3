# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans what the playbook recipients does, and tells what it did without naming an address, on the controller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.roles import DEFAULT_DIRECTORY

if TYPE_CHECKING:
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_request import RecipientRequest

# What the filters do is imported where they do it: each task that uses a filter of a collection loads all of them.


def mx_recipients_plan(
    given: Mapping[str, Any], variables: Mapping[str, Any], groups: list[str], directory: str = DEFAULT_DIRECTORY
) -> dict[str, Any]:
    """See `plan_request`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_request import plan_request

    return plan_request(given, variables, groups, directory)


def mx_recipients_listed(given: Mapping[str, Any]) -> list[str]:
    """The addresses of the request, each once, as relay_recipients takes them."""
    return list(_understood(given, "mx_recipients_listed").addresses)


def mx_recipients_told(result: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """See `told`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_request import told

    return told(result, _understood(given, "mx_recipients_told"))


def _understood(given: Mapping[str, Any], name: str) -> RecipientRequest:
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_request import understood

    try:
        return understood(given)
    except InvalidInput as error:
        raise AnsibleFilterError(f"{name}: {error.message}") from None


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "mx_recipients_plan": mx_recipients_plan,
            "mx_recipients_listed": mx_recipients_listed,
            "mx_recipients_told": mx_recipients_told,
        }
