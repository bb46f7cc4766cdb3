# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rewrite a collection's artifact so that the same commit gives the same bytes, wherever and whenever it is built.

ansible-galaxy packs files in the order of the folder, with the times of their copies, and the time of the build.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import pathlib
import tarfile
from typing import Any

MANIFEST = "MANIFEST.json"
FILES = "FILES.json"
# The field of gzip's header that names the operating system; 255 is "unknown".
SYSTEM_AT = 9
UNKNOWN_SYSTEM = 255


def normalise(artifact: pathlib.Path, epoch: int) -> None:
    """Give all members one time, order and owner, FILES.json the same order, MANIFEST.json its new checksum."""
    with tarfile.open(artifact, "r:gz") as archive:
        members = archive.getmembers()
        contents = {member.name: content.read() for member in members if (content := archive.extractfile(member))}
    files = json.loads(contents[FILES])
    files["files"].sort(key=lambda entry: entry["name"])
    contents[FILES] = _text(files)
    manifest = json.loads(contents[MANIFEST])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(contents[FILES]).hexdigest()
    contents[MANIFEST] = _text(manifest)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member in sorted(members, key=_place):
            archive.addfile(_plain(member, contents, epoch), _content(member, contents))
    compressed = bytearray(gzip.compress(packed.getvalue(), compresslevel=9, mtime=epoch))
    compressed[SYSTEM_AT] = UNKNOWN_SYSTEM
    artifact.write_bytes(compressed)


def member(artifact: pathlib.Path, name: str) -> bytes:
    """Return the content of a file in an artifact."""
    with tarfile.open(artifact, "r:gz") as archive:
        content = archive.extractfile(name)
        if content is None:
            raise KeyError(name)
        return content.read()


def _text(value: Any) -> bytes:
    # As ansible-galaxy writes it.
    return json.dumps(value, indent=True).encode()


def _place(member: tarfile.TarInfo) -> tuple[int, str]:
    """The manifests come first, as in what ansible-galaxy builds."""
    return ((MANIFEST, FILES).index(member.name) if member.name in (MANIFEST, FILES) else 2, member.name)


def _plain(member: tarfile.TarInfo, contents: dict[str, bytes], epoch: int) -> tarfile.TarInfo:
    plain = tarfile.TarInfo(member.name)
    plain.type, plain.mode, plain.linkname, plain.mtime = member.type, member.mode, member.linkname, epoch
    plain.size = len(contents[member.name]) if member.isreg() else 0
    return plain


def _content(member: tarfile.TarInfo, contents: dict[str, bytes]) -> io.BytesIO | None:
    return io.BytesIO(contents[member.name]) if member.isreg() else None
