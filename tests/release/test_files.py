# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of any release."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from release import guide
from release.guide import ARTIFACT, BILL, MANIFEST, SUMS


def test_files_are_those_of_the_guide() -> None:
    named = set(re.findall(r"^\| `([^`*]+)`", guide.TEXT, re.MULTILINE))
    expected = {name.replace("VERSION", guide.VERSION) for name in named}
    signatures = {f"{name}.asc" for name in (ARTIFACT, MANIFEST, SUMS)}
    found = {path.name for path in guide.FILES.iterdir()}
    assert found in (expected | signatures, expected - {guide.KEY})


def test_checksums_and_bill_are_of_these_files(folder: Path) -> None:
    assert guide.complaints(folder, f"sha256sum --check {SUMS}") == ""
    assert guide.complaints(folder, guide.FIRST_LINE + guide.BILL_OF_MATERIALS) == ""


@pytest.mark.parametrize("name", [ARTIFACT, MANIFEST, BILL])
def test_changed_file_has_another_checksum(folder: Path, name: str) -> None:
    guide.change(folder / name)
    assert f"{name}: FAILED" in guide.complaints(folder, f"sha256sum --check {SUMS}")


def test_bill_of_another_artifact_is_noticed(folder: Path) -> None:
    bill = json.loads((folder / BILL).read_text())
    bill["metadata"]["component"]["hashes"][0]["content"] = "0" * 64
    (folder / BILL).write_text(json.dumps(bill))
    assert f"{ARTIFACT}: FAILED" in guide.complaints(folder, guide.FIRST_LINE + guide.BILL_OF_MATERIALS)
