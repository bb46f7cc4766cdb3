# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host import read_strangers
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.strangers import (
    ADDRESSES,
    RECIPIENTS,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    HostState,
)


class Reader:
    """The tables of a host, each with its rows."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]]) -> None:
        self.tables = tables
        self.asked: list[str] = []

    def ask(self, table: str, keys: Sequence[str]) -> dict[str, str]:
        self.asked.append(table)
        return {key: value for key, value in self.tables[table].items() if key in keys}

    def values(self, table: str) -> list[str]:
        return list(self.tables[table].values())


@pytest.mark.parametrize(
    ("relay", "rows", "permitting"),
    [
        ("check_client_access cidr:/c, reject_unauth_destination", dict.fromkeys(ADDRESSES, "OK"), {"cidr:/c"}),
        ("check_client_access cidr:/c, reject_unauth_destination", {ADDRESSES[0]: "OK"}, set()),
        ("check_sender_access cidr:/c, reject_unauth_destination", {"boss@x.example": "OK"}, {"cidr:/c"}),
        ("check_sender_access cidr:/c, reject_unauth_destination", {"spam.example": "REJECT"}, set()),
        ("check_helo_access cidr:/c, reject_unauth_destination", {"mail.example": "OK"}, {"cidr:/c"}),
        ("check_recipient_access cidr:/c, reject_unauth_destination", {"x@x.example": "OK"}, set()),
        ("check_recipient_access cidr:/c, reject_unauth_destination", dict.fromkeys(RECIPIENTS, "OK"), {"cidr:/c"}),
        ("check_recipient_access cidr:/c, reject_unauth_destination", {RECIPIENTS[-1]: "permit"}, {"cidr:/c"}),
        ("check_recipient_access cidr:/c, reject_unauth_destination", dict.fromkeys(RECIPIENTS, "DUNNO"), set()),
        # Postfix itself takes no OK from it.
        ("check_reverse_client_hostname_access cidr:/c", dict.fromkeys(ADDRESSES, "OK"), set()),
    ],
)
def test_access_tables_that_permit_strangers_are_found(relay: str, rows: dict[str, str], permitting: set[str]) -> None:
    state = HostState(values={"smtpd_relay_restrictions": relay})
    assert read_strangers(state, Reader({"cidr:/c": rows})).permitting == permitting


def test_index_is_not_asked_for_recipients_that_it_can_not_list() -> None:
    reader = Reader({"hash:/v": {"x.example": "reject_unverified_recipient"}})
    read_strangers(HostState(values={"smtpd_recipient_restrictions": "check_recipient_access hash:/v"}), reader)
    assert reader.asked == []


def test_classes_that_permit_strangers_are_found_through_each_other() -> None:
    values = {
        "smtpd_restriction_classes": "outer inner shut",
        "outer": "inner",
        "inner": "permit",
        "shut": "reject_unauth_destination, permit",
    }
    state = HostState(values=values)
    assert read_strangers(state, Reader({})).permitting == {"outer", "inner"}


def test_networks_of_main_cf_and_of_overrides_are_read() -> None:
    smtp = Service("smtp", "inet", "n", "-", "y", "-", "-", "smtpd", {"mynetworks": "$mine"})
    state = HostState(values={"mynetworks": "cidr:/a", "mine": "cidr:/b"}, services=[smtp])
    tables = {"cidr:/a": {ADDRESSES[0]: "OK", "10.0.0.1": "OK"}, "cidr:/b": {}}
    assert read_strangers(state, Reader(tables)).network_answers == {"cidr:/a": {ADDRESSES[0]: "OK"}, "cidr:/b": {}}
