# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook sync_recipients does on a host: which sources it reads, and which lists it makes of them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import ROLES, domain_names
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import names_in
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.followed_lists import (
    followed_lists,
    following_items,
    sources_to_read,
    table_items,
    without_secrets,
)
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.roles import DEFAULT_DIRECTORY, roles_of

# What the roles call the table of recipients in the directory that a setting names.
TABLE = "relay_recipients"
DOMAINS, LET_THROUGH, DIRECTORY = (f"sync_recipients_{name}" for name in ("domains", "let_through", "config_directory"))


def sync_plan(variables: Mapping[str, Any], groups: Collection[str], hosts: Collection[str]) -> dict[str, Any]:
    """The `sources` that a host of these groups needs, its instances by configuration directory, and the domains that
    are `named` by variables of the playbook.

    Of an instance the `tables` have the path, if a setting says it, and the `parts` what each role declares.

    `variables` are those of the playbook and of the roles, `hosts` those of the inventory. Raises InvalidInput.
    """
    wanted, let_through = (domain_names(names_in(variables.get(name), name), name) for name in (DOMAINS, LET_THROUGH))
    directory = _plain(variables.get(DIRECTORY) or "").strip()
    sources: dict[str, dict[str, Any]] = {}
    tables: dict[str, str] = {}
    parts: dict[str, list[dict[str, Any]]] = {}
    for role in roles_of(groups):
        place = _plain(variables.get(f"{role}_config_directory") or DEFAULT_DIRECTORY)
        following = following_items(variables.get(f"{role}_domains") or [], f"{role}_domains")
        items = [follower.item for follower in following if not wanted or follower.name in wanted]
        if items and directory in ("", place):
            _add(sources, sources_to_read(items, variables.get(f"{role}_recipient_sources"), hosts, role))
            tables[place] = _path(variables.get(f"{role}_table_directory")) or tables.get(place, "")
            parts.setdefault(place, []).append({"items": items, **_settings(variables, role)})
    return {
        "sources": without_secrets(sources),
        "tables": tables,
        "parts": parts,
        "named": [*wanted, *let_through],
        "let_through": let_through,
    }


def _plain(directory: object) -> str:
    return str(directory).rstrip("/")


def _path(directory: object) -> str:
    return os.path.join(str(directory), TABLE) if directory else ""


def _settings(variables: Mapping[str, Any], role: str) -> dict[str, Any]:
    """What a role says of all its lists; a blank answer of a survey says nothing."""
    postmaster, abuse = (variables.get(f"{role}_{name}") for name in ROLES)
    wanted = (postmaster in (None, "") or boolean(postmaster, strict=False), boolean(abuse or False, strict=False))
    return {
        "limit": str(variables.get(f"{role}_max_removals") or ""),
        "roles": [name for name, added in zip(ROLES, wanted, strict=True) if added],
    }


def _add(sources: dict[str, dict[str, Any]], others: Mapping[str, Mapping[str, Any]]) -> None:
    """Adds the sources of one role to those of another. Raises InvalidInput for two of one name."""
    for name, source in others.items():
        known = sources.setdefault(name, {**source, "domains": []})
        if (known["host"], known["source"]) != (source["host"], source["source"]):
            raise InvalidInput(f'two roles declare "{name}" differently in their recipient_sources; rename one of them')
        known["domains"] = list(dict.fromkeys([*known["domains"], *source["domains"]]))


def sync_items(
    plan: Mapping[str, Any],
    instance: str,
    sources: Mapping[str, Mapping[str, Any]],
    readings: Mapping[str, Mapping[str, Any]],
    now: str,
) -> list[dict[str, Any]]:
    """The option `domains` of relay_recipients for an instance of the plan, by what its sources said."""
    return [
        item
        for part in plan["parts"][instance]
        for item in table_items(
            part["items"],
            followed_lists(part["items"], sources, readings, now, part["limit"], plan["let_through"]),
            part["roles"],
        )
    ]


def sync_outcome(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the results of relay_recipients for all instances come to: numbers of entries, what was `kept` and what was
    `left_out`, and all of it in words (`text`)."""
    numbers = {name: sum(result.get(name, 0) for result in results) for name in ("added", "removed", "total")}
    kept = {name: told for result in results for name, told in (result.get("kept") or {}).items()}
    left_out = [name for result in results for name in result.get("left_out") or ()]
    words = f"{numbers['added']} added, {numbers['removed']} removed, {numbers['total']} entries in all"
    if left_out:
        words += f"; left to the roles, as they have no list yet: {', '.join(left_out)}"
    return {**numbers, "kept": kept, "left_out": left_out, "text": words}
