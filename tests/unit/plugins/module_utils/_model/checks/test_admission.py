# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks import admission
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.admission import STRANGERS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.admission import AdmissionEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import RESTRICTIONS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

CHECKS = (
    admission.refuses_strangers,
    admission.demands_tls,
    admission.strangers_limited,
    admission.restriction_table,
    admission.message_table,
    admission.policy_service,
    admission.sasl_socket,
    admission.parameter_value,
)
VALUES = {
    "default_process_limit": "100",
    "inet_protocols": "all",
    "smtpd_client_connection_count_limit": "50",
    "smtpd_client_connection_rate_limit": "0",
    "smtpd_delay_reject": "yes",
    "smtpd_hard_error_limit": "20",
    "smtpd_recipient_limit": "1000",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
    "smtpd_timeout": "300s",
    "smtpd_tls_cert_file": "/cert",
    "smtpd_tls_security_level": "may",
}
CERTIFICATE = "smtpd_tls_cert_file"


def service(name: str = "smtp", kind: str = "inet", command: str = "smtpd", limit: str = "-", **own: str) -> Service:
    return Service(name, kind, "-", "-", "-", "-", limit, command, dict(own))


def findings(services: list[Service] | None = None, evidence: AdmissionEvidence | None = None, **values: str) -> Any:
    every = {**VALUES, **values}
    state = HostState(
        parameters=every,
        values=every,
        explicit=values,
        services=services or [service()],
        relayed={"away.example": "away.example"},
        admission=evidence or AdmissionEvidence(),
    )
    return [finding for check in CHECKS for finding in check(state, HostFacts())]


def found(*arguments: Any, **values: str) -> list[tuple[str, str]]:
    return [(finding.check, finding.severity) for finding in findings(*arguments, **values)]


def one(*arguments: Any, **values: str) -> Finding:
    (finding,) = findings(*arguments, **values)
    assert isinstance(finding, Finding)
    return finding


def test_host_as_debian_ships_it_has_none() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        (
            {"smtpd_client_restrictions": "permit_mynetworks, reject"},
            "remove reject from smtpd_client_restrictions",
        ),
        (
            {"smtpd_relay_restrictions": "permit_mynetworks, reject"},
            "replace reject by reject_unauth_destination in smtpd_relay_restrictions",
        ),
        (
            {"smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination, reject"},
            "remove reject from smtpd_recipient_restrictions",
        ),
        (
            {
                "smtpd_restriction_classes": "ours",
                "ours": "permit_mynetworks, reject",
                "smtpd_data_restrictions": "ours",
            },
            "remove reject from ours",
        ),
        (
            {"smtpd_client_restrictions": "reject_unknown_client_hostname", "smtpd_peername_lookup": "no"},
            "remove reject_unknown_client_hostname from smtpd_client_restrictions",
        ),
    ],
)
def test_list_that_refuses_everyone_is_an_error_with_its_remedy(values: dict[str, str], remedy: str) -> None:
    finding = one(**values)
    assert (finding.check, finding.severity, finding.remedy) == ("refuses_strangers", "error", remedy)
    assert "no mail from other hosts arrives" in finding.message


def test_overrides_count_also_through_a_reference() -> None:
    finding = one([service(smtpd_helo_restrictions="permit_mynetworks, reject")])
    assert finding.remedy == "remove reject from smtpd_helo_restrictions of smtp/inet"
    through = [service(whom="reject")]
    assert one(through, smtpd_client_restrictions="permit_mynetworks, $whom", whom="permit").severity == "error"
    assert found([service(smtpd_client_restrictions="")], smtpd_client_restrictions="reject") == []


def test_services_for_own_users_may_refuse_strangers() -> None:
    own = [
        service("submission", smtpd_client_restrictions="permit_sasl_authenticated, reject"),
        service("127.0.0.1:10025", smtpd_client_restrictions="permit_mynetworks, reject"),
        service("127.0.0.1:25", smtpd_client_restrictions="permit_mynetworks, reject"),
        service("10026", smtpd_client_restrictions="permit_mynetworks, reject"),
    ]
    assert found([service(), *own]) == []


def test_service_beside_one_that_lets_strangers_in_is_a_warning() -> None:
    inner = service("10.0.0.1:smtp", smtpd_client_restrictions="permit_mynetworks, reject")
    assert found([service("192.0.2.9:smtp"), inner]) == [("refuses_strangers", "warning")]
    assert found([inner]) == [("refuses_strangers", "error")]


def test_service_behind_postscreen_is_judged() -> None:
    front = service(command="postscreen", limit="1")
    closed = service("smtpd", "pass", smtpd_sender_restrictions="defer")
    assert found([front, closed]) == [("refuses_strangers", "error")]
    assert found([service(), closed]) == []


def test_refusal_behind_a_policy_service_is_not_proven() -> None:
    finding = one(smtpd_client_restrictions="check_policy_service unix:private/p, reject")
    assert (finding.check, finding.severity) == ("refuses_strangers", "warning")
    assert "check_policy_service unix:private/p" in finding.message


def test_table_that_refuses_some_strangers_is_fine_one_that_refuses_all_is_not() -> None:
    values = {"smtpd_client_restrictions": "check_client_access cidr:/c"}
    every = {stranger.address: "REJECT" for stranger in STRANGERS["ipv4"]}
    some = {STRANGERS["ipv4"][0].address: "REJECT"}
    six = {stranger.address: "REJECT" for stranger in STRANGERS["ipv6"]}
    assert found(None, AdmissionEvidence({"cidr:/c": some}), **values) == []
    assert found(None, AdmissionEvidence({"cidr:/c": every}), **values) == [("refuses_strangers", "error")]
    assert found(None, AdmissionEvidence({"cidr:/c": six}), **values) == [("refuses_strangers", "warning")]
    assert found(None, AdmissionEvidence({"cidr:/c": six}), inet_protocols="ipv4", **values) == []
    assert found(None, AdmissionEvidence({"cidr:/c": six}), inet_protocols="ipv6", **values)[0][1] == "error"


def test_client_whose_mail_is_thrown_away_is_not_refused() -> None:
    evidence = AdmissionEvidence({"cidr:/c": {stranger.address: "DISCARD" for stranger in STRANGERS["ipv4"]}})
    values = {"smtpd_client_restrictions": "check_client_access cidr:/c", "smtpd_helo_restrictions": "reject"}
    assert found(None, evidence, inet_protocols="ipv4", **values) == []


def test_domain_that_a_table_refuses_is_named() -> None:
    evidence = AdmissionEvidence({"hash:/r": {"away.example": "REJECT", "elsewhere.example": "REJECT"}})
    finding = one(None, evidence, smtpd_recipient_restrictions="check_recipient_access hash:/r")
    assert (finding.check, finding.severity, finding.domain) == ("refuses_strangers", "error", "away.example")


@pytest.mark.parametrize(
    ("values", "severity"),
    [
        ({"smtpd_tls_security_level": "encrypt"}, "warning"),
        ({"smtpd_tls_security_level": "Encrypt", CERTIFICATE: ""}, "error"),
        ({"smtpd_tls_security_level": "encrypt", CERTIFICATE: "none"}, "error"),
        ({"smtpd_tls_security_level": "encrypt", CERTIFICATE: "/gone"}, "error"),
        ({"smtpd_tls_security_level": "encrypt", "smtpd_tls_req_ccert": "yes"}, "error"),
        ({"smtpd_tls_security_level": "may", "smtpd_tls_req_ccert": "yes"}, ""),
        ({"smtpd_tls_security_level": "", "smtpd_enforce_tls": "yes"}, "warning"),
        ({"smtpd_tls_security_level": "may", "smtpd_enforce_tls": "yes"}, ""),
        ({"smtpd_tls_wrappermode": "yes"}, "error"),
        ({"smtpd_client_restrictions": "reject_plaintext_session"}, "warning"),
        ({"smtpd_client_restrictions": "reject_plaintext_session", "smtpd_tls_security_level": ""}, "error"),
        ({"smtpd_tls_security_level": "may", CERTIFICATE: ""}, ""),
    ],
)
def test_tls_that_senders_have_to_use(values: dict[str, str], severity: str) -> None:
    evidence = AdmissionEvidence(missing_files=frozenset({"/gone"}))
    assert found(None, evidence, **values) == ([("demands_tls", severity)] if severity else [])


@pytest.mark.parametrize(
    ("values", "limited"),
    [
        ({"smtpd_client_connection_rate_limit": "1"}, True),
        ({"smtpd_client_connection_rate_limit": "0"}, False),
        ({"smtpd_client_connection_count_limit": "1"}, True),
        ({"smtpd_client_message_rate_limit": "100"}, False),
        ({"smtpd_hard_error_limit": "1"}, True),
        ({"smtpd_hard_error_limit": "20"}, False),
        ({"smtpd_recipient_limit": "99"}, True),
        ({"smtpd_recipient_limit": "100"}, False),
        ({"smtpd_client_recipient_rate_limit": "99"}, True),
        ({"smtpd_client_recipient_rate_limit": "100"}, False),
        ({"message_size_limit": "50"}, True),
        ({"message_size_limit": "0"}, False),
        ({"message_size_limit": "65536"}, False),
        ({"smtpd_timeout": "5s"}, True),
        ({"default_process_limit": "1"}, True),
        ({"smtpd_upstream_proxy_protocol": "haproxy"}, True),
    ],
)
def test_limits_that_cut_senders_off_are_told_with_their_value(values: dict[str, str], limited: bool) -> None:
    ((name, value),) = values.items()
    seen = findings(**values)
    assert [(finding.check, finding.severity) for finding in seen] == [("strangers_limited", "warning")] * limited
    assert all(f"{name} is {value}" in finding.message for finding in seen)


def test_service_for_balancers_beside_port_25_turns_nobody_away() -> None:
    balanced = service("2525", smtpd_upstream_proxy_protocol="haproxy")
    assert found([balanced]) == [("strangers_limited", "warning")]
    assert found([service(), balanced]) == []


@pytest.mark.parametrize(
    ("unit", "rate", "least"),
    [("60s", "9", 10), ("60s", "10", 0), ("1s", "10", 0), ("1s", "9", 10), ("1h", "599", 600), ("1h", "600", 0)],
)
def test_rate_is_judged_by_the_time_in_which_it_is_counted(unit: str, rate: str, least: int) -> None:
    seen = findings(anvil_rate_time_unit=unit, smtpd_client_connection_rate_limit=rate)
    per = " in 1h" if unit == "1h" else ""
    expected = (
        f"smtpd_client_connection_rate_limit is {rate}{per}: ordinary senders are cut off",
        f"set smtpd_client_connection_rate_limit to {least} or more, or to 0 for no limit",
    )
    assert [(finding.message, finding.remedy) for finding in seen] == [expected] * bool(least)


def test_limit_of_a_service_of_its_own_counts() -> None:
    own = service(smtpd_client_connection_rate_limit="1")
    assert found([own]) == [("strangers_limited", "warning")]
    assert "smtpd_client_connection_rate_limit of smtp/inet is 1" in one([own]).message
    # Own clients alone come there.
    assert found([service(), service("submission", smtpd_client_connection_rate_limit="1")]) == []


def test_postscreen_counts_connections_as_well() -> None:
    name = "postscreen_client_connection_count_limit"
    behind = service("smtpd", "pass")
    before = service(command="postscreen", limit="1")
    assert found([before, behind], **{name: "1"}) == [("strangers_limited", "warning")]
    assert found([before, behind], **{name: "50"}) == []
    assert found(None, **{name: "1"}) == []
    own = service(command="postscreen", limit="1", **{name: "2"})
    assert f"{name} of smtp/inet is 2" in one([own, behind], **{name: "50"}).message


def test_table_that_can_not_be_asked_counts_where_strangers_come_to_it() -> None:
    evidence = AdmissionEvidence(unread={"hash:/gone": "no such file"})
    finding = one(None, evidence, smtpd_sender_restrictions="check_sender_access hash:/gone")
    assert (finding.check, finding.severity) == ("restriction_table", "error")
    assert finding.remedy.startswith("run postmap hash:/gone, or remove")
    assert found(None, evidence, smtpd_sender_restrictions="permit, check_sender_access hash:/gone") == []
    assert found(None, evidence, virtual_alias_maps="hash:/other, hash:/gone") == [("message_table", "error")]


def test_standby_of_ours_is_for_its_own_check() -> None:
    evidence = AdmissionEvidence(silent={"unix:mxrelay/standby": "No such file or directory"})
    assert found(None, evidence, smtpd_recipient_restrictions=RESTRICTIONS) == []


def test_policy_service_that_is_silent() -> None:
    evidence = AdmissionEvidence(silent={"unix:private/p": "No such file or directory"})
    asking = "smtpd_recipient_restrictions"
    assert found(None, evidence, **{asking: "check_policy_service unix:private/p"}) == [("policy_service", "error")]
    lax = "check_policy_service { unix:private/p, default_action=DUNNO }"
    assert found(None, evidence, **{asking: lax}) == [("policy_service", "warning")]
    assert found(None, evidence, **{asking: "check_policy_service unix:private/q"}) == []


def test_sasl_server_that_is_silent() -> None:
    evidence = AdmissionEvidence(silent={"unix:private/auth": "No such file or directory"})
    values = {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth"}
    assert found(None, evidence, **values) == [("sasl_socket", "error")]
    assert found([service(smtpd_sasl_auth_enable="no")], evidence, **values) == []


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("smtpd_helo_required", "maybe", True),
        ("smtpd_helo_required", "YES", False),
        ("smtpd_hard_error_limit", "x", True),
        ("smtpd_hard_error_limit", "0", True),
        ("smtpd_hard_error_limit", "20", False),
        ("smtpd_hard_error_limit", "2147483648", True),
        ("smtpd_timeout", "5x", True),
        ("smtpd_timeout", "24855d", True),
        ("smtpd_tls_security_level", "maybe", True),
        ("smtpd_tls_security_level", "", False),
        ("unverified_recipient_tempfail_action", "permit", True),
        ("unverified_recipient_tempfail_action", "", True),
        ("smtpd_banner", "anything", False),
        ("smtpd_helo_required", "${other?{yes}:{no}}", False),
    ],
)
def test_value_with_which_a_daemon_does_not_start(name: str, value: str, wrong: bool) -> None:
    defaults = {
        "smtpd_banner": "$myhostname ESMTP",
        "smtpd_hard_error_limit": "${stress?{1}:{20}}",
        "smtpd_helo_required": "no",
        "smtpd_timeout": "${stress?{10}:{300}}s",
    }
    seen = [finding.check for finding in findings(None, AdmissionEvidence(defaults=defaults), **{name: value})]
    assert ("parameter_value" in seen) is wrong
    overridden = findings([service(**{name: value})], AdmissionEvidence(defaults=defaults))
    told = [finding.message for finding in overridden if finding.check == "parameter_value"]
    assert any(f"{name} of smtp/inet" in message for message in told) is wrong


@pytest.mark.parametrize(
    ("name", "value", "severity", "right"),
    [
        ("smtpd_hard_error_limit", "20     # few", "error", "20"),
        ("smtpd_hard_error_limit", "20 #few", "error", "20"),
        ("smtpd_helo_required", "yes # no", "error", "yes"),
        ("smtpd_timeout", "300s # long", "error", "300s"),
        ("inet_protocols", "ipv4 # no IPv6 here", "error", "ipv4"),
        ("relay_domains", "a.example, b.example # both", "warning", "a.example, b.example"),
    ],
)
def test_comment_behind_a_value_is_named_as_such(name: str, value: str, severity: str, right: str) -> None:
    defaults = {
        "relay_domains": "",
        "smtpd_hard_error_limit": "${stress?{1}:{20}}",
        "smtpd_helo_required": "no",
        "smtpd_timeout": "${stress?{10}:{300}}s",
    }
    told = findings(None, AdmissionEvidence(defaults=defaults), **{name: value})
    (finding,) = (finding for finding in told if finding.check == "parameter_value")
    assert finding.severity == severity
    assert finding.message.startswith(f"{name} is {value}: Postfix takes #")
    assert finding.remedy == f"set {name} to {right}, and write the comment on a line of its own"


@pytest.mark.parametrize("value", ["#", "a#b", "maybe # not"])
def test_value_that_is_wrong_by_itself_or_has_a_sign_of_its_own_has_no_comment(value: str) -> None:
    told = findings(None, AdmissionEvidence(defaults={"smtpd_helo_required": "no"}), smtpd_helo_required=value)
    (remedy,) = (finding.remedy for finding in told if finding.check == "parameter_value")
    assert remedy == "set smtpd_helo_required to yes or no"


def of_interfaces(addresses: dict[str, tuple[str, ...]] | None, **values: str) -> list[str]:
    """What is found of the lists of addresses on a host with 192.0.2.9, where names have these addresses."""
    every = {**VALUES, **values}
    own = frozenset({"127.0.0.1", "192.0.2.9", "2001:db8::9"})
    state = HostState(values=every, explicit={}, own_addresses=own, interface_addresses=addresses)
    return [finding.message for finding in admission.parameter_value(state, HostFacts())]


@pytest.mark.parametrize(
    ("values", "addresses"),
    [
        ({"inet_interfaces": "all"}, {}),
        ({"inet_interfaces": "loopback-only"}, {}),
        ({"inet_interfaces": "192.0.2.9, [2001:db8::9]"}, {}),
        ({"inet_interfaces": "localhost", "inet_protocols": "ipv4"}, {"localhost": ("127.0.0.1", "::1")}),
        ({"proxy_interfaces": "198.51.100.1, [2001:db8::1]"}, {}),
        ({"proxy_interfaces": "nat.example"}, {"nat.example": ("198.51.100.1",)}),
        # Nobody looked.
        ({"proxy_interfaces": "nat.example"}, None),
    ],
)
def test_addresses_that_postfix_finds(values: dict[str, str], addresses: dict[str, tuple[str, ...]] | None) -> None:
    assert of_interfaces(addresses, **values) == []


@pytest.mark.parametrize(
    ("values", "addresses", "wrong"),
    [
        ({"inet_interfaces": "192.0.2.77"}, {}, "has 192.0.2.77, which is no address of this host"),
        (
            {"inet_interfaces": "mx.example"},
            {"mx.example": ("127.0.1.1",)},
            "has mx.example, which is no address of this host",
        ),
        *(
            (
                {"proxy_interfaces": member},
                addresses,
                f"has {member}, which has no address that Postfix uses, or does not resolve",
            )
            for member, addresses in (
                ("gone.example", {"gone.example": ()}),
                ("192.0.2.300", {"192.0.2.300": ()}),
                ("192.0.2.0/24", {"192.0.2.0/24": ()}),
            )
        ),
        (
            {"proxy_interfaces": "2001:db8::1", "inet_protocols": "ipv4"},
            {},
            "has 2001:db8::1, which has no address that Postfix uses, or does not resolve",
        ),
        (
            {"proxy_interfaces": "192.0.2.300"},
            None,
            "has 192.0.2.300, which is neither an address nor the name of a host",
        ),
    ],
)
def test_addresses_that_postfix_does_not_find(
    values: dict[str, str], addresses: dict[str, tuple[str, ...]] | None, wrong: str
) -> None:
    name = next(iter(values))
    assert of_interfaces(addresses, **values) == [f"{name} {wrong}: a daemon that reads it does not start"]


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"mailbox_size_limit": "0", "message_size_limit": "0"}, False),
        ({"mailbox_size_limit": "51200000", "message_size_limit": "51200000"}, False),
        ({"mailbox_size_limit": "51200000", "message_size_limit": "51200001"}, True),
        ({"mailbox_size_limit": "51200000", "message_size_limit": "0"}, True),
        ({"mailbox_size_limit": "51200000", "message_size_limit": "0", "mydestination": ""}, False),
    ],
)
def test_mailbox_takes_the_largest_message(values: dict[str, str], wrong: bool) -> None:
    assert found(**{"mydestination": "mx.example", **values}) == [("parameter_value", "warning")] * wrong


def test_tables_and_policies_that_etrn_asks_answer_too() -> None:
    table, policy = "check_client_access hash:/gone", "check_policy_service unix:private/gone"
    evidence = AdmissionEvidence(unread={"hash:/gone": "no such file"}, silent={"unix:private/gone": "nobody listens"})
    etrn = f"permit_mynetworks, {table}, {policy}, reject"
    assert found(None, evidence, smtpd_etrn_restrictions=etrn) == [
        ("restriction_table", "error"),
        ("policy_service", "error"),
    ]
    assert found(None, AdmissionEvidence(), smtpd_etrn_restrictions=etrn) == []


def test_override_of_any_service_is_read_by_a_daemon() -> None:
    relay = service("relay", "unix", "smtp", smtp_connect_timeout="5x")
    defaults = {"smtp_connect_timeout": "30s"}
    assert one([service(), relay], AdmissionEvidence(defaults=defaults)).message == (
        "smtp_connect_timeout of relay/unix is 5x: a daemon that reads it does not start, and port 25 may stay silent"
    )
