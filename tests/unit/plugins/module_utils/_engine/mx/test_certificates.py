# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.certificates import read_trust
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result, Take
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

SELF_SIGNED = "posttls-finger: certificate verification failed for m[192.0.2.1]:25: self-signed certificate\n"
UNTRUSTED = "posttls-finger: Untrusted TLS connection established to m[192.0.2.1]:25: TLSv1.3\n"
TRUSTED = "posttls-finger: Trusted TLS connection established to m[192.0.2.1]:25: TLSv1.3\n"
VERIFIED = "posttls-finger: Verified TLS connection established to m[192.0.2.1]:25: TLSv1.3\n"
TALK = Talk("mail.example", banner=(220, "ready"), extensions={"starttls": ""}, port=2525)


class Finger:
    """posttls-finger, which says what it was given."""

    def __init__(self, says: str | None) -> None:
        self.says = says
        self.asked: list[Sequence[str]] = []

    def run(self, argv: Sequence[str], **_how: object) -> Result:
        self.asked.append(argv)
        if self.says is None:
            raise FileNotFoundError(argv[0])
        return Result(0, self.says, "")

    def stream(self, argv: Sequence[str], take: Take, seconds: float | None = None) -> Result:
        raise NotImplementedError


def host(level: str, **values: str) -> HostState:
    relay = Service("relay", "unix", "-", "-", "y", "-", "-", "smtp", {"smtp_tls_security_level": level})
    names = {
        "smtp_tls_secure_cert_match": "nexthop, dot-nexthop, other.example",
        "smtp_tls_verify_cert_match": "hostname",
    }
    return HostState(values={**names, **values}, services=[relay])


def domain(name: str = "x.example", nexthop: str = "[mail.example]:2525", talk: Talk | None = TALK) -> DomainEvidence:
    return DomainEvidence(name, name, answer=Capture("hash:/t", name, f"relay:{nexthop}"), talk=talk)


@pytest.mark.parametrize(
    ("says", "untrusted"),
    [
        (VERIFIED, ""),
        (SELF_SIGNED + UNTRUSTED, "self-signed certificate"),
        (TRUSTED, "its certificate is for another name"),
        ("posttls-finger: Destination address lookup failed\n", ""),
    ],
)
def test_certificate_is_the_one_that_is_demanded_if_it_is_verified(says: str, untrusted: str) -> None:
    evidence = domain()
    assert read_trust([evidence], host("secure"), Postfix(Finger(says))) == []
    assert evidence.untrusted == untrusted


def test_certificate_is_tried_by_the_names_and_authorities_of_the_service() -> None:
    finger = Finger(VERIFIED)
    files = {"smtp_tls_CAfile": "/etc/ca.pem", "smtp_tls_CApath": ""}
    same = [domain(), domain("y.example"), domain(nexthop="customer.example")]
    assert read_trust(same, host("secure", **files), Postfix(finger)) == []
    options = [
        "posttls-finger",
        "-c",
        "-t",
        "10",
        "-T",
        "10",
        "-l",
        "secure",
        "-F",
        "/etc/ca.pem",
        "[mail.example]:2525",
    ]
    assert [list(command) for command in finger.asked] == [
        [*options, "mail.example", ".mail.example", "other.example"],
        [*options, "customer.example", ".customer.example", "other.example"],
    ]


@pytest.mark.parametrize("level", ["", "none", "may", "encrypt"])
def test_nothing_is_tried_where_no_certificate_is_demanded(level: str) -> None:
    finger = Finger(SELF_SIGNED + UNTRUSTED)
    assert read_trust([domain()], host(level), Postfix(finger)) == []
    assert read_trust([domain(talk=None)], host("secure"), Postfix(finger)) == []
    assert finger.asked == []


@pytest.mark.parametrize(
    ("level", "values"), [("dane", {}), ("fingerprint", {}), ("may", {"smtp_tls_policy_maps": "hash:/t"})]
)
def test_what_was_not_tried_is_said(level: str, values: dict[str, str]) -> None:
    assert read_trust([domain()], host(level, **values), Postfix(Finger(None))) == [
        f"relay/unix: what its level of TLS ({level}) demands of certificates was not tried"
    ]


def test_host_without_the_command_is_said_once() -> None:
    finger = Finger(None)
    assert read_trust([domain(), domain()], host("verify"), Postfix(finger)) == [
        "mail.example: its certificate was not tried, as posttls-finger(1) tells nothing"
    ]
    assert len(finger.asked) == 1
