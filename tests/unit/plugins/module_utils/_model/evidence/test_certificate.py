# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    CertificateEvidence,
    CertificateFiles,
    ServedCertificate,
    TlsaRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.x509 import Certificate

OLD, NEW = (Certificate(text, text + b"key", b"", b"", 0, 0) for text in (b"old", b"new"))
FILES = CertificateFiles("/c", "/k", certificates=[NEW], own=0)


def evidence(*served: ServedCertificate, files: CertificateFiles = FILES) -> CertificateEvidence:
    return CertificateEvidence([files], served)


@pytest.mark.parametrize(
    ("served", "behind", "live"),
    [
        (ServedCertificate("smtp/inet", True, certificate=NEW), False, True),
        (ServedCertificate("smtp/inet", True, certificate=OLD), True, False),
        (ServedCertificate("smtp/inet", True, refused="454"), True, False),
        (ServedCertificate("smtp/inet"), False, False),
        (ServedCertificate("smtp/inet", failure="refused"), False, False),
    ],
)
def test_service_that_shows_another_certificate_is_behind(served: ServedCertificate, behind: bool, live: bool) -> None:
    found = evidence(served)
    assert (bool(found.behind), found.live) == (behind, live)
    assert bool(evidence(ServedCertificate("a", True, certificate=NEW), served).behind) is behind


@pytest.mark.parametrize("fields", [{"own": 1}, {"own": None}, {"unread": {"/k": "is missing"}}])
def test_files_that_can_not_be_used_have_no_leaf(fields: dict[str, Any]) -> None:
    broken = replace(FILES, **fields)
    assert broken.leaf is None
    assert evidence(ServedCertificate("smtp/inet", True, certificate=OLD), files=broken).behind == []


@pytest.mark.parametrize(
    ("selector", "matching", "data"),
    [
        (0, 0, b"new"),
        (1, 0, b"newkey"),
        (0, 1, hashlib.sha256(b"new").digest()),
        (1, 2, hashlib.sha512(b"newkey").digest()),
    ],
)
def test_record_names_a_certificate_or_its_key(selector: int, matching: int, data: bytes) -> None:
    record = TlsaRecord(3, selector, matching, data)
    assert (record.names(NEW), record.names(OLD)) == (True, False)


def test_record_of_an_unknown_kind_names_nothing() -> None:
    assert TlsaRecord(3, 1, 9, b"newkey").names(NEW) is False
