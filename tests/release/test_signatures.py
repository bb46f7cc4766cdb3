# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a release that is signed: the guide's commands pass on them, and fail where a file was changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from release import guide
from release.guide import ARTIFACT, BILL, MANIFEST, SUMS


def test_commands_of_the_guide_pass(folder: Path) -> None:
    ran = guide.run(folder, guide.EVERYTHING)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Successfully verified that checksums for 'mxrelay.postfix:" in ran.stdout
    assert ran.stderr.count("Good signature from") == 2
    installed = folder / "collections/ansible_collections/mxrelay/postfix" / MANIFEST
    assert installed.read_bytes() == (folder / MANIFEST).read_bytes()
    assert json.loads(installed.read_text())["collection_info"]["version"] == guide.VERSION


@pytest.mark.parametrize("name", [ARTIFACT, SUMS])
def test_changed_file_has_a_bad_signature(folder: Path, name: str) -> None:
    guide.change(folder / name)
    assert "BAD signature from" in guide.complaints(folder)


def test_changed_bill_with_new_checksums_is_noticed(folder: Path) -> None:
    guide.change(folder / BILL)
    assert guide.complaints(folder, f"sha256sum {ARTIFACT} {MANIFEST} {BILL} > {SUMS}") == ""
    assert "BAD signature from" in guide.complaints(folder)


def test_key_of_somebody_else_is_no_good(folder: Path) -> None:
    make = "gpg --batch --pinentry-mode loopback --passphrase '' --quick-generate-key other ed25519 sign 1d"
    publish = f"gpg --armor --export > {guide.KEY}; gpgconf --kill all; rm -r $GNUPGHOME; mkdir -m 700 $GNUPGHOME"
    assert guide.complaints(folder, f"{make}; {publish}") == ""
    assert "No public key" in guide.complaints(folder)


def test_changed_installation_is_noticed(folder: Path) -> None:
    assert guide.complaints(folder) == ""
    guide.change(folder / "collections/ansible_collections/mxrelay/postfix/README.md")
    assert "    README.md\n" in guide.complaints(folder, guide.VERIFY)


def test_changed_manifest_of_an_installation_is_noticed(folder: Path) -> None:
    assert guide.complaints(folder) == ""
    guide.change(folder / "collections/ansible_collections/mxrelay/postfix" / MANIFEST)
    assert "Signature verification failed for 'mxrelay.postfix'" in guide.complaints(folder, guide.VERIFY)
