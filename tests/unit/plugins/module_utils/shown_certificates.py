# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate of an MX host, its issuers, and what the host shows or says instead, as evidence has them."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    CertificateFiles,
    ServedCertificate,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.x509 import Certificate

A_DAY = 86400
NOW = 20000.0 * A_DAY  # 2024-10-04
OWN = Certificate(b"own", b"key", b"own", b"authority", 19900 * A_DAY, 20030 * A_DAY, ("mx.example",))
ISSUER = Certificate(b"issuer", b"issuerkey", b"authority", b"root", 0, 30000 * A_DAY)
ROOT = Certificate(b"root", b"rootkey", b"root", b"root", 0, 10 * A_DAY)
FILES = CertificateFiles("/c", "/k", certificates=[OWN, ISSUER, ROOT], own=0)
SHOWN = ServedCertificate("smtp/inet", True, certificate=OWN)
REFUSED = replace(SHOWN, certificate=None, refused="it answers STARTTLS with 454 not available")
PLAIN = ServedCertificate("smtp/inet")
DEAD = ServedCertificate("smtp/inet", failure="Connection refused")
