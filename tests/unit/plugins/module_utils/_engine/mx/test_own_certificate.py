# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.own_certificate import (
    read_certificate_to_be,
    read_own_certificate,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    CertificateEvidence,
    ServedCertificate,
    TlsaRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.chains import Chain
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeNetwork
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import host, listed, service

SMTP = service("smtp", "inet", "smtpd")
OWN = MxRecord(10, "mx.x.example", ("192.0.2.9",))
OTHER = MxRecord(20, "other.example", ("192.0.2.1",))
RECORD = TlsaRecord(3, 1, 1, b"")


class Seen(FakeNetwork):
    """Every port shows a certificate; whom it was asked of is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[tuple[str, int, str]] = []

    def certificate(self, server: str, port: int, name: str, away: bool = False) -> ServedCertificate:
        assert not away
        self.places.append((server, port, name))
        return ServedCertificate(server, True)


@pytest.fixture
def made(tmp_path: Path) -> Chain:
    return Chain(tmp_path)


def to_be(made: Chain, network: FakeNetwork, state: HostState | None = None) -> CertificateEvidence:
    pair = {"chain": str(made.chain), "key": str(made.key)}
    request = read_request({"role": "secondary_mx", "domains": [listed()], "certificate": pair})
    return read_certificate_to_be(request, state or host(), network).certificates


def test_nothing_is_read_without_the_setting() -> None:
    network = Seen()
    request = read_request({"role": "secondary_mx", "domains": [listed()]})
    assert read_certificate_to_be(request, host(), network).certificates == CertificateEvidence()
    request = read_request({"role": "secondary_mx", "domains": [listed()], "certificate": {"chain": "/c"}})
    assert read_certificate_to_be(request, host(), network).certificates == CertificateEvidence()
    assert (network.places, network.asked) == ([], [])


def test_files_and_what_is_shown_are_read(made: Chain) -> None:
    network = Seen()
    found = to_be(made, network)
    assert [files.certificates for files in found.files] == [[made.own.read, made.authority.read]]
    assert found.served == [ServedCertificate("smtp/inet", True)]
    assert (found.names, network.asked) == (["mx.example"], [])
    assert abs(found.now - time.time()) < 60


def test_dns_is_asked_where_the_certificate_is_for_another_name(tmp_path: Path) -> None:
    network = Seen()
    network.records["x.example"] = (OWN, OTHER)
    found = to_be(Chain(tmp_path, "mx.x.example"), network)
    assert (found.names, network.asked) == (["mx.example", "mx.x.example"], ["x.example"])


def test_host_without_postfix_has_files_only(made: Chain) -> None:
    found = to_be(made, Seen(), HostState(installed=False))
    assert (len(found.files), found.served, found.names) == (1, [], [])


def read(*services: Service, network: FakeNetwork | None = None, **values: str) -> CertificateEvidence:
    domain = DomainEvidence("x.example", exchangers=(OWN, OTHER))
    state = replace(host(values=values), services=services or (SMTP,))
    return read_own_certificate(state, [domain], network or FakeNetwork()).certificates


def test_names_and_their_records_are_those_of_this_host() -> None:
    network = FakeNetwork()
    network.pinned = {"mx.x.example": (RECORD,), "other.example": (RECORD,)}
    found = read(network=network)
    assert (found.names, found.tlsa) == (["mx.example", "mx.x.example"], {"mx.x.example": (RECORD,)})


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, []),
        ({"smtpd_tls_chain_files": "/k, /c"}, [("/c", "/k")]),
        ({"smtpd_tls_chain_files": "/both", "smtpd_tls_cert_file": "/c"}, [("/both", "/both")]),
        ({"smtpd_tls_cert_file": "/c", "smtpd_tls_key_file": "/k"}, [("/c", "/k")]),
        ({"smtpd_tls_cert_file": "/c", "smtpd_tls_key_file": ""}, [("/c", "/c")]),
        ({"smtpd_tls_cert_file": "none"}, []),
    ],
)
def test_files_are_those_by_which_the_services_go(values: dict[str, str], named: list[tuple[str, str]]) -> None:
    assert [(files.chain, files.key) for files in read(**values).files] == named


def test_each_service_has_files_of_its_own() -> None:
    more = service("2525", "inet", "smtpd", smtpd_tls_chain_files="/other")
    found = read(SMTP, more, smtpd_tls_chain_files="/k, /c")
    assert [files.chain for files in found.files] == ["/c", "/other"]


CLOSED: dict[str, Any] = {"smtpd_relay_restrictions": "permit_sasl_authenticated,reject"}


@pytest.mark.parametrize(
    ("services", "values", "places"),
    [
        ((SMTP,), {}, [("127.0.0.1", 25)]),
        ((SMTP,), {"inet_protocols": "ipv6"}, [("::1", 25)]),
        ((SMTP,), {"inet_interfaces": "[2001:db8::1], 192.0.2.9"}, [("2001:db8::1", 25)]),
        ((service("192.0.2.9:smtp", "inet", "smtpd"),), {}, [("192.0.2.9", 25)]),
        ((service("0.0.0.0:2525", "inet", "smtpd"),), {}, [("127.0.0.1", 2525)]),
        ((service("submission", "inet", "smtpd", **CLOSED),), {}, []),
        ((service("465", "inet", "smtpd", smtpd_tls_wrappermode="yes"),), {}, []),
        ((service("smtp", "inet", "postscreen"), service("smtpd", "pass", "smtpd")), {}, [("127.0.0.1", 25)]),
        # Who does not say for whom he asks is not heard there.
        ((service("smtp", "inet", "postscreen", postscreen_upstream_proxy_protocol="haproxy"),), {}, []),
        ((service("smtp", "inet", "smtpd", smtpd_upstream_proxy_protocol="haproxy"),), {}, []),
        ((service("nowhere", "inet", "smtpd"),), {}, []),
    ],
)
def test_services_for_strangers_are_asked(
    services: tuple[Service, ...], values: dict[str, str], places: list[tuple[str, int]]
) -> None:
    network = Seen()
    assert [served.server for served in read(*services, network=network, **values).served] == [
        asked.key for asked in services[: len(places)]
    ]
    assert network.places == [(*place, "mx.example") for place in places]


def test_certificates_of_other_names_are_not_asked_for() -> None:
    network = Seen()
    read(network=network, tls_server_sni_maps="hash:/sni")
    assert network.places == [("127.0.0.1", 25, "")]
