# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as it was in the release before, from the history of this checkout."""

from __future__ import annotations

import io
import pathlib
import shutil
import subprocess
import tarfile

from lab.checkout import CACHE, COLLECTION_PATH, LAB, ROOT

# The release from which users come, as a tag or a commit; until there is one, the collection before 1.0.0 was prepared.
PREVIOUS = "eb28ecbfd39f5eeb6df90137d0890f0ed85589ce"
TOP = CACHE / LAB / "previous"


def have_previous() -> pathlib.Path | None:
    """Have the previous collection where Ansible finds it; return that folder, None if this clone does not go back."""
    archived = subprocess.run(["git", "archive", PREVIOUS], cwd=ROOT, capture_output=True, check=False)
    if archived.returncode != 0:
        return None
    shutil.rmtree(TOP, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
        archive.extractall(TOP / COLLECTION_PATH, filter="data")
    return TOP
