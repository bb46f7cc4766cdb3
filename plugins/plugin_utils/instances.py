# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory declares of a host, by instance of Postfix: from the variables of the roles, for who judges it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import DNS, LOCAL, REMOTE
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import PRESENT, PRIMARY, SECONDARY
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import FAIL, WARN
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.roles import DEFAULT_DIRECTORY, ROLES

SCOPES = (LOCAL, DNS, REMOTE)
# The role of their domains; those of `mx` name their own.
ROLES_OF_DOMAINS = {"primary_mx": PRIMARY, "secondary_mx": SECONDARY, "mx": ""}


def instances(variables: Mapping[str, Any], groups: Sequence[str], directory: str = "") -> list[dict[str, Any]]:
    """The instances of Postfix to judge on a host, each with what is declared of it and what is accepted there.

    `variables` are those of the roles, `groups` those of the host; a host of the group of one role alone need not do
    what the other declares. With `directory` that instance alone is judged. Without any domain declared, an instance
    has no `declared`: there is nothing to compare. Raises InvalidInput.
    """
    said = {role: _said(role, variables) for role in ROLES}
    speaking = [role for role in ROLES if said[role]["domains"]] or [role for role in ROLES if said[role]["directory"]]
    found = {said[role]["directory"] or DEFAULT_DIRECTORY: None for role in speaking} or {DEFAULT_DIRECTORY: None}
    return [
        _instance(place, {role: said[role] for role in speaking if _is_at(said[role], place)}, groups)
        for place in ([_plain(directory)] if directory else found)
    ]


def _said(role: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What the variables of a role say; a blank answer of a survey says nothing."""
    domains = variables.get(f"{role}_domains") or []
    if isinstance(domains, (str, Mapping)) or not all(isinstance(item, Mapping) for item in domains):
        raise InvalidInput(f"{role}_domains is not a list of domains; write one item with a name for each")
    return {
        "domains": domains,
        "directory": _plain(variables.get(f"{role}_config_directory") or ""),
        "unproven": variables.get(f"{role}_unproven") or WARN,
        "accepted": variables.get(f"{role}_accepted") or [],
        "list_max_age": str(variables.get(f"{role}_list_max_age") or ""),
    }


def _plain(directory: str) -> str:
    return str(directory).rstrip("/")


def _is_at(said: Mapping[str, Any], place: str) -> bool:
    return (said["directory"] or DEFAULT_DIRECTORY) == place


def _instance(place: str, said: Mapping[str, Mapping[str, Any]], groups: Sequence[str]) -> dict[str, Any]:
    items = [_declared(item, role, groups) for role in said for item in said[role]["domains"]]
    return {
        "config_directory": place,
        **({"declared": items} if items else {}),
        "unproven": FAIL if any(role["unproven"] == FAIL for role in said.values()) else WARN,
        "accepted": [finding for role in said.values() for finding in role["accepted"]],
        "list_max_age": _shortest(role["list_max_age"] for role in said.values()),
    }


def _shortest(times: Iterable[str]) -> str:
    """The shortest of the times, "" if there is none; one that is no time comes first, for mx_info to refuse it."""
    return min(filter(None, times), key=lambda time: seconds(time, "h") or 0, default="")


def _declared(item: Mapping[str, Any], role: str, groups: Sequence[str]) -> dict[str, Any]:
    """The item without what nobody compares; a list of recipients does not travel."""
    grouped = {"primary_mx", "secondary_mx"}.intersection(groups)
    return {
        "name": item.get("name"),
        "role": ROLES_OF_DOMAINS[role] or item.get("role"),
        "state": item.get("state") or PRESENT,
        "required": role == "mx" or role in grouped or not grouped,
    }


def instance_label(host: str, instance: Mapping[str, Any], several: Sequence[Any]) -> str:
    """The name of a host; of one of its instances, if it has several."""
    return f"{host} ({instance['config_directory']})" if len(several) > 1 else host


def scopes(given: object, name: str) -> list[str]:
    """The scopes that a list, or a text with commas or blanks, names; `local` for a blank. Raises InvalidInput."""
    texts: Iterable[object] = given if isinstance(given, (list, tuple)) else [given or ""]
    words = [word for text in texts for word in re.split(r"[\s,]+", str(text)) if word]
    for word in words:
        if word not in SCOPES:
            raise InvalidInput(f'{name} has "{word}", which is not a scope; choose from {", ".join(SCOPES)}')
    return list(dict.fromkeys(words)) or [LOCAL]
