# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a release, and the commands by which docs/release-checks.md checks them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

FILES = Path(os.environ["MXRELAY_RELEASE_FILES"])
VERSION = os.environ["MXRELAY_RELEASE_VERSION"]
ARTIFACT = f"mxrelay-postfix-{VERSION}.tar.gz"
MANIFEST = "MANIFEST.json"
BILL = f"mxrelay-postfix-{VERSION}.cdx.json"
SUMS = "SHA256SUMS"
KEY = "release-key.asc"
TEXT = (Path(__file__).parents[2] / "docs/release-checks.md").read_text(encoding="utf-8")
# Its first block begins with the version; here that is the one that is released.
FIRST_LINE = f"version={VERSION}\n"
ORIGIN, BILL_OF_MATERIALS, INSTALL_AND_VERIFY = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
assert ORIGIN.startswith("version=")
EVERYTHING = FIRST_LINE + ORIGIN.partition("\n")[2] + BILL_OF_MATERIALS + INSTALL_AND_VERIFY
VERIFY = FIRST_LINE + INSTALL_AND_VERIFY[INSTALL_AND_VERIFY.index("ansible-galaxy collection verify") :]


def run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run commands in a folder until one fails, with a home for gpg beside the folder."""
    environment = {**os.environ, "GNUPGHOME": str(folder.parent / "gpg"), "LC_ALL": "C.UTF-8"}
    command = ["sh", "-euc", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def complaints(folder: Path, script: str = EVERYTHING) -> str:
    """Return what commands say of the files, the empty string where all of them pass."""
    ran = run(folder, script)
    return ran.stdout + ran.stderr if ran.returncode else ""


def change(path: Path) -> None:
    """Change one letter in the second half of a file."""
    content = bytearray(path.read_bytes())
    at = next(at for at in range(len(content) // 2, len(content)) if content[at] in b"abcdefg")
    content[at] = ord("h")
    path.write_bytes(content)
