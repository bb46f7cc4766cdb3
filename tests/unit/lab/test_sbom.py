# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import FAMILIES
from lab import sbom

EPOCH = 1_700_000_000
INFORMATION: dict[str, Any] = {
    "namespace": "mxrelay",
    "name": "postfix",
    "version": "1.2.3",
    "description": "A collection",
    "license": ["GPL-3.0-or-later"],
    "repository": "https://github.com/mxrelay/mxrelay.postfix",
}


def _artifact(path: Path, **changed: object) -> Path:
    text = json.dumps({"collection_info": {**INFORMATION, **changed}}).encode()
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("MANIFEST.json")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return path


def test_bill_names_the_artifact_by_its_checksum(tmp_path: Path) -> None:
    artifact = _artifact(tmp_path / "a.tar.gz")
    bill = json.loads(sbom.bill(artifact, ">=2.17.0", EPOCH))
    subject = bill["metadata"]["component"]
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert subject["purl"] == "pkg:github/mxrelay/mxrelay.postfix@1.2.3"
    assert subject["licenses"] == [{"license": {"id": "GPL-3.0-or-later"}}]
    assert subject["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(artifact.read_bytes()).hexdigest()}]


def test_bill_lists_what_is_used(tmp_path: Path) -> None:
    bill = json.loads(sbom.bill(_artifact(tmp_path / "a.tar.gz"), ">=2.17.0", EPOCH))
    scopes = {component["name"]: component["scope"] for component in bill["components"]}
    assert scopes == {"ansible-core": "required", **dict.fromkeys(sbom.LIBRARIES, "optional")}
    core = next(component for component in bill["components"] if component["name"] == "ansible-core")
    assert core["properties"] == [{"name": "mxrelay:versions", "value": ">=2.17.0"}]
    (uses,) = [entry["dependsOn"] for entry in bill["dependencies"] if "dependsOn" in entry]
    assert sorted(uses) == sorted(scopes)


def test_libraries_are_those_that_the_collection_names() -> None:
    assert {library for family in FAMILIES for library in family.libraries} == set(sbom.LIBRARIES)


def test_same_artifact_has_the_same_bill(tmp_path: Path) -> None:
    artifact = _artifact(tmp_path / "a.tar.gz")
    assert sbom.bill(artifact, ">=2.17.0", EPOCH) == sbom.bill(artifact, ">=2.17.0", EPOCH)


def test_bill_that_the_schema_forbids_is_refused(tmp_path: Path) -> None:
    artifact = _artifact(tmp_path / "a.tar.gz", description=7)
    with pytest.raises(ValueError, match="schema forbids"):
        sbom.bill(artifact, ">=2.17.0", EPOCH)
