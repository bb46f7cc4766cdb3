# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import (
    is_address,
    plain_address,
    reaching_others,
    stays_here,
)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("[192.0.2.1]", "192.0.2.1"),
        (" 192.0.2.1\n", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[IPv6:2001:db8::1]", "2001:db8::1"),
        ("ipv6:2001:db8:0::1", "2001:db8::1"),
        ("MX.Example", "mx.example"),
        ("[mail.example]", "mail.example"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[IPv6:::FFFF:C000:0201]", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("a%b", "a%b"),
        ("192.0.2.1%eth0", "192.0.2.1%eth0"),
        ("", ""),
    ],
)
def test_address_has_one_form_and_other_text_is_lower_case(written: str, plain: str) -> None:
    assert plain_address(written) == plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", True),
        ("2001:db8::1", True),
        ("[192.0.2.1]", False),
        ("192.0.2.0/24", False),
        ("192.0.2", False),
        ("mx.example", False),
        ("", False),
    ],
)
def test_only_a_bare_address_is_one(text: str, expected: bool) -> None:
    assert is_address(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, True) for text in ("127.0.0.1", "127.0.1.1", "127.255.255.254", "0.0.0.0", "::", "::1", "[::1]")),
        *((text, True) for text in ("::ffff:127.0.0.2", "::ffff:0.0.0.0", "IPv6:::1")),
        *((text, False) for text in ("192.0.2.1", "::ffff:192.0.2.1", "126.0.0.1", "::2", "localhost", "")),
    ],
)
def test_loopback_and_no_address_at_all_lead_nowhere_else(text: str, expected: bool) -> None:
    assert stays_here(text) is expected


def test_others_reach_a_host_at_its_outside_addresses() -> None:
    assert reaching_others(["127.0.0.1", "192.0.2.1", "::1", "2001:DB8::1", "::"]) == ["192.0.2.1", "2001:db8::1"]
