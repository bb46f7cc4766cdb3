# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, Rules
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    dns_is_off,
    dns_overrides,
    find_relay_service,
    harms,
    odd_arguments,
    puts_off,
)

KNOWN = dict.fromkeys(
    (
        "disable_dns_lookups",
        "smtp_bind_address",
        "smtp_bind_address6",
        "smtp_bind_address_enforce",
        "smtp_dns_support_level",
        "smtp_enforce_tls",
        "smtp_generic_maps",
        "smtp_header_checks",
        "smtp_host_lookup",
        "smtp_reply_filter",
        "smtp_sasl_auth_enable",
        "smtp_sasl_password_maps",
        "smtp_sender_dependent_authentication",
        "smtp_tcp_port",
        "smtp_tls_policy_maps",
        "smtp_tls_security_level",
        "smtp_tls_wrappermode",
    ),
    "",
)


def service(command: str = "smtp", **overrides: str) -> Service:
    return Service("relay", "unix", "-", "-", "-", "-", "-", command, overrides)


def host(relay: Service | None = None, **values: str) -> HostState:
    known = {**KNOWN, **values}
    return HostState(
        version=(3, 10),
        parameters=known,
        values=known,
        services=[relay or service()],
        own_addresses=frozenset({"192.0.2.9", "2001:db8::9"}),
    )


def found(on: HostState) -> list[tuple[str, str | None, bool]]:
    return [(harm.name, harm.instead, harm.certain) for harm in harms(on, on.services[0])]


def test_host_without_settings_for_a_smarthost_does_no_harm() -> None:
    assert found(host()) == []
    assert not dns_is_off(host(), service())


@pytest.mark.parametrize(
    ("values", "harm"),
    [
        ({"smtp_tls_wrappermode": "yes"}, ("smtp_tls_wrappermode", "no", True)),
        ({"smtp_generic_maps": "regexp:/g"}, ("smtp_generic_maps", "", True)),
        ({"smtp_tcp_port": "587"}, ("smtp_tcp_port", "smtp", True)),
        ({"smtp_tls_security_level": "encrypt"}, ("smtp_tls_security_level", "may", False)),
        ({"smtp_tls_security_level": "dane-only"}, ("smtp_tls_security_level", "may", False)),
        ({"smtp_enforce_tls": "yes"}, ("smtp_tls_security_level", "may", False)),
        ({"smtp_tls_policy_maps": "static:encrypt"}, ("smtp_tls_policy_maps", "", True)),
        ({"smtp_reply_filter": "pcre:/f"}, ("smtp_reply_filter", None, False)),
        ({"smtp_header_checks": "pcre:/h"}, ("smtp_header_checks", None, False)),
        ({"smtp_bind_address": "127.0.0.1"}, ("smtp_bind_address", None, True)),
        ({"smtp_bind_address": "here"}, ("smtp_bind_address", None, True)),
        ({"smtp_bind_address": "192.0.2.8"}, ("smtp_bind_address", None, False)),
        (
            {"smtp_bind_address": "192.0.2.8", "smtp_bind_address_enforce": "yes"},
            ("smtp_bind_address", None, True),
        ),
        ({"smtp_bind_address6": "[2001:db8::8]"}, ("smtp_bind_address6", None, False)),
    ],
)
def test_setting_that_harms_mail_of_a_relay_domain(values: dict[str, str], harm: tuple[str, str | None, bool]) -> None:
    assert found(host(**values)) == [harm]


@pytest.mark.parametrize(
    "values",
    [
        {"smtp_tls_security_level": "may", "smtp_enforce_tls": "yes"},
        {"smtp_tls_security_level": "dane"},
        {"smtp_tls_policy_maps": "static:may hash:/p"},
        {"smtp_tcp_port": "25"},
        {"smtp_bind_address": "192.0.2.9", "smtp_bind_address6": "2001:DB8::9"},
        {"smtp_bind_address6": "2001:db8::8", "inet_protocols": "ipv4"},
        {"smtp_sasl_auth_enable": "yes"},
        {"smtp_sasl_password_maps": "static:user:secret"},
        {"smtp_sasl_auth_enable": "yes", "smtp_sasl_password_maps": "proxy:hash:/p, texthash:/q"},
    ],
)
def test_setting_that_does_no_harm(values: dict[str, str]) -> None:
    assert found(host(**values)) == []


@pytest.mark.parametrize(
    "values",
    [
        {"smtp_sasl_password_maps": "static:user:secret"},
        {"smtp_sasl_password_maps": "hash:/p, regexp:/q"},
        {"smtp_sasl_password_maps": "hash:/p", "smtp_sender_dependent_authentication": "yes"},
    ],
)
def test_password_for_a_host_that_no_entry_names(values: dict[str, str]) -> None:
    assert found(host(smtp_sasl_auth_enable="Yes", **values)) == [("smtp_sasl_auth_enable", "no", True)]


@pytest.mark.parametrize(
    ("listed", "harmful"),
    [(["DUNNO", "INFO x"], False), (["dunno", "ignore"], True), (["REPLACE Subject: x"], True), (None, True)],
)
def test_checks_of_the_client_are_judged_by_what_they_say(listed: list[str] | None, harmful: bool) -> None:
    on = host(smtp_header_checks="pcre:/h").having(_rules({"pcre:/h": Rules(listed)}))
    assert bool(found(on)) is harmful


def _rules(rules: dict[str, Rules]) -> Any:
    class Part:
        def _asdict(self) -> dict[str, Any]:
            return {"rules": rules}

    return Part()


def test_override_of_the_service_counts_and_is_somebodys_decision() -> None:
    assert found(host(service(smtp_generic_maps=""), smtp_generic_maps="regexp:/g")) == []
    (harm,) = harms(host(service(smtp_tls_wrappermode="yes")), service(smtp_tls_wrappermode="yes"))
    assert (harm.own, harm.certain) == (True, False)
    assert found(host(service(smtp_tls_security_level="secure"))) == []


def test_parameter_that_the_release_lacks_is_left_alone() -> None:
    on = HostState(values={"smtp_tls_wrappermode": "yes"}, services=[service()])
    assert found(on) == []


def test_lmtp_goes_by_parameters_of_its_own() -> None:
    on = host(service("lmtp"), lmtp_generic_maps="hash:/g", smtp_generic_maps="hash:/h")
    assert found(on) == [("lmtp_generic_maps", "", True)]


def test_last_of_two_entries_is_the_relay_service() -> None:
    second = service(smtp_fallback_relay="[smart]")
    assert find_relay_service(HostState(services=[service(), second])) is second


@pytest.mark.parametrize(
    ("command", "odd"),
    [("smtp", []), ("smtp -v", []), ("smtp -vv -v", []), ("smtp foo -v", ["foo"]), ("lmtp -t", ["-t"])],
)
def test_arguments(command: str, odd: list[str]) -> None:
    assert odd_arguments(service(command)) == odd


@pytest.mark.parametrize(
    ("values", "off"),
    [
        ({"disable_dns_lookups": "yes"}, True),
        ({"smtp_dns_support_level": "disabled"}, True),
        ({"smtp_dns_support_level": "enabled", "disable_dns_lookups": "yes"}, False),
    ],
)
def test_dns_is_off(values: dict[str, str], off: bool) -> None:
    assert dns_is_off(host(**values), service()) is off


@pytest.mark.parametrize(
    ("values", "level", "overrides"),
    [
        ({"smtp_host_lookup": "dns"}, "may", {"smtp_dns_support_level": "enabled", "smtp_host_lookup": "dns,native"}),
        ({"smtp_host_lookup": "native"}, "dane", {"smtp_dns_support_level": "dnssec"}),
    ],
)
def test_names_are_found_as_before_once_dns_is_on(
    values: dict[str, str], level: str, overrides: dict[str, str]
) -> None:
    assert dns_overrides(host(**values), service(), level) == overrides


def test_dns_before_2_11() -> None:
    on = HostState(parameters={"disable_dns_lookups": "yes"}, services=[service()])
    assert dns_overrides(on, service(), "") == {"disable_dns_lookups": "no"}


@pytest.mark.parametrize(
    ("listed", "expected"), [(["4$1"], True), (["4$1", "2.0.0 gone"], False), (None, False), ([], True)]
)
def test_filter_that_only_puts_off_does_no_harm(listed: list[str] | None, expected: bool) -> None:
    on = HostState(rules={"regexp:/f": Rules(listed)})
    assert puts_off(on, "regexp:/f") is expected
    assert not puts_off(on, "")
    assert not puts_off(on, "regexp:/other")
