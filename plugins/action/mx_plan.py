# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the lists of recipients on the controller; the host gets their digests and counts, never an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MxPlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import VALUE, rows_digest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.variables import (
    nothing_declared,
    refuse_unknown_options,
    refuse_unknown_settings,
    refuse_unknown_variables,
    with_lists,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import ROLES, is_somebody
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.both_forms import canonical_key
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import (
    ReadFile,
    listed_addresses,
    named_items,
)
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.followed_lists import (
    following_items,
    with_lists_of_sources,
)
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.instances import scopes
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.peer_plan import arguments_of_peer, recalled, remembered
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_lists import reader
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.runs import beside_others


class ActionModule(ActionBase):
    """The controller's half of mx_plan."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        try:
            if _follows_unread(self._task.args):
                return {**result, **MxPlan().as_result(), "unread": True}
            arguments = module_arguments(without_blanks(self._task.args), variables, reader(self, variables))
            peer = self._peer_arguments(variables)
        except MxRelayError as error:
            raise AnsibleActionFail(f"mx_plan: {error.message}") from None
        finally:
            self._loader.cleanup_all_tmp_files()
        planned = recalled(variables.get("__mx_plan"), arguments, self._task)
        if planned is None:
            told = {**arguments, **({"_peer": peer} if peer else {})}
            over = _said_to_be_over(arguments)
            planned = beside_others(lambda run: self._plan(told, run, variables), variables, over)
            if peer and planned.get("peer_plan"):
                planned["peer_plan"] = remembered(planned["peer_plan"], peer, self._task)
        result.update(planned)
        role = arguments.get("role")
        if role and not arguments.get("domains"):
            result["warnings"] = [*result.get("warnings", ()), nothing_declared(variables, role)]
        return result

    def _peer_arguments(self, variables: dict[str, Any]) -> dict[str, Any] | None:
        """The arguments of the other role, if it comes next; what is wrong with them is for that role to tell."""
        arguments = arguments_of_peer(self._task.args, self._task)
        with suppress(MxRelayError):
            if arguments:
                return module_arguments(without_blanks(arguments), variables, reader(self, variables))
        return None

    def _plan(self, arguments: dict[str, Any], run: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        planned: dict[str, Any] = self._execute_module(
            module_name="mxrelay.postfix.mx_plan", module_args=dict(arguments, _run=run), task_vars=task_vars
        )
        return planned


def module_arguments(arguments: dict[str, Any], variables: Mapping[str, Any], read: ReadFile) -> dict[str, Any]:
    """The arguments as the module takes them: without addresses, and lists as lists. Raises InvalidInput."""
    role = arguments.get("role")
    place = f"{role}_domains" if role else "domains"
    if role:
        refuse_unknown_variables(variables, role)
    found = dict(arguments)
    followed = found.pop("_followed", None) or {}
    if isinstance(arguments.get("settings"), dict):
        refuse_unknown_settings(arguments["settings"])
        prefix = f"{role}_" if role else "settings."
        given = without_blanks(arguments["settings"])
        if given.get("verify_fail_on"):
            given["verify_fail_on"] = scopes(given["verify_fail_on"], f"{role or 'mx'}_verify_fail_on")
        found["settings"] = with_lists(given, prefix)
    if isinstance(arguments.get("peer"), dict):
        found["peer"] = _peer(arguments["peer"])
    if arguments.get("domains"):
        items = named_items(arguments["domains"], place)
        refuse_unknown_options(items, place)
        found["domains"] = summaries(with_lists_of_sources(items, followed, place), read, place)
    return found


def _follows_unread(arguments: Mapping[str, Any]) -> bool:
    """Whether domains follow sources that are still to be read, so that there is nothing to plan from."""
    place = f"{arguments['role']}_domains" if arguments.get("role") else "domains"
    return not arguments.get("_followed") and bool(following_items(arguments.get("domains"), place))


def _peer(peer: Mapping[str, Any]) -> dict[str, Any]:
    """The other role's declaration, of which the names of its domains count."""
    role = peer.get("role") or "peer"
    items = named_items(peer.get("domains"), f"{role}_domains")
    settings = with_lists(without_blanks(peer.get("settings") or {}), f"{role}_")
    return dict(peer, domains=[item["name"] for item in items], settings=settings)


def _said_to_be_over(arguments: Mapping[str, Any]) -> list[str]:
    """The records of runs that were killed, as somebody who knows has said for this role or for the other one."""
    peer = arguments.get("peer") or {}
    return [str((part.get("settings") or {}).get("ended_run") or "") for part in (arguments, peer)]


def without_blanks(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was said: a survey's blank answer is the empty string or null."""
    return {name: value for name, value in given.items() if value is not None and value != ""}


def summaries(items: Sequence[Mapping[str, Any]], read: ReadFile, place: str) -> list[dict[str, Any]]:
    """The items with their lists replaced by what the plan needs to know of them. Raises InvalidInput."""
    summarised = []
    for item, addresses in zip(items, listed_addresses(items, read, place), strict=True):
        kept = {
            name: value for name, value in without_blanks(item).items() if name not in ("recipients", "recipients_file")
        }
        summarised.append(dict(kept, **_summary(addresses, str(item["name"]).lower())))
    return summarised


def _summary(addresses: list[str] | None, domain: str) -> dict[str, Any]:
    if addresses is None:
        return {"has_list": False}
    own = {canonical_key(f"{role}@{domain}"): role for role in ROLES}
    roles = {address: own.get(canonical_key(address)) for address in addresses if not is_somebody(address)}
    others = {address: VALUE for address in addresses if not roles.get(address)}
    return {
        "has_list": True,
        "recipients_count": len(addresses),
        "recipients_digest": rows_digest(others),
        **{f"lists_{role}": role in roles.values() for role in ROLES},
    }
