# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Begins TLS with an SMTP server to see the certificate that it shows. No mail is handed in."""

from __future__ import annotations

import importlib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import ServedCertificate
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.certificate_files import leaf_of, trusting
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.opportunistic_tls import any_certificate

# For each thing that is waited for: by this host itself, and by another, from which postscreen holds its greeting back.
SECONDS = 3.0
SECONDS_AWAY = 15.0
READY = 220


@dataclass(frozen=True)
class _Place:
    server: str
    port: int
    name: str
    helo: str
    seconds: float


def served_certificate(
    server: str, port: int, name: str = "", helo: str = "", seconds: float = SECONDS
) -> ServedCertificate:
    """What the server shows to who asks for `name`. It is asked again if no root that is trusted here leads to it."""
    place = _Place(server, port, name, helo, seconds)
    try:
        return _shown(place, trusting(), "")
    except ssl.SSLCertVerificationError as error:
        untrusted = str(error.verify_message)
    except (OSError, ValueError) as error:
        return ServedCertificate(server, failure=str(error) or type(error).__name__)
    try:
        return _shown(place, any_certificate(), untrusted)
    except (OSError, ValueError) as error:
        return ServedCertificate(server, failure=str(error) or type(error).__name__)


def _shown(place: _Place, settings: ssl.SSLContext, untrusted: str) -> ServedCertificate:
    """What it shows. Raises OSError, an SSLCertVerificationError among them, and ValueError."""
    server = place.server
    # Few hosts are asked, and importing it takes as long as a whole plan.
    library = importlib.import_module("smtplib")
    link = library.SMTP(local_hostname=place.helo or None, timeout=place.seconds)
    try:
        code, text = link.connect(server, place.port)
        if code != READY:
            return ServedCertificate(server, failure=f"it answers the connection with {code} {_line(text)}")
        link.ehlo()
        if not link.has_extn("starttls"):
            return ServedCertificate(server)
        code, text = link.docmd("STARTTLS")
        if code != READY:
            return ServedCertificate(server, True, f"it answers STARTTLS with {code} {_line(text)}")
        return _begun(server, link.sock, place.name, settings, untrusted)
    finally:
        link.close()


def _begun(server: str, link: Any, name: str, settings: ssl.SSLContext, untrusted: str) -> ServedCertificate:
    asked_for = name if name and not is_address(name) else None
    try:
        with settings.wrap_socket(link, server_hostname=asked_for) as secured:
            certificate = leaf_of(secured.getpeercert(True))
            # All is known by now, in whatever way the server takes its leave.
            with suppress(OSError):
                secured.sendall(b"QUIT\r\n")
                secured.recv(512)
            return ServedCertificate(server, True, certificate=certificate, untrusted=untrusted)
    except ssl.SSLCertVerificationError:
        raise
    except OSError as error:
        return ServedCertificate(server, True, f"the handshake fails: {error}")


def _line(text: bytes) -> str:
    return text.decode("utf-8", "replace").replace("\n", " ")
