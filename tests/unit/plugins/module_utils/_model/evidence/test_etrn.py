# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.etrn import (
    CLASS,
    ROWS,
    clients_class,
    etrn_class,
    etrn_clients,
    plain_networks,
    read_clients,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import host

MAIL = ("192.0.2.10", "2001:db8::10")


@pytest.mark.parametrize(
    ("clients", "patterns", "expected"),
    [
        (MAIL, True, "cidr:{{192.0.2.10 OK}, {2001:db8::10 OK}}"),
        (MAIL, False, "inline:{192.0.2.10=OK, 2001:db8::10=OK}"),
        (("192.0.2.0/24", "2001:db8::/32"), True, "cidr:{{192.0.2.0/24 OK}, {2001:db8::/32 OK}}"),
        (("192.0.2.0/24", "198.51.0.0/16"), False, "inline:{192.0.2=OK, 198.51=OK}"),
        (("192.0.2.8/30",), False, "inline:{192.0.2.8=OK, 192.0.2.9=OK, 192.0.2.10=OK, 192.0.2.11=OK}"),
        (("198.51.100.0/23",), False, "inline:{198.51.100=OK, 198.51.101=OK}"),
        (("192.0.0.0/7",), False, "inline:{192=OK, 193=OK}"),
    ],
)
def test_clients_are_let_in_and_nobody_else(clients: tuple[str, ...], patterns: bool, expected: str) -> None:
    written = clients_class(clients, patterns)
    assert written == f"check_client_access {expected}, reject"
    assert read_clients(written) == clients


def test_everybody_is_written_by_first_octets() -> None:
    written = clients_class(("0.0.0.0/0",), False)
    assert (written.count("=OK"), read_clients(written)) == (256, ("0.0.0.0/0",))


def test_networks_have_one_form() -> None:
    given = ("2001:db8::1", "192.0.2.11", "192.0.2.10", "192.0.2.10/32", "2001:db8::/64")
    assert plain_networks(map(ipaddress.ip_network, given)) == ("192.0.2.10/31", "2001:db8::/64")


def test_domains_are_read_with_their_clients() -> None:
    rows = {"a.example": f"{CLASS}_1", "b.example": f"{CLASS}_2", "sub.a.example": "DUNNO", ".a.example": f"{CLASS}_1"}
    assert etrn_class(rows) == (
        "check_etrn_access inline:"
        "{.a.example=mxrelay_etrn_1, a.example=mxrelay_etrn_1, b.example=mxrelay_etrn_2, sub.a.example=DUNNO}"
    )
    classes = {
        CLASS: etrn_class(rows),
        f"{CLASS}_1": clients_class(MAIL, True),
        f"{CLASS}_2": clients_class(("192.0.2.0/24",), False),
    }
    assert etrn_clients(host(values=classes)) == {"a.example": MAIL, "b.example": ("192.0.2.0/24",)}
    assert etrn_clients(host()) == {}


def test_many_domains_have_several_tables_and_none_is_taken_for_its_parent() -> None:
    names = [f"d{number}.example" for number in range(ROWS)]
    rows = dict.fromkeys([*names, "sub.d7.example"], f"{CLASS}_1")
    written = etrn_class({**rows, "theirs.d7.example": "DUNNO"})
    first, second = (table.split(", ") for table in written.split(", check_etrn_access "))
    assert (first[0], first[-1]) == (
        f"check_etrn_access inline:{{sub.d7.example={CLASS}_1",
        "theirs.d7.example=DUNNO}",
    )
    assert (len(first), second) == (ROWS + 1, [f"inline:{{d{ROWS - 301}.example={CLASS}_1", "theirs.d7.example=DUNNO}"])
    clients = {CLASS: written, f"{CLASS}_1": clients_class(MAIL, True)}
    assert etrn_clients(host(values=clients)).keys() == rows.keys()
