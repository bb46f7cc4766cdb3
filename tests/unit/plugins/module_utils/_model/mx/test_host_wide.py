# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import decide
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.host_wide import (
    HostSettings,
    host_settings,
    overrides_to_take_back,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request

VALUES = {
    "mailbox_size_limit": "51200000",
    "mynetworks": "127.0.0.0/8",
    "smtp_dns_support_level": "",
    "smtp_enforce_tls": "no",
    "smtp_tls_CAfile": "",
    "smtp_tls_CApath": "",
    "smtp_tls_security_level": "",
    "smtp_tls_trust_anchor_file": "",
    "smtp_use_tls": "no",
    "smtpd_client_restrictions": "",
    "smtpd_etrn_restrictions": "",
    "smtpd_recipient_restrictions": "",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "smtputf8_enable": "yes",
    "virtual_mailbox_limit": "0",
}


def host(overrides: dict[str, str] | None = None, **values: str | None) -> HostState:
    """A host whose main.cf has `values`; None is a parameter that this Postfix does not know."""
    known = {name: value for name, value in {**VALUES, **values}.items() if value is not None}
    explicit = {name: value for name, value in values.items() if value is not None}
    relay = Service("relay", "unix", "-", "-", "-", "-", "-", "smtp", dict(overrides or {}))
    smtp = Service("smtp", "inet", "-", "-", "-", "-", "-", "smtpd", {})
    return HostState(True, (3, 10), known, known, explicit, [smtp, relay])


def ask(on: HostState | None = None, domains: list[dict[str, Any]] | None = None, **settings: Any) -> HostSettings:
    items = domains or [{"name": "x.example", "recipients_policy": "any", "mail_host": "mail.example"}]
    return host_settings(read_request({"role": "primary_mx", "domains": items, **settings}), on or host())


def checks(found: HostSettings) -> list[str]:
    return [refusal.check for refusal in found.refusals]


def test_nothing_asked_is_safe_where_nobody_decided() -> None:
    found = ask()
    assert found.parameters == {"smtpd_etrn_restrictions": "permit_mynetworks, reject"}
    assert found.overrides == {"smtp_tls_security_level": "may"}
    assert found.refusals == []


@pytest.mark.parametrize(
    "on",
    [
        host(smtp_tls_security_level="may", smtpd_etrn_restrictions="permit"),
        host({"smtp_tls_security_level": "encrypt"}, smtpd_etrn_restrictions="permit"),
        host(smtp_tls_security_level="", smtpd_etrn_restrictions=""),
        host({"smtp_tls_security_level": "none"}, smtpd_etrn_restrictions=""),
        host(smtp_use_tls="yes", smtpd_etrn_restrictions="reject"),
        host(smtp_tls_security_level=None, smtpd_etrn_restrictions=None),
    ],
)
def test_what_somebody_decided_stays(on: HostState) -> None:
    found = ask(on)
    assert (found.parameters, found.overrides, found.refusals) == ({}, {}, [])


SMARTHOST = {
    "disable_dns_lookups": "yes",
    "smtp_fallback_relay": "[smart.example]",
    "smtp_generic_maps": "regexp:/etc/postfix/generic",
    "smtp_host_lookup": "dns",
    "smtp_sasl_auth_enable": "yes",
    "smtp_sasl_password_maps": "static:user:secret",
    "smtp_tls_security_level": "encrypt",
    "smtp_tls_wrappermode": "yes",
}
GUARDS = {
    "smtp_fallback_relay": "",
    "smtp_generic_maps": "",
    "smtp_sasl_auth_enable": "no",
    "smtp_tls_security_level": "may",
    "smtp_tls_wrappermode": "no",
}
DNS_GUARDS = {"smtp_dns_support_level": "enabled", "smtp_host_lookup": "dns,native"}
SECONDARY = [{"name": "x.example", "recipients_policy": "any"}]


def test_settings_for_a_smarthost_do_not_reach_mail_hosts() -> None:
    """Kind B."""
    assert ask(host(**SMARTHOST)).overrides == GUARDS
    assert ask(host(GUARDS, **SMARTHOST)).overrides == {}


def test_dns_is_switched_on_where_mx_records_are_looked_up() -> None:
    on = host(GUARDS, **SMARTHOST)
    item = {"name": "x.example", "recipients_policy": "any"}
    found = host_settings(read_request({"role": "secondary_mx", "domains": [item]}), on)
    assert found.overrides == DNS_GUARDS
    done = host({**GUARDS, **DNS_GUARDS}, **SMARTHOST)
    assert host_settings(read_request({"role": "secondary_mx", "domains": [item]}), done).overrides == {}


def test_what_the_relay_service_itself_says_stays() -> None:
    own = {"smtp_tls_wrappermode": "yes", "smtp_generic_maps": "hash:/own", "smtp_tls_security_level": "encrypt"}
    assert ask(host(own, smtp_generic_maps="regexp:/g", smtp_tls_wrappermode="yes")).overrides == {}


@pytest.mark.parametrize(
    ("given", "written", "cause"),
    [
        ("", None, ""),
        ("+", "+", ""),
        ("+-", "+-", ""),
        ("none", "", ""),
        ("+x", None, '"x" in recipient_delimiter is part of the names of people'),
        ("+ -", None, '" " in recipient_delimiter is part of the names of people'),
        ("$", None, '"$" in recipient_delimiter is part of the names of people'),
    ],
)
def test_delimiters_are_set_if_they_are_some(given: str, written: str | None, cause: str) -> None:
    found = ask(recipient_delimiter=given)
    assert found.parameters.get("recipient_delimiter") == written
    assert [refusal.cause for refusal in found.refusals] == [cause] * bool(cause)


def test_old_release_takes_one_delimiter() -> None:
    old = replace(host(), version=(2, 10))
    (refusal,) = ask(old, recipient_delimiter="-+").refusals
    assert (refusal.cause, refusal.remedy) == ("Postfix before 2.11 takes one character", "use the first, -")
    assert ask(old, recipient_delimiter="-").parameters["recipient_delimiter"] == "-"


def test_parameter_that_the_release_lacks_gets_no_override() -> None:
    assert "smtp_tls_wrappermode" not in ask(host(smtp_tls_wrappermode=None)).overrides


def test_tls_that_is_asked_for_is_written_even_if_main_cf_demands_the_same() -> None:
    on = host(smtp_tls_security_level="secure", smtp_tls_CApath="/etc/ssl/certs")
    assert ask(on, mail_host_tls="secure").overrides == {"smtp_tls_security_level": "secure"}
    done = host(
        {"smtp_tls_security_level": "secure"}, smtp_tls_security_level="secure", smtp_tls_CApath="/etc/ssl/certs"
    )
    assert ask(done, mail_host_tls="secure").overrides == {}


GONE = {"name": "x.example", "state": "absent", "force": True}


def taken_back(on: HostState, relayed: tuple[str, ...] = ("x.example",), **settings: Any) -> dict[str, str | None]:
    on = replace(on, relayed={name: name for name in relayed})
    request = read_request({"role": "primary_mx", "domains": [GONE], "undeclared_domains": "any", **settings})
    return dict(decide(request, on).services.get("relay/unix", ServiceChange()).overrides)


def test_overrides_go_with_the_last_domain() -> None:
    ours = {**GUARDS, **DNS_GUARDS}
    assert taken_back(host({**ours, "syslog_name": "x"}, **SMARTHOST)) == dict.fromkeys(ours)
    assert taken_back(host(ours, **SMARTHOST), ()) == dict.fromkeys(ours)
    assert taken_back(host(ours, **SMARTHOST), ("x.example", "y.example")) == {}
    assert taken_back(host({}, **SMARTHOST)) == {}


def test_overrides_that_no_run_would_set_stay_with_the_last_domain() -> None:
    own = {"smtp_tls_security_level": "encrypt", "smtp_generic_maps": "hash:/own", "smtp_fallback_relay": ""}
    assert taken_back(host(own, smtp_generic_maps="regexp:/g")) == {}
    shipped = replace(host({"smtp_fallback_relay": ""}, smtp_fallback_relay="[smart]"), version=(2, 8))
    assert "smtp_fallback_relay" not in taken_back(shipped)


def test_without_a_relay_service_there_is_nothing_to_take_back() -> None:
    on = host(smtp_generic_maps="regexp:/g")
    bare = replace(on, services=[each for each in on.services if each.name != "relay"])
    assert overrides_to_take_back(read_request({"role": "primary_mx", "domains": [GONE]}), bare) == {}


def test_plain_settings_are_passed_on() -> None:
    found = ask(
        host(smtpd_etrn_restrictions=""),
        message_size_limit="20480000",
        mail_host_concurrency=5,
        queue_lifetime="10d",
        smtputf8=False,
        ipv6=True,
        client_restrictions=["permit_mynetworks", "reject_unknown_client_hostname"],
        etrn_restrictions=["check_etrn_access hash:/etc/postfix/etrn", "reject"],
    )
    assert found.refusals == []
    assert found.parameters == {
        "message_size_limit": "20480000",
        "relay_destination_concurrency_limit": "5",
        "maximal_queue_lifetime": "10d",
        "smtputf8_enable": "no",
        "inet_protocols": "all",
        "smtpd_client_restrictions": "permit_mynetworks, reject_unknown_client_hostname",
        "smtpd_etrn_restrictions": "check_etrn_access hash:/etc/postfix/etrn, reject",
    }


def test_ipv4_alone() -> None:
    assert ask(ipv6=False).parameters["inet_protocols"] == "ipv4"


@pytest.mark.parametrize("value", ["-1", "1.5", "many", "٣"])
def test_numbers_are_in_digits(value: str) -> None:
    refused = read_request({"message_size_limit": value}).refusals
    assert [(refusal.check, refusal.remedy) for refusal in refused] == [
        ("message_size_limit", "use digits only, 65536 or more")
    ]


def test_concurrency_is_at_least_one() -> None:
    assert [refusal.check for refusal in read_request({"mail_host_concurrency": "0"}).refusals] == [
        "mail_host_concurrency"
    ]


@pytest.mark.parametrize(
    ("size", "found"),
    [("51200000", []), ("51200001", ["message_size_limit"]), ("0", ["message_size_limit"])],
)
def test_messages_above_what_a_mailbox_takes_are_refused(size: str, found: list[str]) -> None:
    assert checks(ask(message_size_limit=size)) == found


def test_unlimited_mailboxes_take_everything() -> None:
    assert checks(ask(host(mailbox_size_limit="0"), message_size_limit="0")) == []


def test_utf8_is_refused_where_postfix_has_none() -> None:
    on = host(smtputf8_enable=None)
    assert checks(ask(on, smtputf8=True)) == ["smtputf8"]
    found = ask(on, smtputf8=False)
    assert ("smtputf8_enable" in found.parameters, found.refusals) == (False, [])


@pytest.mark.parametrize("level", ["none", "may", "secure"])
def test_tls_that_is_asked_for_is_an_override_of_the_relay_service(level: str) -> None:
    found = ask(host(smtp_tls_security_level="encrypt", smtp_tls_CApath="/etc/ssl/certs"), mail_host_tls=level)
    assert (found.overrides, found.refusals) == ({"smtp_tls_security_level": level}, [])


def test_tls_that_is_there_is_not_written_again() -> None:
    assert ask(host(smtp_tls_security_level="may"), mail_host_tls="may").overrides == {}


def test_secure_needs_an_authority() -> None:
    assert checks(ask(mail_host_tls="secure")) == ["mail_host_tls"]


def test_several_mail_hosts_need_a_release_that_tries_them() -> None:
    several = [{"name": "x.example", "mail_host": ["a.example", "b.example"], "recipients_policy": "any"}]
    assert ask(domains=several).refusals == []
    (refusal,) = ask(replace(host(), version=(3, 4, 29)), domains=several).refusals
    assert (refusal.domain, refusal.check) == ("x.example", "mail_host")
    assert refusal.cause == "Postfix before 3.5 takes one mail host for a domain"
    assert ask(replace(host(), version=(3, 4, 29))).refusals == []


def test_dane_needs_dnssec_and_names() -> None:
    found = ask(mail_host_tls="dane")
    assert found.overrides == {"smtp_tls_security_level": "dane", "smtp_dns_support_level": "dnssec"}
    assert found.refusals == []
    by_address = [{"name": "x.example", "recipients_policy": "any", "mail_host": "192.0.2.1"}]
    assert [(refusal.domain, refusal.check) for refusal in ask(domains=by_address, mail_host_tls="dane").refusals] == [
        ("x.example", "mail_host_tls")
    ]
    assert checks(ask(host(smtp_dns_support_level=None), mail_host_tls="dane")) == ["mail_host_tls"]


def test_tls_is_refused_where_postfix_has_none() -> None:
    on = host(smtp_tls_security_level=None)
    assert checks(ask(on, mail_host_tls="may")) == ["mail_host_tls"]
    assert checks(ask(on, mail_host_tls="none")) == []


def test_host_without_postfix_gets_the_plain_settings() -> None:
    found = ask(HostState(installed=False), message_size_limit="100000", mail_host_tls="secure")
    assert (found.parameters, found.overrides, found.refusals) == ({"message_size_limit": "100000"}, {}, [])


@pytest.mark.parametrize(
    ("fallback", "overrides", "wanted"),
    [
        ("[smart]", {}, {"smtp_fallback_relay": ""}),
        ("[smart]", {"smtp_fallback_relay": ""}, {}),
        ("", {"smtp_fallback_relay": "[smart]"}, {"smtp_fallback_relay": ""}),
        ("", {}, {}),
    ],
)
def test_fallback_relay_takes_no_mail_of_relay_domains(
    fallback: str, overrides: dict[str, str], wanted: dict[str, str]
) -> None:
    on = host(overrides, smtp_fallback_relay=fallback, smtp_tls_security_level="may")
    assert ask(on).overrides == wanted


@pytest.mark.parametrize(
    ("version", "overrides", "wanted"),
    [
        ((2, 2, 12), {}, {"fallback_relay": ""}),
        # As the relay service was shipped from 2.2 to 2.8, under the names of 2.4 and 2.8.
        ((2, 2, 12), {"fallback_relay": ""}, {}),
        ((2, 8, 20), {"smtp_fallback_relay": ""}, {}),
        ((2, 9, 15), {}, {"smtp_fallback_relay": ""}),
    ],
)
def test_fallback_relay_is_kept_away_by_the_name_that_the_release_has_for_it(
    version: tuple[int, ...], overrides: dict[str, str], wanted: dict[str, str]
) -> None:
    on = host(
        overrides,
        smtp_fallback_relay=None if version < (2, 3) else "[smart]",
        fallback_relay="[smart]",
        smtp_tls_security_level="may",
    )
    assert ask(replace(on, version=version)).overrides == wanted


def test_settings_of_the_host_are_written_only_when_given() -> None:
    found = ask(
        host(smtpd_etrn_restrictions=""), proxy_interfaces=["198.51.100.1", "198.51.100.2"], queue_lifetime="10d"
    )
    assert found.parameters == {
        "proxy_interfaces": "198.51.100.1, 198.51.100.2",
        "maximal_queue_lifetime": "10d",
    }


@pytest.mark.parametrize(
    ("version", "ipv6", "parameters", "refused"),
    [
        ((2, 1, 6), True, {}, ["ipv6"]),
        ((2, 1, 6), False, {}, []),
        ((2, 2, 12), True, {"inet_protocols": "all"}, []),
        ((2, 2, 12), False, {"inet_protocols": "ipv4"}, []),
    ],
)
def test_ipv6_is_from_2_2_on(
    version: tuple[int, ...], ipv6: bool, parameters: dict[str, str], refused: list[str]
) -> None:
    found = ask(replace(host(smtpd_etrn_restrictions=""), version=version), ipv6=ipv6)
    assert {name: value for name, value in found.parameters.items() if name != "relay_transport"} == parameters
    assert checks(found) == refused
    assert [refusal.cause for refusal in found.refusals] == ["Postfix before 2.2 has no IPv6"] * len(refused)


def test_postfix_before_2_2_sends_relay_domains_by_the_relay_service() -> None:
    on = host(smtpd_etrn_restrictions=None, smtp_tls_security_level=None)
    found = ask(replace(on, version=(2, 1, 6)))
    assert found.parameters == {"relay_transport": "relay"}
    assert found.overrides == {"fallback_relay": ""}
