# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the files of a certificate and of its key as a TLS server does, and tries them as a TLS client would.

Who issued a certificate is seen by a handshake in memory: the server has the files, and the client trusts nobody but
the one who is to have issued it.
"""

from __future__ import annotations

import os
import re
import ssl
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import CertificateFiles
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.x509 import Certificate, read_certificate
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.scratch import scratch_directory

# Flags of OpenSSL that Python 3.9 has no names for: an issuer that is no root is enough, and dates do not count.
PARTIAL_CHAIN = 0x80000
NO_CHECK_TIME = 0x200000
# Of a handshake, in which each side speaks four times at most.
TURNS = 8
# Nothing of a certificate is longer.
MOST_BYTES = 1 << 20
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s.*?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----")
# Ways to say that a key is encrypted: of PKCS #8, and of older forms.
_ENCRYPTED = re.compile(r"-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED", re.MULTILINE)


def read_certificate_files(chain: str, key: str, key_first: bool = True) -> CertificateFiles:
    """What is in the files. `key_first`: they are read one after the other, so nothing may come before the key."""
    texts: dict[str, str] = {}
    unread: dict[str, str] = {}
    for path in dict.fromkeys((key, chain)):
        try:
            texts[path] = _text(path)
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            unread[path] = "is missing" if missing else f"can't be read ({error.strerror or error})"
    if unread:
        return CertificateFiles(chain, key, unread)
    pieces = _CERTIFICATE.findall(texts[chain])
    try:
        certificates = [read_certificate(ssl.PEM_cert_to_DER_cert(piece)) for piece in pieces]
    except ValueError:
        return CertificateFiles(chain, key, {chain: "holds a certificate that can't be read"})
    wrong = {} if pieces else {chain: "holds no certificate in PEM form"}
    wrong.update(_wrong_key(key, chain, texts[key], key_first))
    if wrong:
        return CertificateFiles(chain, key, wrong, certificates)
    return _tried(CertificateFiles(chain, key, {}, certificates, exposed=_exposed(key)), pieces)


def _text(path: str) -> str:
    """The text of the file. Raises OSError."""
    with open(path, encoding="ascii", errors="replace") as stream:
        return stream.read(MOST_BYTES)


def _wrong_key(path: str, chain: str, text: str, key_first: bool) -> dict[str, str]:
    found = _KEY.search(text)
    if found is None:
        return {path: "holds no private key in PEM form"}
    if _ENCRYPTED.search(text):
        return {path: "is encrypted, and nobody is there to tell Postfix its passphrase"}
    certificate = _CERTIFICATE.search(text) if key_first else None
    if certificate and path != chain:
        return {path: "holds a certificate as well as the key; leave that out, or name this file as the chain, too"}
    if certificate and certificate.start() < found.start():
        return {path: "holds the certificate before the key, and Postfix wants the key first"}
    return {}


def _exposed(path: str) -> bool:
    """Whether everybody can read the file, by its mode and those of the directories that lead to it."""
    real = os.path.realpath(path)
    with suppress(OSError):
        if not os.stat(real).st_mode & stat.S_IROTH:
            return False
        parent = os.path.dirname(real)
        while parent != os.path.dirname(parent):
            if not os.stat(parent).st_mode & stat.S_IXOTH:
                return False
            parent = os.path.dirname(parent)
        return True
    return False


def _tried(files: CertificateFiles, pieces: Sequence[str]) -> CertificateFiles:
    """The same with what a handshake shows of it."""
    server = _server(files.chain, files.key)
    if server is None:
        return replace(files, own=_place_of_key(files.key, pieces))
    for place, (lower, upper) in enumerate(zip(files.certificates, files.certificates[1:])):
        named = lower.issuer == upper.subject
        why = _handshake(server, trusting(pieces[place + 1])) if named else "that is not the issuer that it names"
        if why:
            # What comes after it leads nowhere either.
            return replace(files, own=0, unlinked={place: why}, untrusted=why)
    return replace(files, own=0, untrusted=_handshake(server, trusting()))


def _place_of_key(key: str, pieces: Sequence[str]) -> int | None:
    """Which of the certificates the key belongs to, None for none of them, or if there is no room to find out."""
    with suppress(HostError), scratch_directory() as directory:
        path = os.path.join(directory, "certificate.pem")
        for place, piece in enumerate(pieces):
            with open(path, "w", encoding="ascii") as stream:
                stream.write(f"{piece}\n")
            if _server(path, key):
                return place
    return None


def _server(chain: str, key: str) -> ssl.SSLContext | None:
    """The settings of a server with this certificate; None if the key does not belong to it."""
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        settings.load_cert_chain(chain, key, password="")
    except (OSError, ValueError):
        return None
    return settings


def trusting(issuer: str = "") -> ssl.SSLContext:
    """The settings of a client who trusts this issuer, or the roots that the system trusts, whatever name and date."""
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.check_hostname = False
    settings.verify_flags = ssl.VerifyFlags(NO_CHECK_TIME | (PARTIAL_CHAIN if issuer else 0))
    if issuer:
        settings.load_verify_locations(cadata=issuer)
    else:
        settings.load_default_certs()
    return settings


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> str:
    """Why the client does not take the server's certificate, "" if it does."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _turn in range(TURNS):
        try:
            asking.do_handshake()
            return ""
        except ssl.SSLWantReadError:
            with suppress(ssl.SSLWantReadError):
                answering.do_handshake()
        except ssl.SSLCertVerificationError as error:
            return str(error.verify_message)
    return "TLS was not begun"


def leaf_of(data: bytes | None) -> Certificate | None:
    """The certificate in DER that a server has shown, None if it can't be read."""
    try:
        return read_certificate(data or b"")
    except ValueError:
        return None
