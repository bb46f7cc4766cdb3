# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.certificate_files import (
    leaf_of,
    read_certificate_files,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.chains import DER, Chain, Issued
from lab.authority import PEM


@pytest.fixture
def made(tmp_path: Path) -> Chain:
    return Chain(tmp_path)


def read(made: Chain) -> tuple[object, ...]:
    found = read_certificate_files(str(made.chain), str(made.key))
    return found.unread, len(found.certificates), found.own, dict(found.unlinked)


def test_whole_chain_is_read(made: Chain) -> None:
    found = read_certificate_files(str(made.chain), str(made.key))
    assert (found.certificates, found.own, found.unlinked) == ([made.own.read, made.authority.read], 0, {})
    assert found.leaf == made.own.read
    assert found.untrusted == "unable to get local issuer certificate"
    assert found.exposed is False


def test_file_with_the_key_first_is_both(made: Chain) -> None:
    made.key = made.chain
    made.write(made.own.key_pem, made.own.pem, made.authority.pem)
    assert read(made) == ({}, 2, 0, {})
    made.write(made.own.pem, made.own.key_pem)
    path = str(made.chain)
    assert read(made)[0] == {path: "holds the certificate before the key, and Postfix wants the key first"}
    assert read_certificate_files(path, path, key_first=False).own == 0


def test_file_that_is_not_there_is_told(made: Chain) -> None:
    made.key.unlink()
    made.chain.unlink()
    made.chain.mkdir()
    unread = {str(made.key): "is missing", str(made.chain): "can't be read (Is a directory)"}
    assert read(made) == (unread, 0, None, {})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no certificate in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds a certificate that can't be read"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "holds a certificate that can't be read"),
    ],
)
def test_chain_without_certificates_is_told(made: Chain, text: str, why: str) -> None:
    made.write(text)
    assert read(made)[0] == {str(made.chain): why}


def test_key_that_can_not_be_used_is_told(made: Chain) -> None:
    made.key.write_text(made.own.pem)
    assert read(made)[0] == {str(made.key): "holds no private key in PEM form"}
    made.key.write_text(made.own.key_pem + made.own.pem)
    beside = "holds a certificate as well as the key; leave that out, or name this file as the chain, too"
    assert read(made)[0] == {str(made.key): beside}
    locked = serialization.BestAvailableEncryption(b"secret")
    made.key.write_bytes(made.own.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, locked))
    assert read(made)[0] == {str(made.key): "is encrypted, and nobody is there to tell Postfix its passphrase"}


def test_key_of_another_certificate_belongs_nowhere(made: Chain) -> None:
    made.key.write_text(Issued("mx.example").key_pem)
    assert read(made) == ({}, 2, None, {})


def test_place_of_the_own_certificate_is_found(made: Chain) -> None:
    made.write(made.authority.pem, made.own.pem)
    assert read(made) == ({}, 2, 1, {})


def test_chain_is_followed_by_signatures(made: Chain) -> None:
    """An authority of the same name and another key, and one that is left out."""
    made.write(made.own.pem, Issued("Authority of a test", made.root, authority=True).pem, made.root.pem)
    found = read_certificate_files(str(made.chain), str(made.key))
    assert (list(found.unlinked), found.leaf) == ([0], made.own.read)
    made.write(made.own.pem, made.root.pem)
    assert read(made)[3] == {0: "that is not the issuer that it names"}
    made.write(made.own.pem, made.authority.pem, made.root.pem)
    assert read(made)[3] == {}


def test_key_that_everybody_reads_is_told(made: Chain) -> None:
    made.key.chmod(0o644)
    shut = read_certificate_files(str(made.chain), str(made.key)).exposed
    for folder in made.key.parents:
        if folder.stat().st_mode & 0o001 == 0:
            assert shut is False
            folder.chmod(0o755)
    assert read_certificate_files(str(made.chain), str(made.key)).exposed is True


def test_what_is_no_certificate_is_none() -> None:
    assert (leaf_of(None), leaf_of(b"0")) == (None, None)
    issued = Issued("mx.example")
    assert leaf_of(issued.certificate.public_bytes(DER)) == issued.read
