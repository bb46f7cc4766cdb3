# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    effective,
    services_for_strangers,
    values_for_strangers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState

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
    host = HostState(parameters=WRITTEN, values=EXPANDED)
    service = Service("2525", "inet", "n", "-", "n", "-", "-", "smtpd", overrides)
    assert effective(host, service, name) == value


def smtpd(name: str, command: str = "smtpd", **overrides: str) -> Service:
    return Service(name, "inet", "n", "-", "n", "-", "-", command, overrides)


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("", True),
        ("permit_mynetworks, reject_unauth_destination", True),
        ("permit_mynetworks, permit_sasl_authenticated, reject", False),
        ("permit_sasl_authenticated, DEFER", False),
        ("reject_non_fqdn_sender, permit_tls_clientcerts, reject", False),
        ("permit_auth_destination, reject", True),
        ("check_client_access cidr:/t/friends, reject", True),
        ("warn_if_reject reject", True),
        ("reject_rbl_client list.example, reject", False),
        ("ours, reject", True),
    ],
)
def test_service_takes_mail_from_strangers_unless_a_list_ends_in_reject_for_all_of_them(
    value: str, taken: bool
) -> None:
    service = smtpd("2525", smtpd_client_restrictions=value)
    assert services_for_strangers(HostState(services=[service])) == ([service] if taken else [])


def test_values_for_strangers_are_named_by_their_place() -> None:
    services = [
        smtpd("smtp"),
        smtpd("2525", soft_bounce="yes"),
        smtpd("2526", soft_bounce="yes"),
        smtpd("127.0.0.1:10025", soft_bounce="maybe"),
        smtpd("2527", "qmqpd", soft_bounce="perhaps"),
    ]
    host = HostState(services=services, values={"soft_bounce": "no"})
    assert values_for_strangers(host, "soft_bounce") == {
        "no": "soft_bounce",
        "yes": "soft_bounce of 2525/inet and 2526/inet",
    }
    assert values_for_strangers(HostState(values={"soft_bounce": "no"}), "soft_bounce") == {"no": "soft_bounce"}
