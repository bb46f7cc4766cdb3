# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the host's postmap read many files, and say what it read.

Standard input is one JSON object: `files` (the bytes of each file, as Latin-1 text), `reads` (for each file a list of
type and configuration directory). Standard output is a JSON list: for each file, for each read, the code of
`postmap -s`, its output, and what building and reading said on standard error, all as Latin-1 text.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import List, Tuple

INDEXED = ("hash", "btree", "lmdb", "cdb")
# Postfix waits until a text file is two seconds old before it believes it.
LONG_AGO = 1_000_000_000

Read = Tuple[int, str, str]


def postmap(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["postmap", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def read_one(folder: pathlib.Path, number: int, content: str, reads: List[List[str]]) -> List[Read]:
    """Return what each type of table holds after it was built from this content."""
    found = []
    for place, (kind, configuration) in enumerate(reads):
        path = folder / f"{number}-{place}"
        path.write_bytes(content.encode("latin-1"))
        os.utime(path, (LONG_AGO, LONG_AGO))
        table = f"{kind}:{path}"
        said = b""
        if kind in INDEXED:
            built = postmap("-c", configuration, table)
            said = built.stderr
            if built.returncode != 0:
                found.append((built.returncode, "", said.decode("latin-1")))
                continue
        dumped = postmap("-c", configuration, "-s", table)
        found.append((dumped.returncode, dumped.stdout.decode("latin-1"), (said + dumped.stderr).decode("latin-1")))
    return found


def read_all(files: List[str], reads: List[List[List[str]]]) -> List[List[Read]]:
    with tempfile.TemporaryDirectory(prefix="generated-") as name:
        folder = pathlib.Path(name)
        with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            return list(pool.map(read_one, [folder] * len(files), range(len(files)), files, reads))


if __name__ == "__main__":
    print(json.dumps(read_all(**json.load(sys.stdin))))
