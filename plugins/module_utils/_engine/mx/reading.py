# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads lookup tables and files that main.cf names. Nothing is changed, and few commands are run."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import INDEX_SUFFIXES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    asks_server,
    member_of,
    without_proxy,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import NoAnswer
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import Content, spoken_by_name
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.pattern_table import (
    PATTERN_TYPES,
    PatternTable,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Table, encode
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import KEYED_TYPES
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    read_file,
    text_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import SECONDS_TO_ANSWER, Postfix

# How many keys a table finds a second at the least that a daemon or a server is asked for.
KEYS_A_SECOND = 100
# Addresses that nobody has (RFC 5737, RFC 3849).
STRANGERS = ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1")


@dataclass
class Evidence:
    """The state, and what can already be refused while reading it."""

    state: HostState
    refusals: list[Refusal] = field(default_factory=list)
    # Table types that do not work yet, but would with a package of their name.
    missing_types: list[str] = field(default_factory=list)
    reader: MapReader | None = None
    # A declared domain is internationalised, and python3-idna is not there.
    needs_idna: bool = False


class MapReader:
    """Asks lookup tables by postmap, each for all keys at once; if it is `local`, none that lies on another host."""

    def __init__(self, postfix: Postfix, local: bool = False) -> None:
        self._postfix = postfix
        self._is_local = local
        self._sources: dict[str, Table] = {}
        self._listed: dict[str, tuple[tuple[str, str], ...] | None] = {}
        self._silent: set[str] = set()
        # Tables that were asked for any key.
        self.asked: set[str] = set()
        self.notes: list[str] = []
        # table -> why it could not be asked
        self.problems: dict[str, str] = {}

    def ask(self, table: str, keys: Sequence[str]) -> dict[str, str]:
        """The results of the keys that the table has. A table that can't be asked has none, and is noted."""
        if not keys or table in self._silent or (self._is_local and asks_server(table)):
            return {}
        self.asked.add(table)
        problem = odd_file(table)
        if problem:
            self._note(table, problem)
            return {}
        given = encode("".join(f"{key}\n" for key in keys))
        try:
            result = self._postfix.run(
                "postmap", "-q", "-", table, data=given, silence=SECONDS_TO_ANSWER + len(keys) // KEYS_A_SECOND
            )
        except NoAnswer as error:
            self._silent.add(table)
            self._note(table, error.message)
            return {}
        if "fatal:" in result.err:
            problem = result.err.strip().split("\n")[-1].partition("fatal: ")[2]
            self._note(table, problem)
        found = {}
        for line in result.out.split("\n"):
            key, separator, value = line.partition("\t")
            if separator:
                found[key] = value
        return found

    def _note(self, table: str, problem: str) -> None:
        self.problems.setdefault(table, problem)
        note = f"{table} could not be asked ({problem})"
        if note not in self.notes:
            self.notes.append(note)

    def source(self, path: str) -> Table:
        """The table's source as text; without entries where it is not there. Each file is read once."""
        if path not in self._sources:
            self._sources[path] = Table.parse(read_file(path) or b"")
        return self._sources[path]

    def rows(self, kind: str, path: str, utf8: bool) -> dict[str, str]:
        """The entries of a local table's source, of patterns as well."""
        if kind in PATTERN_TYPES:
            return PatternTable.parse(read_file(path) or b"", kind).mapping(utf8)
        return self.source(path).mapping(utf8)

    def content(self, name: str) -> Content:
        """What a table or a file of patterns holds, and what a table that cannot be listed says to keys of nobody's."""
        if name.startswith("/"):
            return Content(tuple((word, "") for line in text_of(name).split("\n") for word in _words(line)))
        kind, _colon, path = without_proxy(name).partition(":")
        entries = self._entries(name)
        if kind in PATTERN_TYPES and path.startswith("/"):
            return Content(entries or (), self._nobodys(name, kind))
        if entries is not None and kind not in PATTERN_TYPES:
            return Content(entries)
        return Content(None, self._nobodys(name, kind))

    def _entries(self, table: str) -> tuple[tuple[str, str], ...] | None:
        """All keys of a table with their results, None where it can't list them. Each table is listed once."""
        plain = without_proxy(table)
        if plain not in self._listed:
            self._listed[plain] = self._list(plain)
        return self._listed[plain]

    def _list(self, table: str) -> tuple[tuple[str, str], ...] | None:
        kind, _colon, path = table.partition(":")
        if kind in PATTERN_TYPES:
            content = read_file(path)
            if content is not None:
                return tuple((entry.key, entry.value) for entry in PatternTable.parse(content, kind).entries)
        elif kind in (*KEYED_TYPES, "inline"):
            dumped = self._dumped(table)
            if dumped is not None:
                rows = [line.partition("\t") for line in dumped.split("\n") if line]
                return tuple((key, value) for key, _tab, value in rows)
        return None

    def _dumped(self, table: str) -> str | None:
        """All rows of the table as postmap tells them, None if it does not."""
        problem = odd_file(table)
        try:
            dumped = None if problem else self._postfix.dump(table)
        except NoAnswer as error:
            problem = error.message
        if problem:
            self._note(table, problem)
            return None
        return dumped.out if dumped and dumped.rc == 0 else None

    def _nobodys(self, name: str, kind: str) -> dict[str, str]:
        """Answers to keys that nobody has. Networks are listed, so that no address need be asked for."""
        if kind == "cidr":
            return {}
        domain = f"{secrets.token_hex(8)}.example"
        return self.ask(name, [domain, f"{secrets.token_hex(8)}@{domain}", *STRANGERS])

    def results(self, table: str) -> list[str] | None:
        """The different results of a table, or None where it can't list them."""
        spoken = spoken_by_name(table)
        entries = spoken.entries if spoken else self._entries(table)
        return None if entries is None else list(dict.fromkeys(result for _key, result in entries))

    def keys(self, table: str) -> list[str] | None:
        """All keys of a local table, or None where its type can't list them."""
        entries = self._entries(table) if table.partition(":")[0] in KEYED_TYPES else None
        return None if entries is None else [key for key, _result in entries]


def odd_file(table: str) -> str:
    """Why postmap would wait for ever for a local table, "" if it would not: what it opens is a fifo or the like."""
    kind, _colon, path = without_proxy(table).partition(":")
    if kind not in (*KEYED_TYPES, *PATTERN_TYPES) or not path.startswith("/"):
        return ""
    opened = (path, path + INDEX_SUFFIXES.get(kind, ""))
    odd = [name for name in opened if os.path.exists(name) and not os.path.isfile(name)]
    return f"{odd[0]} is not a regular file" if odd else ""


def _words(line: str) -> list[str]:
    return [] if line.startswith("#") else split_items(line)


def named_files(members: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in members:
        member = member_of(text)
        if member.kind == "file" and os.path.exists(member.text):
            found[member.text] = text_of(member.text)
    return found
