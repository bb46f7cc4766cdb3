# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.networks import (
    network_of,
    network_of_key,
    takes_in_strangers,
)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], False),
        (["192.0.2.0/24", "[2001:db8::]/32"], False),
        (["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"], False),
        (["17.0.0.0/8"], False),
        (["17.0.0.0/8", "17.1.0.0/16"], False),
        (["17.0.0.0/8", "18.0.0.1"], True),
        (["0.0.0.0/1"], True),
        (["0.0.0.0/0"], True),
        (["0/0"], True),
        (["64.0.0.0/9", "64.128.0.0/9", "65.0.0.0/9"], True),
        (["::/0"], True),
        (["[::]/0"], True),
        (["[2001::]/16", "[2400::]/6", "[2800::]/5"], True),
        (["[2001:db8::]/19"], False),
        (["fc00::/7", "fe80::/10", "[::1]/128"], False),
        (["::ffff:0.0.0.0/96"], True),
        (["::ffff:192.0.2.0/120"], False),
    ],
)
def test_sum_of_networks_is_judged(texts: list[str], expected: bool) -> None:
    networks = [network_of(text) for text in texts]
    assert takes_in_strangers(network for network in networks if network) is expected


@pytest.mark.parametrize(
    ("key", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2", "192.0.2.0/24"),
        ("192.0.", "192.0.0.0/16"),
        ("192", "192.0.0.0/8"),
        ("2001:db8", "2001:db8::/32"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("mail.example", None),
        ("unknown", None),
        ("300.1.2", None),
        ("!192.0.2.0/24", None),
    ],
)
def test_key_of_an_access_table_stands_for_a_network(key: str, network: str | None) -> None:
    found = network_of_key(key)
    assert (str(found) if found else None) == network
