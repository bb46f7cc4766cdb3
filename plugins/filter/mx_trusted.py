# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out which MX hosts a mail host is to trust, and what the inventory and their facts say of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import as_list, words_in

GROUPS = ("primary_mx", "secondary_mx")
ROLES = (*GROUPS, "mx")


def mx_trusted(
    names: object,
    groups: Mapping[str, Sequence[str]],
    hostvars: Mapping[str, Mapping[str, Any]],
    asked: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """`hosts` as mx_trust takes them, the `domains` that they relay, and the `inventory` names among them.

    `names` are hosts of the inventory and addresses; without any, all hosts of the groups of the roles. `asked` are the
    results of a loop of ansible.builtin.setup over hosts: where one of them is lost, Ansible keeps the facts of none.
    """
    try:
        wanted = [str(name) for name in as_list(names, "trust_mx_hosts", words_in, "write one host an item")]
    except InvalidInput as error:
        raise AnsibleFilterError(f"mx_trusted: {error.message}") from None
    every = wanted or [name for group in GROUPS for name in groups.get(group, ())]
    told = {str(result.get("item")): result.get("ansible_facts") or {} for result in asked}
    lost = {str(result.get("item")) for result in asked if result.get("unreachable")}
    # An IPv6 address may be written in brackets, as Postfix has it, or as the inventory has it.
    named = [name.strip("[]") if name.strip("[]") in hostvars else name for name in every]
    hosts = [_host(name, hostvars, told.get(name, {})) for name in dict.fromkeys(named)]
    for host in hosts:
        host["lost"] = host["name"] in lost
    inventory = [host["name"] for host in hosts if host["in_inventory"]]
    domains = [domain for name in inventory for domain in _domains(hostvars[name])]
    return {"hosts": hosts, "domains": list(dict.fromkeys(domains)), "inventory": inventory}


def _host(name: str, hostvars: Mapping[str, Mapping[str, Any]], told: Mapping[str, Any]) -> dict[str, Any]:
    if name not in hostvars:
        return {"name": name, "in_inventory": False}
    variables = hostvars[name]
    facts = variables.get("ansible_facts") or {}
    routes = [facts.get(fact) or told.get(f"ansible_{fact}") or {} for fact in ("default_ipv4", "default_ipv6")]
    proxies = [
        address
        for role in ROLES
        for address in as_list(variables.get(f"{role}_proxy_interfaces"), role, words_in, "write one address an item")
    ]
    return {
        "name": name,
        "in_inventory": True,
        "addresses": as_list(variables.get("trust_mx_addresses"), name, words_in, "write one address an item"),
        "facts": [str(route["address"]) for route in routes if route.get("address")],
        "proxy_interfaces": list(dict.fromkeys(map(str, proxies))),
        "ansible_host": str(variables.get("ansible_host") or ""),
    }


def _domains(variables: Mapping[str, Any]) -> list[str]:
    items = [
        item
        for role in ROLES
        for item in as_list(variables.get(f"{role}_domains"), role, words_in, "write one domain an item")
    ]
    named = [item if isinstance(item, Mapping) else {"name": item} for item in items]
    return [str(item.get("name", "")).lower() for item in named if item.get("state") != "absent"]


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"mx_trusted": mx_trusted}
