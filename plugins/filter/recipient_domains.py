# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merges a user's lists of recipients with the decisions of mx_plan, on the controller."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput

# What the filter does is imported where it does it: each task that uses a filter of a collection loads all of them.


def recipient_domains(
    items: object, decided: Sequence[Mapping[str, Any]], followed: Mapping[str, Mapping[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """The option `domains` of relay_recipients: for each decided domain its policy, and the list of its item.

    `followed` is what its sources made of it; see followed_lists.
    """
    from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import named_items

    try:
        declared = named_items(items, "domains")
        return [_domain(declared, entry, (followed or {}).get(entry["name"], {})) for entry in decided]
    except InvalidInput as error:
        raise AnsibleFilterError(f"recipient_domains: {error.message}") from error
    except (KeyError, IndexError, TypeError) as error:
        raise AnsibleFilterError(
            f"recipient_domains: {error!r}: the decisions are not those of mx_plan for these domains; "
            "give it the domains that mx_plan was given, and its result's recipients.domains"
        ) from error


def _domain(
    items: Sequence[Mapping[str, Any]], entry: Mapping[str, Any], followed: Mapping[str, Any]
) -> dict[str, Any]:
    from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import ROLES
    from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import as_addresses, as_paths

    domain: dict[str, Any] = {
        "name": entry["name"],
        "state": entry["state"],
        "recipients_policy": entry["recipients_policy"],
    }
    if entry["subdomains"]:
        domain["subdomains"] = True
    if entry["state"] == "absent" or entry["recipients_policy"] != "listed":
        return domain
    item = items[entry["item"]]
    extra = [f"{role}@{entry['name']}" for role in ROLES if entry[role]]
    domain["recipients"] = [*as_addresses(item.get("recipients"), "recipients"), *extra]
    files = [*as_paths(item.get("recipients_file"), "recipients_file"), *followed.get("recipients_file", ())]
    if files:
        domain["recipients_file"] = files
    return domain | {name: followed[name] for name in ("sources", "max_removals") if name in followed}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"recipient_domains": recipient_domains}
