# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes, serialization

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
