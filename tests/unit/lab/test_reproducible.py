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

from lab import reproducible

EPOCH = 1_700_000_000
CONTENT = {"README.md": b"read me\n", "plugins/run.py": b"#!/usr/bin/python\n", "docs/a.md": b"a\n"}


def _artifact(path: Path, names: list[str], *, mtime: int, uid: int) -> Path:
    """Pack files in an order, as ansible-galaxy does."""
    files = [
        {"name": ".", "ftype": "dir"},
        *({"name": name, "ftype": "file", "chksum_sha256": _sum(CONTENT[name])} for name in names),
    ]
    listed = json.dumps({"files": files, "format": 1}, indent=True).encode()
    manifest = {"collection_info": {"version": "1.0.0"}, "file_manifest_file": {"chksum_sha256": _sum(listed)}}
    texts = {"MANIFEST.json": json.dumps(manifest, indent=True).encode(), "FILES.json": listed}
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {**texts, **{name: CONTENT[name] for name in names}}.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.uid, info.uname = len(text), mtime, uid, "somebody"
            info.mode = 0o755 if name == "plugins/run.py" else 0o644
            archive.addfile(info, io.BytesIO(text))
    return path


def _sum(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _json(artifact: Path, name: str) -> Any:
    return json.loads(reproducible.member(artifact, name))


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    made = _artifact(tmp_path / "one.tar.gz", ["README.md", "plugins/run.py", "docs/a.md"], mtime=5, uid=0)
    reproducible.normalise(made, EPOCH)
    return made


def test_order_time_owner_and_name_of_the_file_do_not_matter(artifact: Path, tmp_path: Path) -> None:
    other = _artifact(tmp_path / "two.tar.gz", ["docs/a.md", "plugins/run.py", "README.md"], mtime=6, uid=1000)
    reproducible.normalise(other, EPOCH)
    assert other.read_bytes() == artifact.read_bytes()


def test_time_of_the_commit_is_that_of_all_files(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        assert {member.mtime for member in archive.getmembers()} == {EPOCH}
    assert int.from_bytes(artifact.read_bytes()[4:8], "little") == EPOCH


def test_content_and_modes_stay(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        assert {member.name: oct(member.mode) for member in archive.getmembers()} == {
            "MANIFEST.json": "0o644",
            "FILES.json": "0o644",
            "README.md": "0o644",
            "docs/a.md": "0o644",
            "plugins/run.py": "0o755",
        }
        assert archive.getnames()[:2] == ["MANIFEST.json", "FILES.json"]
    assert {name: reproducible.member(artifact, name) for name in CONTENT} == CONTENT


def test_manifest_has_the_checksum_of_the_sorted_list(artifact: Path) -> None:
    assert [entry["name"] for entry in _json(artifact, "FILES.json")["files"]] == [".", *sorted(CONTENT)]
    listed = _sum(reproducible.member(artifact, "FILES.json"))
    assert _json(artifact, "MANIFEST.json")["file_manifest_file"]["chksum_sha256"] == listed


def test_second_time_changes_nothing(artifact: Path) -> None:
    before = artifact.read_bytes()
    reproducible.normalise(artifact, EPOCH)
    assert artifact.read_bytes() == before
