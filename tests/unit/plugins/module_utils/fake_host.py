# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host with Postfix for unit tests: the command port answers as Postfix's commands do, on real files.

Its index is the rows of the source as text after a first line that names the type, so that a test can read, break and
compare it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Table, encode
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result, Take
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

SUFFIXES = {"hash": ".db", "btree": ".db", "lmdb": ".lmdb", "cdb": ".cdb"}
NOT_FOUND = Result(1, "", "")
DAEMONS = "/usr/lib/postfix/sbin"


class FakeHost:
    """The command port. `commands` is what was run, without the configuration directory."""

    def __init__(self, config_directory: str) -> None:
        self.config_directory = config_directory
        self.parameters = {
            "default_database_type": "hash",
            "smtputf8_enable": "yes",
            "mail_version": "3.10.13",
            "daemon_directory": DAEMONS,
            "relay_recipient_maps": "",
            "transport_maps": "",
        }
        self.broken_types: set[str] = set()
        self.unlisted_types: set[str] = set()
        self.suffixes = dict(SUFFIXES)
        self.running = True
        self.reload_fails = False
        self.pattern_problem = ""
        # With what every program ends that reads main.cf.
        self.fatal = ""
        self.loses_rows_in = ""
        # What `postmap -i` and `-d` end with and how long they take, and whether what was to be inserted is not there
        # all the same.
        self.edit_code = 0
        self.edit_seconds = 0.0
        self.forgets_edits = False
        self.before_build: Callable[[str], None] = lambda _path: None
        self.commands: list[list[str]] = []

    def postfix(self) -> Postfix:
        return Postfix(self, self.config_directory)

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        assert list(argv[1:3]) == ["-c", self.config_directory]
        command = [argv[0], *argv[3:]]
        self.commands.append(command)
        if {"-i", "-d"} & set(command) and silence is not None and silence < self.edit_seconds:
            raise TimeoutError(f"{argv[0]} printed nothing for {silence:g} s")
        answers = {
            "postconf": self._postconf,
            "postmap": self._postmap,
            "postfix": self._postfix,
            f"{DAEMONS}/master": self._master,
        }
        if argv[0] not in answers:
            raise FileNotFoundError(argv[0])
        return answers[argv[0]](command[1:], data)

    def stream(self, argv: Sequence[str], take: Take, _seconds: float | None = None) -> Result:
        result = self.run(argv)
        # Two pieces, which do not end where rows do.
        data = encode(result.out)
        for piece in (data[: len(data) // 2], data[len(data) // 2 :]):
            take(piece)
        return Result(result.rc, "", result.err)

    def names(self) -> list[str]:
        """The names of the commands that were run."""
        return [command[0] for command in self.commands]

    def builds(self) -> list[str]:
        """The tables that postmap was told to build, the probe's left out."""
        return [
            command[1]
            for command in self.commands
            if command[0] == "postmap" and len(command) == 2 and "mxrelay-probe-" not in command[1]
        ]

    def reloads(self) -> int:
        return self.commands.count(["postfix", "reload"])

    def _postconf(self, arguments: list[str], _data: bytes | None) -> Result:
        if arguments == ["-m"]:
            return Result(0, "btree\ncdb\nhash\nlmdb\nregexp\nstatic\ntexthash\n", "")
        names = [name for name in arguments if not name.startswith("-")] or list(self.parameters)
        known = [name for name in names if name in self.parameters]
        if "-h" in arguments:
            return Result(0, "".join(f"{self.parameters[name]}\n" for name in known), "")
        return Result(0, "".join(f"{name} = {self.parameters[name]}\n" for name in known), "")

    def _postfix(self, arguments: list[str], _data: bytes | None) -> Result:
        assert arguments == ["reload"]
        return Result(1, "", "postfix: fatal: no") if self.reload_fails else Result(0, "", "")

    def _master(self, arguments: list[str], _data: bytes | None) -> Result:
        """`master -t`: whether it could have the lock."""
        assert arguments == ["-t"]
        return Result(1 if self.running else 0, "", "")

    def _postmap(self, arguments: list[str], data: bytes | None) -> Result:
        if self.fatal:
            return Result(1, "", f"postmap: fatal: {self.fatal}\n")
        if arguments[0] == "-s":
            return self._dump(arguments[1])
        if arguments[:2] == ["-q", "-"]:
            asked = (data or b"").decode("utf-8", "surrogateescape").splitlines()
            found = [row for row in self._rows(arguments[2]) or () if row.partition("\t")[0] in asked]
            return Result(0 if found else 1, "".join(f"{row}\n" for row in found), "")
        if "-i" in arguments:
            return self._edit(arguments[-1], set_=Table.parse(data or b"").mapping(True), overwrite="-r" in arguments)
        if arguments[:2] == ["-d", "-"]:
            return self._edit(arguments[-1], remove=(data or b"").decode("utf-8", "surrogateescape").splitlines())
        if arguments[0] == "-q":
            return self._query(arguments[1], arguments[2])
        return self._build(arguments[0])

    def _edit(
        self, table: str, set_: Mapping[str, str] | None = None, remove: Sequence[str] = (), overwrite: bool = True
    ) -> Result:
        """`postmap -i` and `postmap -d -`: what no cdb table takes."""
        kind, _colon, path = table.partition(":")
        if kind in self.broken_types or kind not in self.suffixes:
            return Result(1, "", f"postmap: fatal: unsupported dictionary type: {kind}\n")
        if kind == "cdb":
            return Result(1, "", "postmap: fatal: unsupported non-bulk change request\n")
        before = dict(row.split("\t", 1) for row in self._rows(table) or ())
        after = {key: value for key, value in before.items() if key not in remove}
        if not self.forgets_edits:
            after = {**after, **(set_ or {})} if overwrite else {**(set_ or {}), **after}
        with open(path + self.suffixes[kind], "wb") as stream:
            stream.write(encode("\n".join([kind, *(f"{key}\t{value}" for key, value in after.items())]) + "\n"))
        return Result(1 if remove and before == after else self.edit_code, "", "")

    def _build(self, table: str) -> Result:
        kind, _colon, path = table.partition(":")
        if kind in self.broken_types:
            return Result(1, "", f"postmap: fatal: unsupported dictionary type: {kind}\n")
        self.before_build(path)
        with open(path, "rb") as stream:
            mapping = Table.parse(stream.read()).mapping(self.parameters["smtputf8_enable"] == "yes")
        rows = [f"{key}\t{value}" for key, value in mapping.items()]
        if self.loses_rows_in and self.loses_rows_in in path:
            rows = []
        with open(path + self.suffixes[kind], "wb") as stream:
            if kind in self.unlisted_types:
                stream.write(struct.pack("<512I", *(0, 2 * len(rows)), *[0] * 510))
            stream.write(encode("\n".join([kind, *rows]) + "\n"))
        return Result(0, "", "postmap: warning: anything\n")

    def _rows(self, table: str) -> list[str] | None:
        kind, _colon, path = table.partition(":")
        if kind in self.broken_types:
            return None
        if kind not in self.suffixes:
            with open(path, "rb") as stream:
                return [f"{key}\t{value}" for key, value in Table.parse(stream.read()).mapping(True).items()]
        try:
            with open(path + self.suffixes[kind], "rb") as stream:
                stream.seek(2048 if kind in self.unlisted_types else 0)
                lines = stream.read().decode("utf-8", "surrogateescape").splitlines()
        except FileNotFoundError:
            return None
        return lines[1:] if lines and lines[0] == kind else None

    def _dump(self, table: str) -> Result:
        if table.partition(":")[0] in self.unlisted_types:
            return Result(1, "", f"postmap: fatal: dictionary {table}: sequence operation is not supported\n")
        rows = self._rows(table)
        if rows is None:
            return Result(1, "", f"postmap: fatal: open {table}: No such file or directory\n")
        return Result(0, "".join(f"{row}\n" for row in rows), "")

    def _query(self, key: str, table: str) -> Result:
        if table.startswith("static:"):
            return Result(0, table.partition(":")[2] + "\n", "")
        if table.startswith(("regexp:", "pcre:", "cidr:")):
            source = table.partition(":")[2]
            if os.path.basename(source) == "probe":
                return Result(0, "found\n", "")
            with open(source, "rb") as stream:
                bad = [number for number, line in enumerate(stream, 1) if b"(" in line and self.pattern_problem]
            warnings = [f"postmap: warning: {source}, line {number}: {self.pattern_problem}\n" for number in bad]
            return Result(1, "", "".join(warnings))
        rows = self._rows(table)
        found = dict(row.split("\t", 1) for row in rows or ())
        return Result(0, f"{found[key]}\n", "") if key in found else NOT_FOUND


def contents(directory: str) -> dict[str, tuple[int, int, bytes]]:
    """Every file of a directory with inode, time of change and bytes: what must not differ where nothing changed."""
    found = {}
    for entry in os.scandir(directory):
        if entry.is_file(follow_symlinks=False):
            with open(entry.path, "rb") as stream:
                found[entry.name] = (entry.stat().st_ino, entry.stat().st_mtime_ns, stream.read())
        else:
            found[entry.name] = (0, 0, b"")
    return found
