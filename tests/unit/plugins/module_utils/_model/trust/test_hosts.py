# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.hosts import MxHost, read_hosts


def inventory(name: str = "mx1.example", **said: Any) -> dict[str, Any]:
    return {"name": name, "in_inventory": True, **said}


@pytest.mark.parametrize(
    ("said", "addresses"),
    [
        ({"addresses": "192.0.2.1 2001:DB8::1", "facts": ["192.0.2.9"]}, ("192.0.2.1", "2001:db8::1")),
        ({"facts": ["10.0.0.1"], "ansible_host": "192.0.2.9"}, ("10.0.0.1",)),
        ({"facts": ["10.0.0.1"], "lost": True}, ("10.0.0.1",)),
        ({"addresses": ["192.0.2.1"], "lost": True}, ("192.0.2.1",)),
        ({"facts": ["10.0.0.1"], "proxy_interfaces": ["192.0.2.1", "mx.example"]}, ("10.0.0.1", "192.0.2.1")),
        ({"ansible_host": "192.0.2.1", "proxy_interfaces": ["192.0.2.1"]}, ("192.0.2.1",)),
    ],
)
def test_addresses_of_a_host_are_those_it_names_then_its_own_then_where_ansible_finds_it(
    said: dict[str, Any], addresses: tuple[str, ...]
) -> None:
    assert read_hosts([inventory(**said)]) == [MxHost("mx1.example", addresses)]


def test_address_is_a_host_by_itself() -> None:
    assert read_hosts([{"name": "[2001:db8::1]"}, {"name": "2001:db8::1"}, {"name": "192.0.2.1"}]) == [
        MxHost("2001:db8::1", ("2001:db8::1",)),
        MxHost("192.0.2.1", ("192.0.2.1",)),
    ]


@pytest.mark.parametrize(
    ("said", "addresses"),
    [
        ({}, ("192.0.2.25",)),
        ({"ansible_host": "10.0.0.9"}, ("10.0.0.9", "192.0.2.25")),
        ({"facts": ["10.0.0.1"], "proxy_interfaces": ["192.0.2.1"]}, ("10.0.0.1", "192.0.2.1", "192.0.2.25")),
        ({"facts": ["192.0.2.25"]}, ("192.0.2.25",)),
        ({"addresses": ["198.51.100.1"]}, ("198.51.100.1",)),
    ],
)
def test_host_that_the_inventory_names_by_its_address_has_that_one_besides(
    said: dict[str, Any], addresses: tuple[str, ...]
) -> None:
    assert read_hosts([inventory("192.0.2.25", **said)]) == [MxHost("192.0.2.25", addresses)]


def test_name_by_which_only_ansible_finds_a_host_is_no_address_of_it() -> None:
    assert read_hosts([inventory("127.0.0.1", facts=["192.0.2.1"])]) == [MxHost("127.0.0.1", ("192.0.2.1",))]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"name": ""}, "an item of hosts has no name; give a host of the inventory, or an address"),
        (
            inventory(lost=True, ansible_host="10.8.0.1"),
            "mx1.example did not answer, so the addresses from which it connects are not known; run again when it "
            "does, or set trust_mx_addresses for it in the inventory",
        ),
        (
            {"name": "192.0.2.0/24"},
            '"192.0.2.0/24" (hosts) is a network; give single addresses, since a network takes in strangers',
        ),
        (
            {"name": "mx9.example"},
            '"mx9.example" (hosts) is neither an address nor a host of the inventory; give the address from which it '
            "connects",
        ),
        (
            inventory(addresses=["192.0.2.0/31"]),
            '"192.0.2.0/31" (trust_mx_addresses of mx1.example) is a network; give single addresses, since a network '
            "takes in strangers",
        ),
        (
            inventory(addresses=["mx"]),
            '"mx" (trust_mx_addresses of mx1.example) is not an address; give single addresses, since a network takes '
            "in strangers",
        ),
        (
            inventory(ansible_host="127.0.0.1"),
            '"127.0.0.1" (addresses of mx1.example) is not an address from which another host connects; give that '
            "address",
        ),
        (
            inventory(ansible_host="mx1", proxy_interfaces=["192.0.2.1"]),
            "no address of mx1.example is known: it has not told its own, and its ansible_host is not an address; set "
            "trust_mx_addresses for it in the inventory, to the addresses from which it connects",
        ),
    ],
)
def test_what_is_no_single_address_is_refused(item: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_hosts([item])
    assert caught.value.message == f"trust_mx: {message}"


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidInput, match="2 MX hosts are not valid"):
        read_hosts([{"name": "a"}, {"name": "192.0.2.1"}, {"name": "b"}])
