# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.postscreen import postscreen
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.postscreen import PostscreenEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

VALUES = {
    "default_process_limit": "100",
    "mynetworks": "127.0.0.0/8, 192.0.2.0/28",
    "postscreen_access_list": "permit_mynetworks",
    "postscreen_cache_map": "btree:/var/lib/postfix/postscreen_cache",
    "postscreen_dnsbl_sites": "",
    "postscreen_tls_security_level": "",
    "smtpd_service_name": "smtpd",
}


def service(
    name: str = "smtp", kind: str = "inet", command: str = "postscreen", limit: str = "1", **own: str
) -> Service:
    return Service(name, kind, "-", "-", "-", "-", limit, command, dict(own))


BEHIND = service("smtpd", "pass", "smtpd", "-")
HELPERS = [service("dnsblog", "unix", "dnsblog", "0"), service("tlsproxy", "unix", "tlsproxy", "0")]


def found(*services: Service, known: dict[str, Any] | None = None, **values: str) -> list[tuple[str, str, str]]:
    every = {**VALUES, **values}
    state = HostState(
        parameters=every,
        values=every,
        explicit=values,
        services=services or [service(), BEHIND],
        postscreen=PostscreenEvidence(**(known or {})),
    )
    return [(fault.severity, fault.message, fault.remedy) for fault in postscreen(state, HostFacts())]


def remedies(*services: Service, **given: Any) -> list[tuple[str, str]]:
    return [(severity, remedy) for severity, _message, remedy in found(*services, **given)]


def test_postscreen_that_lets_mail_in_has_no_fault() -> None:
    assert found() == []
    assert (
        found(*[service(), BEHIND, *HELPERS], postscreen_dnsbl_sites="bl.example", postscreen_tls_security_level="may")
        == []
    )


def test_postscreen_needs_one_process_and_a_server_behind_it() -> None:
    assert remedies(service(limit="-"), BEHIND) == [("error", "set the process limit of smtp/inet to 1")]
    assert remedies(service()) == [("error", "add the service smtpd, type pass, command smtpd")]
    other = remedies(service(smtpd_service_name="other"), BEHIND)
    assert other == [("error", "add the service other, type pass, command smtpd")]
    assert found(service("127.0.0.1:smtp", limit="-")) == []


def test_silence_is_told_whatever_the_files_say() -> None:
    silent = {"asked": "192.0.2.9", "silent": "it does not answer the connection within 15 s"}
    ((severity, message, _remedy),) = found(known=silent)
    assert severity == "error"
    assert message == "postscreen (smtp/inet) greets nobody at 192.0.2.9: it does not answer the connection within 15 s"


def test_helpers_that_are_missing_are_told() -> None:
    assert remedies(postscreen_dnsbl_sites="bl.example") == [
        ("warning", "add the service dnsblog, type unix, command dnsblog, process limit 0")
    ]
    assert remedies(postscreen_tls_security_level="may") == [
        ("warning", "add the service tlsproxy, type unix, command tlsproxy, process limit 0")
    ]


def test_cache_that_keeps_nothing_is_told_with_a_type_that_works() -> None:
    known = {"cache_problem": "unsupported", "cache_type": "lmdb"}
    assert remedies(known=known, postscreen_cache_map="cdb:/x") == [
        ("warning", "set postscreen_cache_map to lmdb:$data_directory/postscreen_cache")
    ]


@pytest.mark.parametrize("name", ["pipelining", "non_smtp_command", "bare_newline"])
def test_deep_test_puts_everybody_off_once(name: str) -> None:
    own = service(**{f"postscreen_{name}_enable": "yes"})
    assert remedies(own, BEHIND) == [("warning", f"set postscreen_{name}_enable of smtp/inet to no")]


@pytest.mark.parametrize(
    ("addresses", "let_in", "mynetworks", "waits"),
    [
        (["192.0.2.20", "2001:db8::20"], [], VALUES["mynetworks"], True),
        (["192.0.2.14", "192.0.2.20"], [], VALUES["mynetworks"], False),
        (["192.0.2.20"], ["192.0.2.20"], VALUES["mynetworks"], False),
        (["2001:db8::20"], [], "[2001:db8::]/64", False),
        # Nobody knows whom the file has.
        (["192.0.2.20"], [], "/etc/postfix/networks", False),
    ],
)
def test_other_mx_hosts_are_to_be_let_in(addresses: list[str], let_in: list[str], mynetworks: str, waits: bool) -> None:
    known = {"exchangers": {"mx2.example": addresses}, "let_in": frozenset(let_in)}
    inline = ",".join(f"{address}=permit" for address in addresses)
    expected = [("warning", f"add inline:{{{inline}}} to postscreen_access_list, behind permit_mynetworks")]
    assert remedies(known=known, mynetworks=mynetworks) == (expected if waits else [])
    balanced = service(postscreen_upstream_proxy_protocol="haproxy")
    assert remedies(balanced, BEHIND, known=known, mynetworks=mynetworks) == []
