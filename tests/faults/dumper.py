# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the host's postmap read many files, and say what it read.

Standard input is one JSON object. With `files` (the bytes of each file, as Latin-1 text) and `reads` (for each file a
list of type and configuration directory), standard output is a JSON list: for each file, for each read, the code of
`postmap -s`, its output, and what building and reading said on standard error, all as Latin-1 text. With `questions`
(for each file its type and keys) instead of `reads`, it is for each file the output of `postmap -q` for these keys.
With `changes`, it is what the engine, as it lies in the module's payload, made of each file; see `change`. With
`updates`, it is what it made of each after many changes; see `update`.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

INDEXED = ("hash", "btree", "lmdb", "cdb")
# Postfix waits until a text file is two seconds old before it believes it.
LONG_AGO = 1_000_000_000
# A copy of the index is changed however many rows that are.
ALWAYS = {".db": 1e-9, ".lmdb": 1e-9}
# Texts are compared in pieces of a line or two.
COMPARED_BYTES = 16

Read = tuple[int, str, str]


def postmap(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["postmap", *arguments], capture_output=True, check=False)


def read_one(folder: pathlib.Path, number: int, content: str, reads: list[list[str]]) -> list[Read]:
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


def ask(folder: pathlib.Path, number: int, content: str, question: list[Any]) -> str:
    """Return the rows that a table of patterns gives for these keys."""
    kind, keys = question
    path = folder / str(number)
    path.write_bytes(content.encode("latin-1"))
    os.utime(path, (LONG_AGO, LONG_AGO))
    found = subprocess.run(
        ["postmap", "-q", "-", f"{kind}:{path}"],
        input="".join(f"{key}\n" for key in keys).encode(),
        capture_output=True,
        check=False,
    )
    return found.stdout.decode("latin-1")


def change(folder: pathlib.Path, number: int, content: str, order: dict[str, Any]) -> dict[str, Any]:
    """Have the engine make the table what `set`, `remove` and `purge` say, from this content and an index of it.

    With `copied` an index is changed in a copy whenever that can be, however many rows change. Returns whether the
    first and a second run changed anything, what source and table hold then, and whether the first one compared texts.
    """
    from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import change as tables
    from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import changed_copy
    from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables import plain_table
    from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import LocalCommands
    from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

    if order["copied"]:
        changed_copy._ROWS_MEANWHILE = ALWAYS
    plain_table._COMPARED_BYTES = COMPARED_BYTES
    folder = folder / f"{number}"
    folder.mkdir()
    path = folder / "table"
    path.write_bytes(content.encode("latin-1"))
    postfix = Postfix(LocalCommands(), order["configuration"])
    table = tables.TableReference(order["kind"], str(path))
    if order["kind"] in INDEXED:
        postfix.build(str(table))
    want = tables.Edits(set=order["set"], remove=order["remove"], purge=order["purge"])
    compared = is_compared(path.read_bytes(), want, order["utf8"])
    changed = [tables.change_table(postfix, table, want, tables.TableOptions(), False)[0].changed for _run in "12"]
    os.utime(path, (LONG_AGO, LONG_AGO))
    dumped = postmap("-c", order["configuration"], "-s", str(table))
    return {
        "changed": changed,
        "source": path.read_bytes().decode("latin-1"),
        "rows": dumped.stdout.decode("latin-1"),
        "files": sorted(os.listdir(folder)),
        "copies": copies_of(path),
        "compared": compared,
    }


def is_compared(content: bytes, want: Any, utf8: bool) -> bool:
    """Whether the engine compares this source as text with what is wanted, and looks through a part of it alone."""
    from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables import plain_table

    found = plain_table.PlainTable.edited_in_order(content, want, utf8)
    if found is None:
        return False
    before, change = found
    differing = plain_table._differences(before.body, change.after.body)
    return sum(len(there) for there, _here in differing) < len(before.body)


def copies_of(path: pathlib.Path) -> int:
    """How often the index was made by changing a copy since it was built."""
    record = path.with_name(f".{path.name}.mxrelay")
    return int(json.loads(record.read_text())["copies"]) if record.exists() else 0


def update(folder: pathlib.Path, number: int, content: str, order: dict[str, Any]) -> dict[str, Any]:
    """Have the engine change a table of the type `kind` often, each time in a copy of the index.

    Each of `rounds` has the keys to add and those to remove; at most `most` copies are made in a row. Returns the rows
    that the table and one that postmap builds from the same source have in the end, the size of both indexes, and how
    many copies were made.
    """
    from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import change as tables
    from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import changed_copy
    from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import LocalCommands
    from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

    changed_copy._ROWS_MEANWHILE = ALWAYS
    changed_copy.MOST_COPIES = order["most"]
    folder = folder / f"{number}"
    folder.mkdir()
    path, built = folder / "table", folder / "built"
    path.write_bytes(content.encode("latin-1"))
    postfix = Postfix(LocalCommands())
    table = tables.TableReference(order["kind"], str(path))
    postfix.build(str(table))
    for added, removed in order["rounds"]:
        want = tables.Edits(set=dict.fromkeys(added, "x"), remove=removed)
        tables.change_table(postfix, table, want, tables.TableOptions(), False)
    built.write_bytes(path.read_bytes())
    postfix.build(f"{order['kind']}:{built}")
    dumps = [postmap("-s", f"{order['kind']}:{name}").stdout.decode("latin-1") for name in (path, built)]
    sizes = [index.stat().st_size for name in ("table", "built") for index in folder.glob(f"{name}.*")]
    return {"rows": dumps, "sizes": sizes, "copies": copies_of(path)}


WORK = {"reads": read_one, "questions": ask, "changes": change, "updates": update}


def work(order: dict[str, Any]) -> list[Any]:
    what = next(name for name in WORK if name in order)
    files = order["files"]
    workers = concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count())
    with tempfile.TemporaryDirectory(prefix="generated-") as name, workers as pool:
        folders = [pathlib.Path(name)] * len(files)
        return list(pool.map(WORK[what], folders, range(len(files)), files, order[what]))


if __name__ == "__main__":
    sys.path.insert(0, "/srv/faults/payload/debug_dir")
    print(json.dumps(work(json.load(sys.stdin))))
