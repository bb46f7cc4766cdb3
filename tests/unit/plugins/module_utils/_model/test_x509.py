# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.x509 import Certificate, read_certificate
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.chains import DER, Issued


def test_certificate_says_what_a_library_says() -> None:
    authority = Issued("Authority of a test", authority=True)
    made = Issued("MX.example", authority, days=36525)
    found = made.read
    certificate = made.certificate
    assert found.key == certificate.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert (found.subject, found.issuer) == (certificate.subject.public_bytes(), certificate.issuer.public_bytes())
    assert found.begins == certificate.not_valid_before_utc.timestamp()
    # A hundred years on, dates are written in another form.
    assert found.ends == certificate.not_valid_after_utc.timestamp()
    assert found.digest == certificate.fingerprint(hashes.SHA256()).hex()
    assert found.names == ("mx.example",)
    assert (found.self_signed, authority.read.self_signed, authority.read.names) == (False, True, ())


@pytest.mark.parametrize(
    ("names", "host", "wanted"),
    [
        (("mx.example",), "MX.example.", True),
        (("mx.example",), "example", False),
        (("a.example", "*.example"), "mx.example", True),
        (("*.example",), "a.mx.example", False),
        (("*.example",), "example", False),
        ((), "mx.example", False),
    ],
)
def test_wildcard_stands_for_one_label(names: tuple[str, ...], host: str, wanted: bool) -> None:
    assert Certificate(b"", b"", b"", b"", 0, 0, names).is_for(host) is wanted


def test_what_is_cut_is_no_certificate() -> None:
    whole = Issued("mx.example").certificate.public_bytes(DER)
    for length in range(len(whole)):
        with pytest.raises(ValueError):
            read_certificate(whole[:length])


def test_names_that_are_none_of_dns_are_left_out() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx.example")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.RFC822Name("amy@x.example"), x509.DNSName("MX.example"), x509.UniformResourceIdentifier("https://u")]
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    assert read_certificate(builder.sign(key, hashes.SHA256()).public_bytes(DER)).names == ("mx.example",)
