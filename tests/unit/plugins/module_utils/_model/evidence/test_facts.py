# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    best_exchanger,
    best_other_exchanger,
    effective,
    unknown_host,
    written_value,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    HostState,
    MxRecord,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import OWN, host

WRITTEN = {
    "smtpd_relay_restrictions": "$mine, reject_unauth_destination",
    "mine": "permit_mynetworks, $inner",
    "inner": "permit_sasl_authenticated",
    "smtpd_tls_security_level": "${{$compatibility_level} <level {3.11} ? {} : {may}}",
}
EXPANDED = {
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
    "mine": "permit_mynetworks, permit_sasl_authenticated",
    "inner": "permit_sasl_authenticated",
    "smtpd_tls_security_level": "may",
}


@pytest.mark.parametrize(
    ("overrides", "name", "value"),
    [
        ({}, "smtpd_relay_restrictions", EXPANDED["smtpd_relay_restrictions"]),
        ({"other": "x"}, "smtpd_relay_restrictions", EXPANDED["smtpd_relay_restrictions"]),
        ({"other": "x"}, "smtpd_tls_security_level", "may"),
        ({"smtpd_relay_restrictions": "$mine"}, "smtpd_relay_restrictions", EXPANDED["mine"]),
        ({"mine": "static:OK"}, "smtpd_relay_restrictions", "static:OK, reject_unauth_destination"),
        ({"inner": "permit"}, "smtpd_relay_restrictions", "permit_mynetworks, permit, reject_unauth_destination"),
        ({"inner": "$yes", "yes": "permit"}, "mine", "permit_mynetworks, permit"),
        ({"inner": ""}, "unknown", ""),
    ],
)
def test_service_goes_by_its_overrides_also_through_other_names(
    overrides: dict[str, str], name: str, value: str
) -> None:
    on = HostState(parameters=WRITTEN, values=EXPANDED)
    service = Service("2525", "inet", "n", "-", "n", "-", "-", "smtpd", overrides)
    assert effective(on, service, name) == value


@pytest.mark.parametrize(
    ("records", "own"),
    [
        ([], None),
        ([MxRecord(10, "other", ("192.0.2.1",))], None),
        ([MxRecord(10, "other", ()), OWN], None),
        ([OWN], OWN),
        ([MxRecord(20, "other", ("192.0.2.1",)), OWN], OWN),
        ([MxRecord(30, "other", ("192.0.2.1",)), OWN], OWN),
        ([MxRecord(20, "alias.example", ("192.0.2.9",))], MxRecord(20, "alias.example", ("192.0.2.9",))),
    ],
)
def test_best_exchanger_is_told(records: list[MxRecord], own: MxRecord | None) -> None:
    assert best_exchanger(records, host(), ()) == own


@pytest.mark.parametrize(
    ("records", "other"),
    [
        ([], ""),
        ([OWN], ""),
        ([MxRecord(5, "alias.example", ("192.0.2.9",)), MxRecord(10, "first.example"), OWN], "first.example"),
        ([MxRecord(10, "first.example"), MxRecord(20, "second.example")], "first.example"),
    ],
)
def test_mail_goes_to_the_best_exchanger_that_is_not_this_host(records: list[MxRecord], other: str) -> None:
    assert best_other_exchanger(records, host()) == other


@pytest.mark.parametrize(
    ("mx_lookup", "addresses", "records", "unknown"),
    [
        (False, [], [], True),
        (False, [], [OWN], True),
        (True, [], [OWN], False),
        (True, [], [], True),
        (False, ["192.0.2.1"], [], False),
        # No answer came.
        (False, [], None, False),
    ],
)
def test_host_is_unknown_if_dns_says_that_mail_can_not_reach_it(
    mx_lookup: bool, addresses: list[str], records: list[MxRecord] | None, unknown: bool
) -> None:
    on = host(mx={} if records is None else {"m": records}, host_addresses={"m": addresses})
    assert unknown_host("m", mx_lookup, on) is unknown
    assert unknown_host("", mx_lookup, on) is False


def test_value_is_told_as_main_cf_has_it() -> None:
    on = host(explicit={"relay_domains": "$mine"}, values={"relay_domains": "x.example", "relayhost": "[smart]"})
    assert written_value(on, "relay_domains") == "$mine"
    assert written_value(on, "relayhost") == "[smart]"
