# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.strangers import (
    ADDRESSES,
    permits,
    welcomes,
    world_member,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("127.0.0.0/8 10.0.0.0/8 192.168.0.0/16 [::1]/128 [fe80::]/10", ""),
        ("192.0.2.0/24", ""),
        ("127.0.0.0/8, 0.0.0.0/0", "0.0.0.0/0"),
        ("0/0", "0/0"),
        ("[::]/0", "[::]/0"),
        ("[2000::]/3", "[2000::]/3"),
        ("0.0.0.0/1, 128.0.0.0/1", "0.0.0.0/1"),
        ("128.0.0.0/1", "128.0.0.0/1"),
        ("!0.0.0.0/0", ""),
        ("!192.0.2.0/24 ![2001:db8::]/32 cidr:/all", ""),
        ("cidr:/all", "cidr:/all"),
        ("hash:/some", ""),
        ("/etc/postfix/open", "0.0.0.0/0"),
        ("/etc/postfix/own", ""),
        ("!/etc/postfix/open", ""),
        ("mail.example", ""),
    ],
)
def test_network_of_everybody_is_named(value: str, expected: str) -> None:
    files = {"/etc/postfix/open": "# ours\n10.0.0.0/8\n0.0.0.0/0\n", "/etc/postfix/own": "10.0.0.0/8\n"}
    answers = {"cidr:/all": dict.fromkeys(ADDRESSES, "OK"), "hash:/some": {ADDRESSES[0]: "OK"}}
    assert world_member(value, files, answers) == expected


def test_client_table_welcomes_strangers_when_it_permits_a_whole_family() -> None:
    assert welcomes(dict.fromkeys(ADDRESSES[:3], "OK"))
    assert welcomes(dict.fromkeys(ADDRESSES[3:], "permit"))
    assert not welcomes(dict.fromkeys(ADDRESSES, "REJECT"))
    assert not welcomes({ADDRESSES[0]: "OK", ADDRESSES[3]: "OK"})


@pytest.mark.parametrize(
    ("result", "permitted"),
    [
        ("OK", True),
        ("ok", True),
        ("1234", True),
        ("permit", True),
        ("REJECT", False),
        ("DUNNO", False),
        ("", False),
        ("permit_sasl_authenticated, reject", False),
    ],
)
def test_result_of_an_access_table_is_read(result: str, permitted: bool) -> None:
    assert permits(result) is permitted
