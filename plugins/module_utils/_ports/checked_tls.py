# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS with servers whose certificate must hold: signed by a CA that is trusted, in time, and for the server's name."""

from __future__ import annotations

import os
import ssl

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError

# Files with the CAs that a system trusts: of Debian and Alpine, Fedora, SUSE and FreeBSD.
SYSTEM_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
# What OpenSSL and libpq say, in lower case, and what is to be done. The first that is met counts.
_UNTRUSTED = (
    (("certificate has expired",), "its certificate has expired; have it renewed"),
    (("not yet valid",), "its certificate is not valid yet; correct the clock of this host, or the certificate"),
    (("revoked",), "its certificate was revoked; have a new one issued"),
    (
        ("self-signed certificate", "self signed certificate", "local issuer certificate", "unknown ca"),
        "its certificate is of a CA that is not trusted here; name the file that holds the CA as ca_file",
    ),
    (
        ("hostname mismatch", "address mismatch", "does not match host name", "doesn't match"),
        "its certificate is for another name; ask it by a name of its certificate",
    ),
    (
        ("wrong version number", "record layer failure", "unknown protocol", "packet length too long"),
        "it does not speak TLS there; correct the port",
    ),
    (("certificate verify failed",), "its certificate does not hold; look at it with openssl s_client"),
    (
        ("handshake", "alert", "protocol version", "unsupported protocol", "eof occurred in violation"),
        "TLS with it could not be begun; have it offer TLS 1.2 or 1.3",
    ),
)


def checked_certificates(ca_file: str = "") -> ssl.SSLContext:
    """Settings by which only certificates of the CAs in `ca_file` are taken, or of those that the system trusts.

    Raises SourceError for a file without certificates.
    """
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except FileNotFoundError:
        raise SourceError(f"ca_file {ca_file} is not there; correct it") from None
    except PermissionError:
        raise SourceError(f"ca_file {ca_file} can't be read by this user; give it mode 0644") from None
    except (OSError, ValueError):
        raise SourceError(f"ca_file {ca_file} holds no certificate in PEM form; correct it") from None


def certificates_file(ca_file: str = "") -> str:
    """A file with the CAs, for libraries that need one. Raises SourceError."""
    if ca_file:
        checked_certificates(ca_file)
        return ca_file
    found = next(filter(os.path.exists, (ssl.get_default_verify_paths().cafile or "", *SYSTEM_FILES)), "")
    if not found:
        raise SourceError("this host has no file of CAs that it trusts; install ca-certificates, or give ca_file")
    return found


def why_no_tls(said: str) -> str:
    """What is wrong with the TLS of a server, and what to do, by what OpenSSL said; empty if it is not about that."""
    text = said.lower()
    return next((meaning for words, meaning in _UNTRUSTED if any(word in text for word in words)), "")
