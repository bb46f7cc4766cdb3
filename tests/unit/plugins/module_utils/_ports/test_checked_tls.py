# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import checked_tls
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.checked_tls import (
    certificates_file,
    checked_certificates,
    why_no_tls,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.certificates import Authority

CA = "its certificate is of a CA that is not trusted here; name the file that holds the CA as ca_file"


def met(settings: ssl.SSLContext | None, ca_file: Path, name: str) -> str:
    """Why a server with these settings is not believed, empty if it is; one without settings speaks no TLS."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, suppress(OSError):
            if settings is None:
                theirs.sendall(b"220 mx.example ESMTP\r\n" * 10)
                theirs.recv(10)
            else:
                settings.wrap_socket(theirs, server_side=True)

    server = threading.Thread(target=serve)
    server.start()
    try:
        with ours:
            checked_certificates(str(ca_file)).wrap_socket(ours, server_hostname=name)
        return ""
    except OSError as error:
        return why_no_tls(str(error))
    finally:
        server.join()


@pytest.mark.parametrize(
    ("name", "age", "why"),
    [
        ("ldap.example", 0, ""),
        ("ldap.example", 30, "its certificate has expired; have it renewed"),
        ("ldap.example", -30, "its certificate is not valid yet; correct the clock of this host, or the certificate"),
        ("www.example", 0, "its certificate is for another name; ask it by a name of its certificate"),
        ("192.0.2.1", 0, "its certificate is for another name; ask it by a name of its certificate"),
    ],
)
def test_certificate_has_to_hold(tmp_path: Path, name: str, age: int, why: str) -> None:
    authority = Authority(tmp_path)
    assert met(authority.settings("ldap.example", timedelta(days=age)), authority.file, name) == why


def test_address_may_be_in_the_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    assert met(authority.settings("192.0.2.1"), authority.file, "192.0.2.1") == ""


def test_other_authority_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    assert met(Authority(tmp_path).settings("ldap.example"), other.file, "ldap.example") == CA


def test_server_without_tls_is_told_of(tmp_path: Path) -> None:
    assert met(None, Authority(tmp_path).file, "ldap.example") == "it does not speak TLS there; correct the port"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('server certificate for "a.example" does not match host name "b.example"', "its certificate is for another"),
        ("[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure", "TLS with it could not be begun; have"),
        ("certificate verify failed: EE certificate key too weak", "its certificate does not hold; look at it with"),
        ("certificate verify failed: certificate revoked", "its certificate was revoked; have a new one issued"),
        ("[Errno 111] Connection refused", ""),
    ],
)
def test_what_libraries_say_is_understood(said: str, why: str) -> None:
    assert why_no_tls(said).startswith(why)
    assert bool(why) == bool(why_no_tls(said))


def test_file_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x", encoding="utf-8")
    for path, why in (("x", "holds no certificate in PEM form; correct it"), ("y", "is not there; correct it")):
        with pytest.raises(SourceError) as caught:
            certificates_file(str(tmp_path / path))
        assert caught.value.message == f"ca_file {tmp_path / path} {why}"


def test_file_that_may_not_be_read_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(cafile: str) -> None:
        raise PermissionError(13, "Permission denied", cafile)

    monkeypatch.setattr(ssl, "create_default_context", refuse)
    with pytest.raises(SourceError) as caught:
        checked_certificates("/x")
    assert caught.value.message == "ca_file /x can't be read by this user; give it mode 0644"


def test_file_of_the_system_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    assert certificates_file(str(authority.file)) == str(authority.file)
    monkeypatch.setattr(checked_tls, "SYSTEM_FILES", ("/gone", str(authority.file)))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: ssl.DefaultVerifyPaths(None, None, "", "", "", ""))
    assert certificates_file() == str(authority.file)
    monkeypatch.setattr(checked_tls, "SYSTEM_FILES", ())
    with pytest.raises(SourceError) as caught:
        certificates_file()
    assert caught.value.message == (
        "this host has no file of CAs that it trusts; install ca-certificates, or give ca_file"
    )
