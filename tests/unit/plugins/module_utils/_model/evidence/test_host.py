# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import NamedTuple

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState

STATE = HostState(
    parameters={"relayhost": ""},
    values={"myhostname": "mx.example", "proxy_interfaces": "198.51.100.1, [2001:db8::1]"},
    own_addresses=frozenset({"192.0.2.9", "::1"}),
)


class Read(NamedTuple):
    """A part that was read of a state."""

    relay_parents: bool
    dns_lacks: str


def test_part_that_was_read_takes_the_place_of_its_fields_alone() -> None:
    state = STATE.having(Read(False, "python3-dnspython"))
    assert (state.relay_parents, state.dns_lacks, state.values) == (False, "python3-dnspython", STATE.values)
    assert (STATE.relay_parents, STATE.dns_lacks) == (True, "")


def test_parameter_that_a_release_has_may_be_empty() -> None:
    assert (STATE.knows("relayhost"), STATE.value("relayhost")) == (True, "")
    assert (STATE.knows("smtputf8_enable"), STATE.value("smtputf8_enable")) == (False, "")


@pytest.mark.parametrize(
    ("host", "addresses", "proxies", "itself"),
    [
        ("MX.example.", (), (), True),
        ("other.example", (), (), False),
        ("192.0.2.9", (), (), True),
        ("other.example", ("203.0.113.1", "192.0.2.9"), (), True),
        ("other.example", ("203.0.113.1",), ("203.0.113.1",), True),
        ("other.example", ("198.51.100.1",), (), True),
        ("other.example", ("2001:DB8:0::1",), (), True),
        ("other.example", ("::ffff:192.0.2.9",), (), True),
        ("other.example", ("203.0.113.1", "127.0.1.1"), (), True),
        ("127.0.0.2", (), (), True),
        ("0.0.0.0", (), (), True),
        ("::", (), (), True),
        ("::ffff:192.0.2.9", (), (), True),
        ("localhost", (), (), True),
        ("mail.LOCALHOST.", (), (), True),
        ("other.example", ("203.0.113.1",), (), False),
        ("::ffff:203.0.113.1", (), (), False),
    ],
)
def test_host_is_this_one_by_name_address_and_behind_nat(
    host: str, addresses: tuple[str, ...], proxies: tuple[str, ...], itself: bool
) -> None:
    assert STATE.is_self(host, addresses, proxies) is itself
