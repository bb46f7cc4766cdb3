# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.listeners import (
    listeners,
    protocols,
)

USUAL = {"inet_interfaces": "all", "inet_protocols": "all", "master_service_disable": ""}
SMTP = "smtp inet n - y - - smtpd\n"


@pytest.mark.parametrize(
    ("line", "values", "hosts", "port"),
    [
        (SMTP, {}, ("",), "smtp"),
        (SMTP, {"inet_interfaces": ""}, ("",), "smtp"),
        (SMTP, {"inet_interfaces": "LOOPBACK-ONLY"}, ("127.0.0.1", "::1"), "smtp"),
        (
            SMTP,
            {"inet_interfaces": "localhost, 192.0.2.7 [2001:db8::7]"},
            ("localhost", "192.0.2.7", "2001:db8::7"),
            "smtp",
        ),
        ("192.0.2.9:2525 inet n - y - - smtpd\n", {}, ("192.0.2.9",), "2525"),
        ("[::1]:2525 inet n - y - - smtpd\n", {"inet_interfaces": "192.0.2.7"}, ("::1",), "2525"),
    ],
)
def test_service_listens_where_its_name_or_else_inet_interfaces_says(
    line: str, values: dict[str, str], hosts: tuple[str, ...], port: str
) -> None:
    (found,) = listeners(MasterCf(line).effective, {**USUAL, **values})
    assert (found.hosts, found.port) == (hosts, port)


@pytest.mark.parametrize("disabled", ["inet", "smtp.inet", "smtp/inet"])
def test_what_is_disabled_or_no_inet_service_does_not_listen(disabled: str) -> None:
    services = MasterCf(SMTP + "2525 inet n - y - - smtpd\nrelay unix - - y - - smtp\n").effective
    found = [listener.key for listener in listeners(services, {**USUAL, "master_service_disable": disabled})]
    assert found == ([] if disabled == "inet" else ["2525/inet"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("all", ("ipv4", "ipv6")),
        ("", ("ipv4", "ipv6")),
        ("IPv4", ("ipv4",)),
        ("ipv6, ipv4", ("ipv4", "ipv6")),
        ("ipv6", ("ipv6",)),
    ],
)
def test_protocols_are_those_of_main_cf(value: str, expected: tuple[str, ...]) -> None:
    assert protocols({"inet_protocols": value}) == expected
