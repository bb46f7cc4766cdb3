# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.filter.mx_trusted import FilterModule, mx_trusted

GROUPS = {"primary_mx": ["mx1"], "secondary_mx": ["mx2", "mx1"], "all": ["mx1", "mx2", "other"]}
HOSTVARS: dict[str, dict[str, Any]] = {
    "mx1": {
        "ansible_host": "192.0.2.1",
        "primary_mx_domains": ["X.example", {"name": "old.example", "state": "absent"}],
        "secondary_mx_domains": [{"name": "y.example"}],
        "secondary_mx_proxy_interfaces": ["198.51.100.1"],
        "ansible_facts": {"default_ipv4": {"address": "10.0.0.1"}, "default_ipv6": {}},
    },
    "mx2": {"trust_mx_addresses": "192.0.2.2\n2001:db8::2", "secondary_mx_domains": "y.example\nz.example"},
    "other": {},
}


def test_hosts_of_the_groups_are_meant_by_default_with_all_that_is_known() -> None:
    assert mx_trusted("", GROUPS, HOSTVARS) == {
        "hosts": [
            {
                "name": "mx1",
                "in_inventory": True,
                "addresses": [],
                "facts": ["10.0.0.1"],
                "proxy_interfaces": ["198.51.100.1"],
                "ansible_host": "192.0.2.1",
                "lost": False,
            },
            {
                "name": "mx2",
                "in_inventory": True,
                "addresses": ["192.0.2.2", "2001:db8::2"],
                "facts": [],
                "proxy_interfaces": [],
                "ansible_host": "",
                "lost": False,
            },
        ],
        "domains": ["x.example", "y.example", "z.example"],
        "inventory": ["mx1", "mx2"],
    }


def test_named_hosts_are_meant_alone() -> None:
    found = mx_trusted("other 192.0.2.9\nunknown", GROUPS, HOSTVARS)
    assert [(host["name"], host["in_inventory"]) for host in found["hosts"]] == [
        ("other", True),
        ("192.0.2.9", False),
        ("unknown", False),
    ]
    assert (found["domains"], found["inventory"]) == ([], ["other"])


def test_host_that_the_inventory_names_by_its_address_is_one_of_the_inventory() -> None:
    hostvars = {**HOSTVARS, "192.0.2.9": {"trust_mx_addresses": ["198.51.100.9"], "mx_domains": ["w.example"]}}
    found = mx_trusted("192.0.2.9 192.0.2.8", GROUPS, hostvars)
    assert [(host["name"], host.get("addresses")) for host in found["hosts"]] == [
        ("192.0.2.9", ["198.51.100.9"]),
        ("192.0.2.8", None),
    ]
    assert (found["domains"], found["inventory"]) == (["w.example"], ["192.0.2.9"])
    assert mx_trusted("[2001:db8::9]", GROUPS, {"2001:db8::9": {}})["inventory"] == ["2001:db8::9"]


def test_facts_of_a_loop_in_which_a_host_was_lost_are_known() -> None:
    asked = [
        {"item": "mx1", "ansible_facts": {"ansible_default_ipv4": {"address": "10.9.9.9"}}},
        {"item": "other", "ansible_facts": {"ansible_default_ipv6": {"address": "2001:db8::9"}}},
        {"item": "mx2", "unreachable": True},
    ]
    found = mx_trusted("mx1 other mx2", GROUPS, HOSTVARS, asked)
    assert [host["facts"] for host in found["hosts"]] == [["10.0.0.1"], ["2001:db8::9"], []]
    assert [host["lost"] for host in found["hosts"]] == [False, False, True]


def test_what_is_no_list_is_told() -> None:
    with pytest.raises(AnsibleFilterError, match="mx_trusted: trust_mx_hosts is a mapping, not a list"):
        FilterModule().filters()["mx_trusted"]({"a": 1}, GROUPS, HOSTVARS)
